package pool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// The test binary is the log process too.
const childVar = "POOL_TEST_CHILD"

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

// quick restarts as fast as tests want it.
func quick() retryTimes {
	return retryTimes{first: time.Millisecond, most: 4 * time.Millisecond, reset: time.Hour}
}

// runningPool is a pool, running.
type runningPool struct {
	*Pool
	t    testing.TB
	root string
	stop context.CancelFunc
	over chan error // what Run returned

	mu    sync.Mutex
	warns []string
}

// run runs a pool until the end of the test; change may be nil.
func run(t testing.TB, change func(*Config)) *runningPool {
	t.Helper()
	r, err := reaper.New()
	must(t, err)
	exe, err := os.Executable()
	must(t, err)
	p := &runningPool{t: t, root: t.TempDir(), over: make(chan error, 1)}
	cfg := Config{
		Reaper: r, Command: []string{exe}, Env: append(os.Environ(), childVar+"=1", "GORACE=atexit_sleep_ms=0"),
		Stdout: -1, Stderr: 2, Warn: p.warn, retry: quick(),
	}
	if change != nil {
		change(&cfg)
	}
	p.Pool = New(cfg)
	reaping, stopReaping := context.WithCancel(context.Background())
	var ctx context.Context
	ctx, p.stop = context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(reaping) })
	running.Go(func() { p.over <- p.Run(ctx) })
	t.Cleanup(func() {
		within, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		p.End(within)
		p.stop()
		stopReaping()
		running.Wait()
		must(t, r.Close())
	})
	return p
}

func (p *runningPool) warn(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warns = append(p.warns, text)
}

func (p *runningPool) warnings() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.warns, "\n")
}

// log is a sink, its directory and its service.
type log struct {
	*Sink
	p       *runningPool
	dir     string
	service *os.File

	mu     sync.Mutex
	states []State
	grow   chan struct{} // closed when there is another
}

// log adds a log of a service.
func (p *runningPool) log(name string) *log {
	p.t.Helper()
	l := &log{p: p, dir: filepath.Join(p.root, name, "log"), grow: make(chan struct{})}
	must(p.t, os.MkdirAll(filepath.Join(l.dir, "supervise"), 0o700))
	must(p.t, unix.Mkfifo(filepath.Join(l.dir, logpool.InputFile), 0o600))
	must(p.t, os.WriteFile(filepath.Join(l.dir, logpool.DirectivesFile), []byte("n1000000\ns1000000\n./main\n"), 0o600))
	fd, err := unix.Open(filepath.Join(l.dir, logpool.InputFile), unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(p.t, err)
	l.service = os.NewFile(uintptr(fd), "input")
	p.t.Cleanup(func() { l.service.Close() })
	l.add()
	return l
}

func (l *log) add() {
	l.Sink = l.p.Add(Spec{Name: filepath.Base(filepath.Dir(l.dir)), Dir: func() string { return l.dir }, Changed: l.changed})
}

func (l *log) changed(s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states = append(l.states, s)
	close(l.grow)
	l.grow = make(chan struct{})
}

// history is all states so far.
func (l *log) history() []State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]State(nil), l.states...)
}

// reaches waits for a state.
func (l *log) reaches(what string, ok func(State) bool) State {
	l.p.t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		var last State
		if len(l.states) > 0 {
			last = l.states[len(l.states)-1]
		}
		grow := l.grow
		l.mu.Unlock()
		if ok(last) {
			return last
		}
		select {
		case <-grow:
		case <-timeout:
			l.p.t.Fatalf("waited in vain for %s: %+v; %s", what, l.history(), l.p.warnings())
		}
	}
}

func (l *log) opened() State {
	l.p.t.Helper()
	return l.reaches("the log to be open", func(s State) bool { return s.Open })
}

func (l *log) content() string {
	l.p.t.Helper()
	entries, err := os.ReadDir(filepath.Join(l.dir, "main")) // in the order of names
	must(l.p.t, err)
	var b strings.Builder
	for _, e := range entries {
		if e.Name()[0] == '@' || e.Name() == "current" {
			text, err := os.ReadFile(filepath.Join(l.dir, "main", e.Name()))
			must(l.p.t, err)
			b.Write(text)
		}
	}
	return b.String()
}

func (l *log) shows(text string) {
	l.p.t.Helper()
	until(l.p.t, fmt.Sprintf("%q in the log", text), func() bool {
		b, _ := os.ReadFile(filepath.Join(l.dir, "main", "current"))
		return strings.Contains(string(b), text)
	})
}

// drained drains, and wants nothing to be left.
func (l *log) drained() {
	l.p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if left, why, err := l.Drain(ctx); left != 0 || err != nil {
		l.p.t.Errorf("%d bytes are left: %s, %v", left, why, err)
	}
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

func (p *runningPool) signal(s syscall.Signal) int {
	p.t.Helper()
	pid := p.PID()
	if pid == 0 {
		p.t.Fatal("there is no log process")
	}
	must(p.t, syscall.Kill(pid, s))
	if s == syscall.SIGSTOP {
		until(p.t, "a stopped process", func() bool {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err == nil && strings.Contains(string(b), ") T ")
		})
	}
	return pid
}

// alive says whether there is such a process, which is not a zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}
