package procs_test

import (
	"bytes"
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
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/survivor"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

func TestMain(m *testing.M) { os.Exit(s6test.Main(m)) }

// patience is how long a real process may take to do what it has to.
const patience = 30 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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

// makeService makes a servicedir with these files; run and finish are scripts.
func makeService(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(s6test.Dir(t, os.Geteuid()), "web")
	fill(t, dir, files)
	return dir
}

func fill(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	for name, content := range files {
		if name == "run" || name == "finish" {
			writeProgram(t, filepath.Join(dir, name), "#!/bin/sh\n"+content)
			continue
		}
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
}

// writeProgram makes a file that can be executed, see fsat.Dir.Create.
func writeProgram(t testing.TB, path, content string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	must(t, os.WriteFile(path, []byte(content), 0o755))
}

// base is what the services of a tree share.
type base struct {
	mux    *mux.Mux
	reaper *reaper.Reaper
	host   supervise.Host
}

func newBase(t testing.TB) *base {
	t.Helper()
	b := &base{}
	var err error
	b.mux, err = mux.New()
	must(t, err)
	b.reaper, err = reaper.New()
	must(t, err)
	b.host, err = survivor.ThisHost()
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { b.mux.Run(ctx) })
	wg.Go(func() { b.reaper.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		must(t, b.mux.Close())
		must(t, b.reaper.Close())
	})
	return b
}

// subject is a service that is supervised by all the real parts.
type subject struct {
	t    testing.TB
	dir  string
	base *base
	held *superdir.Dir
	sub  *fifodir.Sub

	procs *procs.Config                         // of the next begin
	store func(supervise.Store) supervise.Store // of the next begin
	watch *mux.Watch                            // of supervise/control
	end   context.CancelFunc                    // of the present run
	done  chan error                            // of the present run
	mu    sync.Mutex                            // guards what follows
	now   *supervise.Service                    // nil: none runs
	said  []string                              // warnings
	seen  string                                // events
}

// supervised begins to supervise a directory.
func supervised(t testing.TB, b *base, dir string, change ...func(*subject)) *subject {
	t.Helper()
	s := &subject{t: t, dir: dir, base: b}
	d, err := fsat.Open(dir)
	must(t, err)
	s.held, err = superdir.Open(d, superdir.Config{Group: superdir.NoGroup, Warn: s.Warn})
	must(t, err)
	t.Cleanup(s.finish)
	s.procs = &procs.Config{
		Reaper: b.reaper, Mux: b.mux, Dir: d, Lock: s.held.LockFD(), Stderr: 2,
		Env: procs.Environ(os.Environ()),
	}
	s.store = func(real supervise.Store) supervise.Store { return real }
	for _, c := range change {
		c(s)
	}
	event, err := d.Sub("event")
	must(t, err)
	s.sub, err = fifodir.Subscribe(event)
	must(t, err)
	listening, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.listen(listening) })
	t.Cleanup(func() { stop(); wg.Wait(); s.sub.Close(); event.Close() })
	s.watch, err = b.mux.Add(s.held.ControlFD(), s.command)
	must(t, err)
	s.begin("")
	until(t, "it does not begin", func() bool { return strings.HasPrefix(s.events(), "s") })
	return s
}

func (s *subject) command(uint32) bool {
	var buf [64]byte
	if n := s.held.ReadControl(buf[:]); n > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.now != nil {
			_ = s.now.Control(buf[:n])
		}
	}
	return true
}

func (s *subject) listen(ctx context.Context) {
	for {
		events, err := s.sub.Next(ctx)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.seen += string(events)
		s.mu.Unlock()
	}
}

// begin runs the service, from what is on disk.
func (s *subject) begin(problem string) {
	service := supervise.New(supervise.Config{
		Name: "web", Host: s.base.host, Files: s.held, Store: s.store(s.held), Log: s, Problem: problem,
		Processes: procs.New(*s.procs),
		Survivors: &survivor.Finder{Dir: s.held, Host: s.base.host, Reaper: s.base.reaper},
	})
	ctx, cancel := context.WithCancel(context.Background())
	s.end, s.done = cancel, make(chan error, 1)
	s.mu.Lock()
	s.now = service
	s.mu.Unlock()
	go func(done chan<- error) { done <- service.Run(ctx) }(s.done)
}

