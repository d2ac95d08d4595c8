//go:build unix

package notify

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen; it is no pace.
const patience = time.Minute

// service is a running copy of the test binary.
type service struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *bufio.Scanner
	stderr bytes.Buffer // read it after wait only
	end    func() error // closes the service's standard input
}

// start runs a role with extra variables; files become descriptors 3 and up
// and are closed here.
func start(t *testing.T, role string, env []string, files ...*os.File) *service {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	s := &service{t: t, cmd: exec.CommandContext(ctx, exe)}
	s.cmd.Env = append(cleanEnvironment(), append(env, roleVariable+"="+role,
		"GORACE=atexit_sleep_ms=0")...) // the race detector else waits a second at each exit
	s.cmd.ExtraFiles = files
	s.cmd.Stderr = &s.stderr
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.end = stdin.Close
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewScanner(stdout)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	for _, f := range files {
		_ = f.Close()
	}
	return s
}

// cleanEnvironment is ours without what a supervisor of the tests has set.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{
			"NOTIFY_FD", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
			"INVOCATION_ID", "SYSTEMD_EXEC_PID", "XPC_SERVICE_NAME",
		}, name)
	})
}

// line returns the next line of output.
func (s *service) line() string {
	s.t.Helper()
	if !s.out.Scan() {
		s.t.Fatalf("output ended early: %v; stderr: %s", s.out.Err(), s.stderr.String())
	}
	return s.out.Text()
}

func (s *service) want(lines ...string) {
	s.t.Helper()
	for _, want := range lines {
		if got := s.line(); got != want {
			s.t.Fatalf("service says %q, want %q", got, want)
		}
	}
}

func (s *service) signal(sigs ...syscall.Signal) {
	s.t.Helper()
	for _, sig := range sigs {
		if err := s.cmd.Process.Signal(sig); err != nil {
			s.t.Fatal(err)
		}
	}
}

// wait returns how the service ended and what it printed on standard error.
func (s *service) wait() (syscall.WaitStatus, string) {
	s.t.Helper()
	for s.out.Scan() { // Wait may close the pipe only when it is empty
		s.t.Logf("service: %s", s.out.Text())
	}
	_ = s.cmd.Wait() // the status says more than the error
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus), s.stderr.String()
}

func (s *service) wantExit(code int) (stderr string) {
	s.t.Helper()
	ws, stderr := s.wait()
	if !ws.Exited() || ws.ExitStatus() != code {
		s.t.Fatalf("ended with %v (exited %v, status %d), want exit %d; stderr: %s", ws, ws.Exited(), ws.ExitStatus(), code, stderr)
	}
	return stderr
}
