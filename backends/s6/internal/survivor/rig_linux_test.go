package survivor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/survivor"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// The supervisor that is killed is this binary again.
const (
	dirVar  = "SURVIVOR_TEST_DIR"
	dieVar  = "SURVIVOR_TEST_DIE" // where it kills itself
	logsVar = "SURVIVOR_TEST_LOGS"
	// blindVar is for a process that looks from a pid namespace of its own.
	blindVar = "SURVIVOR_TEST_BLIND"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirVar); dir != "" {
		if err := superviseForEver(dir); err != nil {
			fmt.Println(err)
		}
		os.Exit(1)
	}
	if dir := os.Getenv(blindVar); dir != "" {
		if err := lookBlindly(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(s6test.Main(m))
}

// lookBlindly prints what is said where /proc shows the processes of others.
func lookBlindly(dir string) error {
	host, err := survivor.ThisHost()
	if err != nil {
		return err
	}
	held, err := hold(dir)
	if err != nil {
		return err
	}
	r, err := reaper.New()
	if err != nil {
		return err
	}
	f := &survivor.Finder{Dir: held, Host: host, Reaper: r}
	for _, in := range []supervise.Instance{
		{Stage: supervise.StageRun, PID: 1, Ticks: 5, Host: host},
		{Stage: supervise.StageStarting, Host: host},
	} {
		if err := held.WriteInstance(in); err != nil {
			return err
		}
		found, err := f.Find(context.Background())
		if found != nil {
			return errors.New("something was found")
		}
		fmt.Println(err)
	}
	return nil
}

// patience is how long a real process may take to do what it has to.
const patience = 30 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// superviseForEver is the supervisor that is killed. It says what it shows.
func superviseForEver(dir string) error {
	held, err := holdWhenFree(dir)
	if err != nil {
		return err
	}
	m, err := mux.New()
	if err != nil {
		return err
	}
	r, err := reaper.New()
	if err != nil {
		return err
	}
	go m.Run(context.Background())
	go r.Run(context.Background())
	host, err := survivor.ThisHost()
	if err != nil {
		return err
	}
	var env []string
	for _, v := range procs.Environ(os.Environ()) {
		if !strings.HasPrefix(v, "SURVIVOR_TEST_") {
			env = append(env, v)
		}
	}
	cfg := procs.Config{Reaper: r, Mux: m, Dir: held.Dir(), Lock: held.LockFD(), Stderr: 2, Env: env}
	if os.Getenv(logsVar) != "" {
		cfg.Stdio = func() (int, int, func(), error) {
			fd, err := held.Dir().OpenFD("log/supervise/input", unix.O_RDWR, 0)
			return 0, fd, func() { unix.Close(fd) }, err
		}
	}
	service := supervise.New(supervise.Config{
		Name: "web", Host: host, Files: held, Log: speaker{},
		Processes: starter{procs.New(cfg)},
		Store:     teller{held},
		Survivors: &survivor.Finder{Dir: held, Host: host, Reaper: r},
	})
	_, err = m.Add(held.ControlFD(), func(uint32) bool {
		var buf [64]byte
		_ = service.Control(buf[:held.ReadControl(buf[:])])
		return true
	})
	if err != nil {
		return err
	}
	return service.Run(context.Background())
}

func hold(dir string) (*superdir.Dir, error) {
	d, err := fsat.Open(dir)
	if err != nil {
		return nil, err
	}
	return superdir.Open(d, superdir.Config{Group: superdir.NoGroup})
}

// holdWhenFree waits for a process that the one before was making: it has the lock
// until it is executed or dies, of which nobody is told.
func holdWhenFree(dir string) (*superdir.Dir, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		held, err := hold(dir)
		if !errors.Is(err, superdir.ErrRunning) || time.Now().After(end) {
			return held, err
		}
	}
}

type speaker struct{}

func (speaker) Warn(text string) { fmt.Println("warning", text) }

// teller is the store of the supervisor that is killed: it says what is
// published, and dies where it was told to.
type teller struct{ *superdir.Dir }

func (s teller) WriteInstance(in supervise.Instance) error {
	stage := strings.Fields(in.String())[1]
	dieAt("before " + stage)
	err := s.Dir.WriteInstance(in)
	dieAt("after " + stage)
	return err
}

