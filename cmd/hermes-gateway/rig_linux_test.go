package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// runtimeUID is the account that everything must work for.
	runtimeUID = 10000
	// patience bounds everything that happens soon on an idle machine.
	patience = time.Minute
)

// rig is a real s6 tree with a home beside it, in a directory of its own.
type rig struct {
	t         *testing.T
	scan      string
	home      string
	prog      string // the command, and the program that services run
	uid       int    // whom the tree runs as
	as        int    // whom commands run as
	extraEnv  []string
	treeError *bytes.Buffer
}

// newRig starts a tree as uid, or as the caller where that is not root. It
// ends with the test.
func newRig(t *testing.T, uid int) *rig {
	t.Helper()
	svscan, err := exec.LookPath("s6-svscan")
	if err != nil {
		if os.Getenv("CI_REQUIRE_REAL") == "1" {
			t.Fatal("s6-svscan is not installed, and CI_REQUIRE_REAL=1 asks for it")
		}
		t.Skip("s6-svscan is not installed")
	}
	if os.Geteuid() != 0 {
		uid = os.Geteuid()
	}
	dir, err := os.MkdirTemp("", "hermes-gateway-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &rig{t: t, scan: filepath.Join(dir, "scan"), home: filepath.Join(dir, "home"), prog: filepath.Join(dir, "hermes-gateway"),
		uid: uid, as: uid, treeError: &bytes.Buffer{}}
	r.copyProgram()
	for _, d := range []string{r.scan, r.home} {
		must(t, os.Mkdir(d, 0o755))
		must(t, os.Chown(d, uid, uid))
	}
	must(t, os.Chmod(dir, 0o755))
	r.startTree(svscan)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// copyProgram puts the test binary where every user can execute it.
func (r *rig) copyProgram() {
	r.t.Helper()
	self, err := os.ReadFile(os.Args[0])
	must(r.t, err)
	must(r.t, os.WriteFile(r.prog, self, 0o755))
	must(r.t, os.Chmod(r.prog, 0o755))
}

// startTree runs s6-svscan and returns when it says that it is ready.
func (r *rig) startTree(svscan string) {
	r.t.Helper()
	ready, readyEnd, err := os.Pipe()
	must(r.t, err)
	defer ready.Close()
	tree := exec.Command(svscan, "-d", "3", r.scan) // ends with the test, not with a context: it stops its services
	tree.Env = r.env()
	tree.ExtraFiles = []*os.File{readyEnd}
	tree.Stdout, tree.Stderr = r.treeError, r.treeError
	tree.SysProcAttr = r.credential(r.uid)
	tree.SysProcAttr.Setsid = true
	tree.WaitDelay = patience / 10 // a service that is left must not hold the test
	err = tree.Start()
	readyEnd.Close()
	must(r.t, err)
	r.t.Cleanup(func() { r.endTree(tree) })
	must(r.t, ready.SetReadDeadline(time.Now().Add(patience)))
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		r.t.Fatalf("the tree does not come up: %v", err)
	}
}

func (r *rig) endTree(tree *exec.Cmd) {
	tree.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- tree.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		syscall.Kill(-tree.Process.Pid, syscall.SIGKILL)
		<-ended
		r.t.Error("the tree did not end within a minute of SIGTERM")
	}
	if r.t.Failed() && r.treeError.Len() > 0 {
		r.t.Logf("the tree said:\n%s", r.treeError)
	}
}

func (r *rig) credential(uid int) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	if uid != os.Geteuid() {
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	return attr
}

func (r *rig) env() []string {
	return append([]string{
		roleVar + "=1", "GORACE=atexit_sleep_ms=0", "PATH=" + os.Getenv("PATH"), "HOME=/root",
		"HERMES_HOME=" + r.home, "HERMES_SCANDIR=" + r.scan,
		"HERMES_GATEWAY_COMMAND=" + r.prog + " test-service {profile}",
	}, r.extraEnv...)
}

// profile makes a profile in the home.
func (r *rig) profile(name string) {
	r.t.Helper()
	dir := filepath.Join(r.home, "profiles", name)
	must(r.t, os.MkdirAll(dir, 0o755))
	must(r.t, os.WriteFile(filepath.Join(dir, "SOUL.md"), nil, 0o644))
	for _, d := range []string{filepath.Dir(dir), dir} {
		must(r.t, os.Chown(d, r.uid, r.uid))
	}
}

// command is a command line that is ready to run.
func (r *rig) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.prog, args...)
	cmd.Env = r.env()
	cmd.Dir = "/"
	cmd.SysProcAttr = r.credential(r.as)
	cmd.WaitDelay = time.Second
	return cmd
}

type result struct {
	code     int
	out, err string
}

func (r *rig) run(args ...string) result {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	cmd := r.command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatalf("%q: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// want runs a command and checks its exit code and part of what it prints.
func (r *rig) want(code int, text string, args ...string) result {
	r.t.Helper()
	got := r.run(args...)
	if got.code != code || !strings.Contains(got.out+got.err, text) {
		r.t.Fatalf("%q: exit %d, stdout %q, stderr %q; want exit %d and %q", args, got.code, got.out, got.err, code, text)
	}
	return got
}

// row is what the tests look at in a service's row.
type row struct {
	Name, Service, State, Wanted string
	Ready, Enabled               bool
	PID, Restarts                int
	Problem                      *string
	LastExit                     *struct {
		Code   *int
		Signal *string
	} `json:"last_exit"`
}

// status returns the row of one service.
func (r *rig) status(name string) row {
	r.t.Helper()
	got := r.run("status", "--json", name)
	var doc struct{ Services []row }
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil || len(doc.Services) != 1 {
		r.t.Fatalf("status of %s: %v, %q, %q", name, err, got.out, got.err)
	}
	return doc.Services[0]
}

// stream is a command that goes on, read line by line.
type stream struct {
	r     *rig
	cmd   *exec.Cmd
	lines chan string
	err   bytes.Buffer
}

func (r *rig) stream(args ...string) *stream {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{r: r, cmd: r.command(ctx, args...), lines: make(chan string, 1000)}
	out, err := s.cmd.StdoutPipe()
	must(r.t, err)
	s.cmd.Stderr = &s.err
	must(r.t, s.cmd.Start())
	r.t.Cleanup(func() { cancel(); s.cmd.Wait() })
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	return s
}

// until reads lines up to one that match accepts.
func (s *stream) until(what string, match func(string) bool) string {
	s.r.t.Helper()
	late := time.After(patience)
	var seen []string
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				s.r.t.Fatalf("ended before %s; saw %q", what, seen)
			}
			seen = append(seen, line)
			if match(line) {
				return line
			}
		case <-late:
			s.r.t.Fatalf("no %s came; saw %q", what, seen)
		}
	}
}

// interrupt sends INT and returns the exit code.
func (s *stream) interrupt() int {
	s.r.t.Helper()
	must(s.r.t, s.cmd.Process.Signal(os.Interrupt))
	for range s.lines {
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.r.t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode()
}
