package logcmd

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// The test binary is its own subject: with childVar set it is the logger.
const childVar = "LOGCMD_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(Main(os.Args[1:], os.Stdout))
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

// program is a logger: s6-log or ours.
type program struct {
	name string
	argv []string
	env  []string
}

func ours(t testing.TB) program {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	return program{"ours", []string{exe}, []string{childVar + "=1", "GORACE=atexit_sleep_ms=0"}}
}

func real(t testing.TB) program {
	t.Helper()
	return program{"s6-log", []string{s6test.Tool(t, "s6-log")}, nil}
}

// hasTimeout says whether the program knows -t: s6-log does since 2.12.
func (p program) hasTimeout() bool {
	return p.command("/", "-t", "1", "1").Run() == nil
}

// command is a program to be run in a directory.
func (p program) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(p.argv[0], append(slices.Clone(p.argv[1:]), args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), p.env...)
	return cmd
}

// logger is a running program, ready.
type logger struct {
	t      testing.TB
	cmd    *exec.Cmd
	dir    string // where it works
	exited chan error

	in     *os.File // nil where the test brought its own
	stdout bytes.Buffer
	stderr *lines
}

// start runs a program in a directory of its own, with stdin, or a pipe. It
// returns once the program is ready.
func (p program) start(t testing.TB, dir string, stdin *os.File, args ...string) *logger {
	t.Helper()
	return p.launch(t, dir, stdin, nil, args)
}

// startWithStdout has its standard output go to a file.
func (p program) startWithStdout(t testing.TB, dir string, stdout *os.File, args ...string) *logger {
	t.Helper()
	return p.launch(t, dir, nil, stdout, args)
}

func (p program) launch(t testing.TB, dir string, stdin, stdout *os.File, args []string) *logger {
	t.Helper()
	l := &logger{t: t, dir: dir, exited: make(chan error, 1), stderr: newLines()}
	own := stdin == nil
	if own {
		var err error
		stdin, l.in, err = os.Pipe()
		must(t, err)
	}
	ready, write, err := os.Pipe()
	must(t, err)
	l.cmd = p.command(dir, append([]string{"-d", "3"}, args...)...)
	l.cmd.Stdin, l.cmd.Stdout, l.cmd.Stderr = stdin, &l.stdout, l.stderr
	if stdout != nil {
		l.cmd.Stdout = stdout
	}
	l.cmd.ExtraFiles = []*os.File{write}
	must(t, l.cmd.Start())
	write.Close()
	if own {
		stdin.Close()
	}
	t.Cleanup(func() {
		l.cmd.Process.Kill()
		if l.in != nil {
			l.in.Close()
		}
	})
	go func() { l.exited <- l.cmd.Wait() }()
	ready.SetReadDeadline(time.Now().Add(patience))
	n, err := ready.Read(make([]byte, 1))
	ready.Close()
	if n != 1 {
		t.Fatalf("%s %q did not get ready: %v, %s", p.name, args, err, l.stderr.text())
	}
	return l
}

func (l *logger) write(text string) {
	l.t.Helper()
	_, err := l.in.WriteString(text)
	must(l.t, err)
}

func (l *logger) signal(s syscall.Signal) {
	l.t.Helper()
	must(l.t, l.cmd.Process.Signal(s))
}

// wait returns the exit code.
func (l *logger) wait() int {
	l.t.Helper()
	select {
	case <-l.exited:
		return l.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		l.t.Fatalf("it does not end; %s", l.stderr.text())
	}
	return 0
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

// unread is how many bytes are in a pipe, or -1 if it was closed here.
func unread(f *os.File) int {
	n := -1
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	}
	return n
}

// consumed waits until a program has read what was written into the pipe.
func (l *logger) consumed() {
	l.t.Helper()
	until(l.t, "the pipe to be empty", func() bool { return unread(l.in) <= 0 })
}

// shows waits until a file of the log directory holds text.
func (l *logger) shows(text string) {
	l.t.Helper()
	until(l.t, fmt.Sprintf("%q in the log", text), func() bool {
		b, _ := os.ReadFile(filepath.Join(l.dir, "log", "current"))
		return strings.Contains(string(b), text)
	})
}

// lines collects what a program prints and lets one wait for it.
type lines struct {
	mu   sync.Mutex
	all  []byte
	grow chan struct{} // closed when there is more
}

func newLines() *lines { return &lines{grow: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p...)
	close(l.grow)
	l.grow = make(chan struct{})
	return len(p), nil
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.all)
}

// wants waits for text.
func (l *lines) wants(t testing.TB, text string) {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		found, grow := strings.Contains(string(l.all), text), l.grow
		l.mu.Unlock()
		if found {
			return
		}
		select {
		case <-grow:
		case <-timeout:
			t.Fatalf("no message with %q", text)
		}
	}
}

var stampText = regexp.MustCompile(`@[0-9a-f]{24} |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  `)

func unstamped(text string) string {
	return stampText.ReplaceAllStringFunc(text, func(s string) string {
		return map[bool]string{true: "<label> ", false: "<time>  "}[s[0] == '@']
	})
}

// snapshot describes all files in a directory and below: name, mode, content.
// Archives are numbered in their order.
func snapshot(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	archives := map[string]int{}
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parent, name := filepath.Split(strings.TrimPrefix(path, dir))
		if name[0] == '@' {
			archives[parent]++
			name = fmt.Sprintf("@%d%s", archives[parent], name[25:])
		}
		fmt.Fprintf(&b, "%s%s %v %q\n", parent, name, info.Mode(), unstamped(string(text)))
		return nil
	}))
	return b.String()
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