func (s teller) WriteStatus(st supervise.Status) error {
	err := s.Dir.WriteStatus(st)
	switch {
	case st.Finishing:
		fmt.Println("finishing", st.PID)
	case st.PID != 0 && st.Ready:
		fmt.Println("ready", st.PID)
	case st.PID != 0:
		fmt.Println("up", st.PID)
	default:
		fmt.Println("down", 0)
	}
	return err
}

// starter can die when a process was made.
type starter struct{ *procs.Procs }

func (s starter) Start(spec supervise.StartSpec) (supervise.Child, error) {
	dieAt("fork " + spec.Path)
	c, err := s.Procs.Start(spec)
	if err == nil {
		// The parent of the test reads it before it hears of the death.
		if os.Getenv(dieVar) == "forked "+spec.Path {
			fmt.Println("forked", c.PID())
		}
		dieAt("forked " + spec.Path)
	}
	return c, err
}

func dieAt(where string) {
	if os.Getenv(dieVar) == where {
		// Whoever it was told to die by waits for the script to have come as
		// far as it is to come.
		if strings.HasPrefix(where, "forked") {
			io.ReadFull(os.Stdin, make([]byte, 1))
		}
		unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	}
}

// supervisor is a child of the test that supervises.
type supervisor struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   *bufio.Reader
	in    io.WriteCloser
	alive bool
}

func start(t testing.TB, dir string, vars ...string) *supervisor {
	t.Helper()
	s := &supervisor{t: t, cmd: exec.Command("/proc/self/exe"), alive: true}
	s.cmd.Env = append(os.Environ(), dirVar+"="+dir)
	s.cmd.Env = append(s.cmd.Env, vars...)
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
	out, err := s.cmd.StdoutPipe()
	must(t, err)
	s.out = bufio.NewReader(out)
	s.in, err = s.cmd.StdinPipe()
	must(t, err)
	must(t, s.cmd.Start())
	t.Cleanup(s.kill)
	return s
}

// kill ends it as nothing else can.
func (s *supervisor) kill() {
	if s.alive {
		s.cmd.Process.Kill()
		s.wait()
	}
}

// wait waits for its end.
func (s *supervisor) wait() {
	s.alive = false
	_, _ = io.Copy(io.Discard, s.out)
	_ = s.cmd.Wait()
	s.in.Close()
}

// says waits until it shows one of these states, and returns it and the pid.
func (s *supervisor) says(states ...string) (state string, pid int) {
	s.t.Helper()
	timer := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("the supervisor does not come to say any of %q: %v", states, err)
		}
		state, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, want := range states {
			if state == want {
				pid, _ := strconv.Atoi(rest)
				return state, pid
			}
		}
		if state == "warning" {
			s.t.Log(line)
		}
	}
}

// makeService makes a servicedir whose scripts keep a lock while they live, so
// that a second instance would notice: it leaves a file double.
func makeService(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(s6test.Dir(t, os.Geteuid()), "web")
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "alone"), nil, 0o644))
	fill(t, dir, files)
	t.Cleanup(func() { endAll(t, dir) })
	return dir
}

func fill(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		mode := os.FileMode(0o644)
		if name == "run" || name == "finish" {
			content, mode = "#!/bin/sh\n"+content, 0o755
		}
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		syscall.ForkLock.RLock() // see fsat.Dir.Create
		err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode)
		syscall.ForkLock.RUnlock()
		must(t, err)
	}
}

// takeLock makes a script the only one, or tells that it is not.
const takeLock = "exec 9<alone\nflock -n 9 || { echo $$ >>double; exit 1; }\n"

// endAll kills what a test has left.
func endAll(t testing.TB, dir string) {
	t.Helper()
	until(t, "processes are left", func() bool {
		left := s6test.Below(dir)
		for _, pid := range left {
			unix.Kill(pid, unix.SIGKILL)
		}
		return len(left) == 0
	})
}

// until waits for a condition on the outside world.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited in vain: " + what)
		}
	}
}

// alive says whether there is a process that is no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

func wantAlone(t testing.TB, dir string) {
	t.Helper()
	if b, err := os.ReadFile(filepath.Join(dir, "double")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("two instances were alive at a time: %q, %v", b, err)
	}
}

// finder is a Finder within the test, on a directory that nobody supervises.
func finder(t testing.TB, dir string) *survivor.Finder {
	t.Helper()
	held, err := hold(dir)
	must(t, err)
	r, err := reaper.New()
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		r.Close()
		held.Close()
	})
	host, err := survivor.ThisHost()
	must(t, err)
	return &survivor.Finder{Dir: held, Host: host, Reaper: r}
}
