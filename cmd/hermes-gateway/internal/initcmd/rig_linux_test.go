package initcmd

import (
	"bufio"
	"bytes"
	"errors"
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

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

const soon = 30 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// box is an init in a pid namespace of its own, as in a container.
type box struct {
	t      testing.TB
	cmd    *exec.Cmd
	lines  *bufio.Reader // of its standard output
	stderr heard
	ended  chan struct{}
}

// heard is what it says, also while it says it.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func (h *heard) Len() int { return len(h.String()) }

// awaitWords waits until it has said something.
func (b *box) awaitWords(words string) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(soon); !strings.Contains(b.stderr.String(), words); <-tick.C {
		if time.Now().After(end) {
			b.t.Fatalf("it says %q, want %q", b.stderr.String(), words)
		}
	}
}

// setting is how a box differs.
type setting struct {
	how     string     // see asFirstProcess
	outside bool       // in the namespace of the test: not PID 1
	env     []string   // nil: the test's
	dir     string     // nil: the test's
	extra   []*os.File // descriptors from 3 on
	tty     *os.File   // descriptors 0 to 2, and controlling terminal
	through []string   // what executes the init
	program []string   // nil: this program as init
	stdout  *os.File
}

// start runs an init with these words after init.
func start(t testing.TB, s setting, words ...string) *box {
	t.Helper()
	if s.program == nil {
		s.program = []string{s6test.Binary(t), "init"}
	}
	argv := append(append([]string{}, s.program...), words...)
	argv = append(append([]string{}, s.through...), argv...)
	attr := &syscall.SysProcAttr{Setpgid: true}
	if !s.outside {
		self, err := os.Executable()
		must(t, err)
		if s.how == "" {
			s.how = "with-proc"
		}
		argv = append([]string{self, "as-first-process", s.how}, argv...)
		attr.Cloneflags = unix.CLONE_NEWPID | unix.CLONE_NEWNS
		attr.Pdeathsig = syscall.SIGKILL
		if uid := os.Geteuid(); uid != 0 {
			attr.Cloneflags |= unix.CLONE_NEWUSER
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
			attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
		}
	}
	b := &box{t: t, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	b.cmd.SysProcAttr, b.cmd.Env, b.cmd.Dir, b.cmd.ExtraFiles = attr, s.env, s.dir, s.extra
	b.cmd.WaitDelay = soon
	b.cmd.Stderr = &b.stderr
	var out *io.PipeReader
	switch {
	case s.tty != nil:
		b.cmd.Stdin, b.cmd.Stdout, b.cmd.Stderr = s.tty, s.tty, s.tty
		attr.Setpgid, attr.Setsid, attr.Setctty, attr.Ctty = false, true, true, 0
	case s.stdout != nil:
		b.cmd.Stdout = s.stdout
	default:
		var w *io.PipeWriter
		out, w = io.Pipe()
		b.cmd.Stdout = w
		b.lines = bufio.NewReader(out)
		go func() { <-b.ended; w.Close() }()
	}
	must(t, b.cmd.Start())
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		if out != nil {
			out.Close()
		}
		<-b.ended
	})
	return b
}

// wait returns what the init printed since, and its exit code; as a shell has
// it, where a signal ended it.
func (b *box) wait() (string, int) {
	b.t.Helper()
	var text []byte
	read := make(chan struct{})
	go func() {
		defer close(read)
		if b.lines != nil {
			text, _ = io.ReadAll(b.lines)
		}
	}()
	select {
	case <-b.ended:
	case <-time.After(soon):
		b.t.Fatalf("it has not ended within %v; it says %q", soon, b.stderr.String())
	}
	<-read
	status := b.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return string(text), 1000 + int(status.Signal())
	}
	return string(text), status.ExitStatus()
}

// line is the next line it prints.
func (b *box) line() string {
	b.t.Helper()
	got := make(chan string, 1)
	go func() {
		text, err := b.lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			text += err.Error()
		}
		got <- strings.TrimSuffix(text, "\n")
	}()
	select {
	case text := <-got:
		return text
	case <-time.After(soon):
		b.t.Fatalf("it prints nothing; it says %q", b.stderr.String())
		return ""
	}
}

func (b *box) want(lines ...string) {
	b.t.Helper()
	for _, want := range lines {
		if got := b.line(); got != want {
			b.t.Fatalf("it printed %q, want %q; it says %q", got, want, b.stderr.String())
		}
	}
}

func (b *box) signal(sig syscall.Signal) {
	b.t.Helper()
	must(b.t, b.cmd.Process.Signal(sig))
}

// run runs an init to its end and wants it to say nothing.
func run(t testing.TB, s setting, words ...string) (string, int) {
	t.Helper()
	b := start(t, s, words...)
	out, code := b.wait()
	if b.stderr.Len() > 0 {
		t.Errorf("%q says %q", words, b.stderr.String())
	}
	return out, code
}

func sh(script string) []string { return []string{"--", "sh", "-c", script} }

// write makes an executable file. No child of the test may have it open.
func write(t testing.TB, path, text string) string {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o755))
	return path
}
