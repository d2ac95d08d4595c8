package logpool

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// The test binary is its own subject: with childVar set it is the log process.
const childVar = "LOGPOOL_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		if os.Getenv(noTeeVar) != "" {
			if err := forbidTee(); err != nil {
				fmt.Fprintln(os.Stderr, "seccomp:", err)
			}
		}
		os.Exit(Main(os.Args[1:]))
	}
	os.Exit(s6test.Main(m))
}

// patience is far beyond what anything here takes.
const patience = 60 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// process is a running log process.
type process struct {
	t       testing.TB
	cmd     *exec.Cmd
	in      *os.File // commands
	answers *feed
	stderr  *feed
	exited  chan struct{}
}

// start runs a log process; change may be nil.
func start(t testing.TB, change func(*exec.Cmd)) *process {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	in, write, err := os.Pipe()
	must(t, err)
	read, out, err := os.Pipe()
	must(t, err)
	p := &process{t: t, in: write, answers: newFeed(), stderr: newFeed(), exited: make(chan struct{})}
	p.cmd = exec.Command(exe)
	p.cmd.Env = append(os.Environ(), childVar+"=1", "GORACE=atexit_sleep_ms=0")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = in, out, p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if change != nil {
		change(p.cmd)
	}
	must(t, p.cmd.Start())
	in.Close()
	out.Close()
	go func() {
		io.Copy(p.answers, read)
		read.Close()
		p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.in.Close()
		p.ended()
	})
	return p
}

func (p *process) send(verb, id string, args ...string) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, wire.Message{Verb: verb, ID: id, Args: args})
	must(p.t, err)
}

// wants waits for an answer.
func (p *process) wants(verb, id string, args ...string) {
	p.t.Helper()
	p.answers.wants(p.t, wire.Message{Verb: verb, ID: id, Args: args}.String())
}

// add has a log written and waits until that is so.
func (p *process) add(id, dir string) {
	p.t.Helper()
	p.send(wire.Add, id, dir)
	p.wants(wire.Opened, id)
}

func (p *process) kill() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Kill())
	p.ended()
}

// ended waits for the end and returns the exit code.
func (p *process) ended() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("it does not end: %s", p.stderr.text())
	}
	return p.cmd.ProcessState.ExitCode()
}

// finish closes the command pipe and wants a good end.
func (p *process) finish() {
	p.t.Helper()
	must(p.t, p.in.Close())
	if code := p.ended(); code != 0 {
		p.t.Fatalf("exit %d: %s", code, p.stderr.text())
	}
}

// feed collects lines and lets one wait for them.
type feed struct {
	mu   sync.Mutex
	all  []byte
	grow chan struct{} // closed when there is more
}

func newFeed() *feed { return &feed{grow: make(chan struct{})} }

func (f *feed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, p...)
	close(f.grow)
	f.grow = make(chan struct{})
	return len(p), nil
}

func (f *feed) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.all)
}

// wants waits for text.
func (f *feed) wants(t testing.TB, text string) { t.Helper(); f.wantsTimes(t, text, 1) }

// wantsTimes waits until text has come so often.
func (f *feed) wantsTimes(t testing.TB, text string, times int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		found, grow := strings.Count(string(f.all), text) >= times, f.grow
		f.mu.Unlock()
		if found {
			return
		}
		select {
		case <-grow:
		case <-timeout:
			t.Fatalf("waited in vain for %q in %q", text, f.text())
		}
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

// logDir makes the log directory of a service, as a tree would.
func logDir(t testing.TB, dir string, directives ...string) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(dir, "supervise"), 0o700))
	must(t, unix.Mkfifo(filepath.Join(dir, InputFile), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, DirectivesFile), []byte(strings.Join(directives, "\n")+"\n"), 0o600))
	return dir
}

// service opens the FIFO as a service has it.
func service(t testing.TB, dir string) *os.File {
	t.Helper()
	fd, err := unix.Open(filepath.Join(dir, InputFile), unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	f := os.NewFile(uintptr(fd), "input") // blocking
	t.Cleanup(func() { f.Close() })
	return f
}

// unread is how many bytes are in the FIFO.
func unread(t testing.TB, f *os.File) int {
	t.Helper()
	n := -1
	c, err := f.SyscallConn()
	must(t, err)
	must(t, c.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }))
	must(t, err)
	return n
}

// content is what is in a log directory, in its order.
func content(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir) // in the order of names
	must(t, err)
	var b strings.Builder
	for _, e := range entries {
		if e.Name()[0] == '@' || e.Name() == "current" {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			must(t, err)
			b.Write(text)
		}
	}
	return b.String()
}

// shows waits until a log directory holds text.
func shows(t testing.TB, dir, text string) {
	t.Helper()
	until(t, fmt.Sprintf("%q in the log", text), func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, "current"))
		return strings.Contains(string(b), text)
	})
}

// pss is the proportional and the private memory of a process in bytes.
func pss(t testing.TB, pid int) (shared, private int) {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		s6test.Missing(t, err.Error())
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kb int
		if n, _ := fmt.Sscanf(lines.Text(), "Pss: %d kB", &kb); n == 1 {
			shared = kb << 10
		}
		if n, _ := fmt.Sscanf(lines.Text(), "Private_Dirty: %d kB", &kb); n == 1 {
			private = kb << 10
		}
	}
	return shared, private
}