// left waits for the end of the present run.
func (s *subject) left() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		s.mu.Lock()
		s.now = nil
		s.mu.Unlock()
		return err
	case <-time.After(patience):
		s.t.Fatal("the supervisor does not leave")
		return nil
	}
}

// finish ends the supervision and all that is left of the service.
func (s *subject) finish() {
	s.mu.Lock()
	running := s.now != nil
	s.mu.Unlock()
	if running {
		s.end()
		s.left()
	}
	if s.watch != nil {
		s.watch.Remove()
	}
	must(s.t, s.held.Close())
	for _, pid := range s6test.Below(s.dir) {
		unix.Kill(pid, unix.SIGKILL)
	}
	// Those that ran are children of this process, and the reaper reaps them.
	until(s.t, "processes are left", func() bool { return len(s6test.Below(s.dir)) == 0 })
}

// Warn is supervise.Log.
func (s *subject) Warn(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, text)
}

func (s *subject) warnings() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.said, "\n")
}

func (s *subject) events() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *subject) wantEvents(want string) {
	s.t.Helper()
	until(s.t, "events "+want, func() bool { return strings.HasPrefix(s.events(), want) })
	if got := s.events(); got != want {
		s.t.Errorf("events %s, want %s", got, want)
	}
}

// tool runs an s6 program on the directory and returns what it says.
func (s *subject) tool(name string, args ...string) string {
	s.t.Helper()
	out, code := s.try(name, args...)
	if code != 0 {
		s.t.Fatalf("%s %s: exit code %d: %s", name, strings.Join(args, " "), code, out)
	}
	return out
}

func (s *subject) try(name string, args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command(s6test.Tool(s.t, name), append(args, s.dir)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(cmd.Path)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// command sends bytes by s6-svc and waits for what they do.
func (s *subject) svc(args ...string) { s.t.Helper(); s.tool("s6-svc", args...) }

func (s *subject) svwait(want string) {
	s.t.Helper()
	s.tool("s6-svwait", "-t", strconv.Itoa(int(patience.Milliseconds())), want)
}

// stat asks s6-svstat for fields.
func (s *subject) stat(fields string) string { s.t.Helper(); return s.tool("s6-svstat", "-o", fields) }

func (s *subject) pid() int {
	s.t.Helper()
	pid, err := strconv.Atoi(s.stat("pid"))
	must(s.t, err)
	return pid
}

// file waits until a script has written a file whole, and returns its lines.
func (s *subject) file(name string) []string {
	s.t.Helper()
	var b []byte
	until(s.t, "no file "+name, func() bool {
		var err error
		b, err = os.ReadFile(filepath.Join(s.dir, name))
		return err == nil && bytes.HasSuffix(b, []byte("\n"))
	})
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func (s *subject) wantFile(name string, want ...string) {
	s.t.Helper()
	if got := s.file(name); fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("%s holds %q, want %q", name, got, want)
	}
}

// stdio gives a service a file to read and a pipe to write into; what was
// written is returned by the function.
func stdio(t testing.TB, input string) (procs.Stdio, func() string) {
	t.Helper()
	in, err := os.CreateTemp(t.TempDir(), "input")
	must(t, err)
	_, err = in.WriteString(input)
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { in.Close(); r.Close(); w.Close() })
	var given atomic.Int32
	source := func() (int, int, func(), error) {
		given.Add(1)
		_, err := in.Seek(0, io.SeekStart)
		return int(in.Fd()), int(w.Fd()), func() { given.Add(-1) }, err
	}
	return source, func() string {
		t.Helper()
		until(t, "done is not called", func() bool { return given.Load() == 0 })
		r.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 4096)
		n, err := r.Read(buf)
		must(t, err)
		return string(buf[:n])
	}
}
