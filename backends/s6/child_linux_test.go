package s6

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// This file re-executes the test binary as a process of its own: as another
// user, with another environment, to be killed, or to hold a lock (a process
// does not see its own). TestChild is that process; it does nothing in a
// normal run.

const childVar = "S6_TEST_CHILD"

// call is what a child process is to do and where.
type call struct {
	Op      string // a verb, or "hold LOCK"
	ScanDir string
	Name    string
	Spec    sm.Spec
	NoWait  bool
	Within  time.Duration // StopWithin
	Signal  int
	Until   sm.Condition
	Timeout time.Duration
}

// answer is one result of a call; Watch gives several.
type answer struct {
	Status  sm.Status
	Names   []string
	PID     int
	Err     string
	Remedy  string
	Classes []string // names in errorClasses that the error matches
}

func (a answer) is(class string) bool { return slices.Contains(a.Classes, class) }

var errorClasses = map[string]error{
	"permission": sm.ErrPermission, "not supervised": sm.ErrNotSupervised, "not registered": sm.ErrNotRegistered,
	"not running": sm.ErrNotRunning, "deadline": context.DeadlineExceeded, "failed": sm.ErrFailed,
	"not supported": sm.ErrNotSupported, "not a FIFO": control.ErrNotFIFO,
}

func answerOf(err error) (a answer) {
	if err == nil {
		return a
	}
	a.Err, a.Remedy = err.Error(), sm.RemedyOf(err)
	for name, class := range errorClasses {
		if errors.Is(err, class) {
			a.Classes = append(a.Classes, name)
		}
	}
	return a
}

// child is a running call.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *json.Decoder
}

// childOption changes the process before it starts.
type childOption func(*exec.Cmd)

// asUser runs the child as a user, with more groups.
func asUser(uid int, groups ...uint32) childOption {
	return func(cmd *exec.Cmd) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), Groups: groups}
	}
}

func withEnv(env ...string) childOption {
	return func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, env...) }
}

// begin starts a call; the end of the test ends it.
func begin(t testing.TB, c call, opts ...childOption) *child {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = patience
	}
	text, err := json.Marshal(c)
	must(t, err)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestChild$", "-test.timeout=2m")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childVar+"="+string(text), "S6TEST_AS_USER=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	for _, o := range opts {
		o(cmd)
	}
	answers, theirs, err := os.Pipe()
	must(t, err)
	cmd.ExtraFiles = []*os.File{theirs}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	theirs.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		answers.Close()
	})
	must(t, answers.SetReadDeadline(time.Now().Add(patience)))
	return &child{t: t, cmd: cmd, stdin: stdin, out: json.NewDecoder(bufio.NewReader(answers))}
}

// next waits for the next answer.
func (c *child) next() answer {
	c.t.Helper()
	var a answer
	if err := c.out.Decode(&a); err != nil {
		c.t.Fatalf("the child process gave no answer: %v", err)
	}
	return a
}

// kill ends the child as it is.
func (c *child) kill() {
	c.t.Helper()
	must(c.t, c.cmd.Process.Kill())
	c.cmd.Wait()
}

// callAs makes one call in a child process.
func callAs(t testing.TB, c call, opts ...childOption) answer {
	t.Helper()
	return begin(t, c, opts...).next()
}

func TestChild(t *testing.T) {
	text := os.Getenv(childVar)
	if text == "" {
		return // a normal run
	}
	var c call
	must(t, json.Unmarshal([]byte(text), &c))
	out := json.NewEncoder(os.NewFile(3, "answers"))
	say := func(a answer) {
		if err := out.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	if c.Op == "hold" {
		hold(t, c.Name, say)
		return
	}
	m, err := Backend().Open(ctx, sm.Options{ScanDir: c.ScanDir})
	if err != nil {
		say(answerOf(err))
		return
	}
	defer m.Close()
	c.make(ctx, m.(*manager), say)
}

// make makes the call.
func (c call) make(ctx context.Context, m *manager, say func(answer)) {
	var opts []sm.ActOption
	if c.NoWait {
		opts = append(opts, sm.NoWait())
	}
	opts = append(opts, sm.StopWithin(c.Within))
	answer := func(st sm.Status, err error) {
		a := answerOf(err)
		a.Status = st
		say(a)
	}
	switch c.Op {
	case "start":
		say(answerOf(m.Start(ctx, c.Name, opts...)))
	case "stop":
		say(answerOf(m.Stop(ctx, c.Name, opts...)))
	case "restart":
		say(answerOf(m.Restart(ctx, c.Name, opts...)))
	case "signal":
		say(answerOf(m.Signal(ctx, c.Name, syscall.Signal(c.Signal))))
	case "register":
		say(answerOf(m.Register(ctx, c.Spec)))
	case "unregister":
		say(answerOf(m.Unregister(ctx, c.Name)))
	case "status":
		answer(m.Status(ctx, c.Name))
	case "wait":
		answer(m.Wait(ctx, c.Name, c.Until))
	case "logs":
		logs, err := m.Logs(ctx, c.Name, sm.LogOptions{})
		if err == nil {
			logs.Close()
		}
		say(answerOf(err))
	case "list":
		names, err := m.List(ctx)
		a := answerOf(err)
		a.Names = names
		say(a)
	case "watch":
		for st, err := range m.Watch(ctx, c.Name) {
			answer(st, err)
		}
	case "all":
		for st, err := range m.StatusAll(ctx) {
			answer(st, err)
		}
	default:
		say(answerOf(fmt.Errorf("unknown call %q", c.Op)))
	}
}

// hold takes the lock at path as a supervisor does, starts a process that lives
// as long, says its number, and keeps all that until its input ends.
func hold(t *testing.T, path string, say func(answer)) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	must(t, err)
	must(t, unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}))
	service := exec.Command("/bin/cat")
	stdin, err := service.StdinPipe()
	must(t, err)
	must(t, service.Start())
	say(answer{PID: service.Process.Pid})
	_, err = io.Copy(io.Discard, os.Stdin)
	must(t, err)
	must(t, stdin.Close())
	must(t, service.Wait())
}
