package logface

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/pool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// The test binary is the log process too.
const childVar = "LOGFACE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(logpool.Main(os.Args[1:]))
	}
	os.Exit(s6test.Main(m))
}

const patience = 60 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree is what a face needs of one.
type tree struct {
	t    testing.TB
	scan string
	mux  *mux.Mux
	pool *pool.Pool

	mu    sync.Mutex
	warns []string
}

func newTree(t testing.TB) *tree {
	t.Helper()
	tr := &tree{t: t, scan: t.TempDir()}
	r, err := reaper.New()
	must(t, err)
	tr.mux, err = mux.New()
	must(t, err)
	exe, err := os.Executable()
	must(t, err)
	tr.pool = pool.New(pool.Config{
		Reaper: r, Command: []string{exe}, Env: append(os.Environ(), childVar+"=1", "GORACE=atexit_sleep_ms=0"),
		Stdout: -1, Stderr: 2, Warn: tr.warn,
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	running.Go(func() { tr.mux.Run(ctx) })
	running.Go(func() { tr.pool.Run(ctx) })
	t.Cleanup(func() {
		within, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tr.pool.End(within); err != nil {
			t.Error("end of the log process: ", err)
		}
		stop()
		running.Wait()
		must(t, tr.mux.Close())
		must(t, r.Close())
	})
	return tr
}

func (tr *tree) warn(text string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.warns = append(tr.warns, text)
}

func (tr *tree) warnings() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return strings.Join(tr.warns, "\n")
}

// logger is a face and its directory.
type logger struct {
	*Face
	tr   *tree
	dir  string // SCAN/NAME/log
	log  string // the log directory
	left chan struct{}
}

// logger makes the directory of a service's log; before may add to it.
func (tr *tree) logger(name string, before func(dir string)) *logger {
	tr.t.Helper()
	l := &logger{tr: tr, dir: filepath.Join(tr.scan, name, "log"), left: make(chan struct{})}
	l.log = filepath.Join(l.dir, "main")
	must(tr.t, os.MkdirAll(l.dir, 0o755))
	must(tr.t, os.WriteFile(filepath.Join(l.dir, logpool.DirectivesFile), []byte("./main\n"), 0o644))
	if before != nil {
		before(l.dir)
	}
	l.open()
	return l
}

func (l *logger) open() {
	l.tr.t.Helper()
	dir, err := fsat.Open(l.dir)
	must(l.tr.t, err)
	l.left = make(chan struct{})
	left := l.left
	l.Face, err = Open(dir, Config{
		Name: filepath.Base(filepath.Dir(l.dir)), Pool: l.tr.pool, Mux: l.tr.mux,
		Super: superdir.Config{Group: superdir.NoGroup}, Warn: l.tr.warn, Left: func() { close(left) },
	})
	must(l.tr.t, err)
	l.tr.t.Cleanup(func() { l.Close(context.Background()) })
}

// service opens the FIFO as a service's standard output.
func (l *logger) service() *os.File {
	l.tr.t.Helper()
	fd, err := l.OpenInput()
	must(l.tr.t, err)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	must(l.tr.t, err)
	if flags&unix.O_NONBLOCK != 0 || flags&unix.O_ACCMODE != unix.O_RDWR {
		l.tr.t.Errorf("the service's descriptor has flags %o", flags)
	}
	f := os.NewFile(uintptr(fd), "input")
	l.tr.t.Cleanup(func() { f.Close() })
	return f
}

// tool runs a program of s6 on the log directory and returns what it prints.
func (l *logger) tool(name string, args ...string) (string, int) {
	l.tr.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s6test.Tool(l.tr.t, name), append(args, l.dir)...)
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// does runs a tool that is to succeed.
func (l *logger) does(name string, args ...string) string {
	l.tr.t.Helper()
	out, code := l.tool(name, args...)
	if code != 0 {
		l.tr.t.Fatalf("%s %q: exit %d, %s", name, args, code, out)
	}
	return out
}

func (l *logger) fields(names string) string {
	l.tr.t.Helper()
	return l.does("s6-svstat", "-o", names)
}

func (l *logger) shows(text string) {
	l.tr.t.Helper()
	until(l.tr.t, fmt.Sprintf("%q in the log", text), func() bool {
		b, _ := os.ReadFile(filepath.Join(l.log, "current"))
		return strings.Contains(string(b), text)
	})
}

// until waits for a condition that nothing announces.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// killPool kills the log process.
func (tr *tree) killPool() int {
	tr.t.Helper()
	pid := tr.pool.PID()
	if pid == 0 {
		tr.t.Fatal("there is no log process")
	}
	must(tr.t, syscall.Kill(pid, syscall.SIGKILL))
	return pid
}

// free waits until the lock is free. A process that is just being forked has a
// copy of every descriptor until it executes something.
func (l *logger) free() {
	l.tr.t.Helper()
	until(l.tr.t, "a free lock", func() bool { _, code := l.tool("s6-svok"); return code == 1 })
}
