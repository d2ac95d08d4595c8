//go:build unix

package smtest

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is a running Program with a pipe to its standard output.
type program struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
}

// begin starts a program with an environment and waits until its signal
// handlers are in place.
func begin(t *testing.T, env []string, steps ...Step) *program {
	t.Helper()
	g := newGreeter(t)
	first := 0
	for first < len(steps) && steps[first].arranges() {
		first++
	}
	p := launch(t, env, Program(slices.Insert(steps, first, hello(g.socket))...))
	ctx, cancel := context.WithTimeout(context.Background(), defaultPatience)
	defer cancel()
	g.await(t, ctx, p.cmd.Process.Pid)
	return p
}

func launch(t *testing.T, env []string, argv []string) *program {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append([]string{}, env...) // not nil: that would be ours
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t, cmd, bufio.NewScanner(out)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		p.end()
	})
	return p
}

func (p *program) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) wantLine(want string) {
	p.t.Helper()
	if !p.out.Scan() || p.out.Text() != want {
		p.t.Errorf("line %q (%v), want %q", p.out.Text(), p.out.Err(), want)
	}
}

func (p *program) end() syscall.WaitStatus {
	for p.out.Scan() {
		continue
	}
	_ = p.cmd.Wait() // the status says more
	return p.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func (p *program) wantExit(code int) {
	p.t.Helper()
	if ws := p.end(); !ws.Exited() || ws.ExitStatus() != code {
		p.t.Errorf("ended with %v (status %d), want exit %d", ws, ws.ExitStatus(), code)
	}
}

func TestProgramEnds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps []Step
		sigs  []syscall.Signal
		code  int
	}{
		{"by itself", []Step{Exit(3)}, nil, 3},
		{"on TERM", nil, []syscall.Signal{syscall.SIGTERM}, 0},
		{"on TERM with a code", []Step{On(syscall.SIGTERM, 78)}, []syscall.Signal{syscall.SIGTERM}, 78},
		{"on TERM after a while", []Step{OnAfter(syscall.SIGTERM, time.Millisecond, 5)}, []syscall.Signal{syscall.SIGTERM}, 5},
		{"on another signal", []Step{On(syscall.SIGHUP, 4)}, []syscall.Signal{syscall.SIGHUP}, 4},
		{"when told", []Step{Await(syscall.SIGUSR1), Exit(9)}, []syscall.Signal{syscall.SIGUSR2, syscall.SIGUSR1}, 9},
		{"in spite of TERM", []Step{Ignore(syscall.SIGTERM), On(syscall.SIGUSR1, 6)}, []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1}, 6},
		{"on TERM that it awaits", []Step{Await(syscall.SIGTERM), Exit(7)}, []syscall.Signal{syscall.SIGTERM}, 7},
		{"with 255", []Step{Exit(255)}, nil, 255},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := begin(t, nil, tc.steps...)
			for _, sig := range tc.sigs {
				p.signal(sig)
			}
			p.wantExit(tc.code)
		})
	}
}

func TestProgramPrints(t *testing.T) {
	p := begin(t, nil, Print(2, "a,b=c  d"), Await(syscall.SIGUSR2), Print(1, ""), Exit(0))
	p.wantLine("a,b=c  d 1")
	p.wantLine("a,b=c  d 2")
	p.signal(syscall.SIGUSR2)
	p.wantLine(" 1")
	p.wantExit(0)
}

func TestProgramThatCannot(t *testing.T) {
	for _, tc := range []struct {
		name string
		argv []string
		code int
	}{
		{"bad step", append(Program(), "dance=1"), codeBadScript},
		{"bad number", append(Program(), "exit=soon"), codeBadScript},
		{"no socket", Program(hello("/nonexistent/socket")), codeCannot},
		{"no report directory", Program(WriteReport("/nonexistent")), codeCannot},
		{"no descriptor", Program(AnnounceFD(77)), codeCannot},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.Command(tc.argv[0], tc.argv[1:]...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			_ = cmd.Run() // the code says more
			if got := cmd.ProcessState.ExitCode(); got != tc.code || stderr.Len() == 0 {
				t.Errorf("exit code %d, want %d and a reason; stderr: %q", got, tc.code, stderr.String())
			}
		})
	}
}

func TestProgramReports(t *testing.T) {
	dir := t.TempDir()
	values := append(hostileValues(), undecodable()...)
	var env []string
	for i, v := range values {
		env = append(env, "V"+strconv.Itoa(i)+"="+v)
	}
	p := begin(t, env, WriteReport(dir), Args(values...))
	p.signal(syscall.SIGTERM)
	p.wantExit(0)
	r, err := ReadReport(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Env, env) {
		t.Errorf("environment %q, want %q", r.Env, env)
	}
	if !slices.Equal(r.Args, values) {
		t.Errorf("arguments %q, want %q", r.Args, values)
	}
	if r.Dir != "/" || r.UID != os.Geteuid() || r.GID != os.Getegid() {
		t.Errorf("directory %q, ids %d:%d", r.Dir, r.UID, r.GID)
	}
}

func TestReadReportOfNothing(t *testing.T) {
	if _, err := ReadReport(t.TempDir()); err == nil {
		t.Error("there is a report where none was written")
	}
}

// The notify programs speak through a descriptor as under s6.
func TestProgramsAnnounce(t *testing.T) {
	for _, tc := range []struct {
		name string
		argv []string
		env  []string
	}{
		{"the example of notify", NotifyProgram(), []string{"NOTIFY_FD=3"}},
		{"by notify", Program(Announce()), []string{"NOTIFY_FD=3"}},
		{"by descriptor", Program(AnnounceFD(3)), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			cmd := exec.Command(tc.argv[0], tc.argv[1:]...)
			cmd.Env = append([]string{}, tc.env...)
			cmd.ExtraFiles = []*os.File{w}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if err := r.SetReadDeadline(time.Now().Add(defaultPatience)); err != nil {
				t.Fatal(err)
			}
			said, err := io.ReadAll(r) // ends when the program closes its end
			if err != nil || string(said) != "\n" {
				t.Errorf("said %q, %v; want a newline", said, err)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The binary that is no program goes on to its tests.
func TestMainReturns(t *testing.T) {
	Main()
	if exe := filepath.Base(Program()[0]); !strings.Contains(exe, "test") {
		t.Errorf("the program is %q", exe)
	}
}
