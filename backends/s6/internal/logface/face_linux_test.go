package logface

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func TestUpAndReadyForS6(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	l.does("s6-svok")
	l.does("s6-svwait", "-U", "-t", "30000")
	if got, want := l.fields("up,ready,wantedup,paused,pid"), fmt.Sprintf("true true true false %d", tr.pool.PID()); got != want {
		t.Errorf("s6-svstat says %q, want %q", got, want)
	}
	fmt.Fprint(l.service(), "hello\n")
	l.shows("hello\n")
	info, err := os.Stat(filepath.Join(l.dir, "supervise", "input"))
	must(t, err)
	if info.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("the FIFO has mode %v", info.Mode())
	}
}

func TestDownAndUpForS6(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"-d", "-t", "-o"} {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			tr := newTree(t)
			l := tr.logger("web", nil)
			l.does("s6-svwait", "-U", "-t", "30000")
			s := l.service()
			fmt.Fprint(s, "one\n")
			l.does("s6-svc", "-wD", "-T", "30000", c)
			if got := l.fields("up,wantedup,pid,exitcode"); got != "false false -1 0" {
				t.Errorf("after %s s6-svstat says %q", c, got)
			}
			if b, err := os.ReadFile(filepath.Join(l.log, "current")); string(b) != "one\n" || l.Waiting() != 0 {
				t.Errorf("drained: %q, %v; %d bytes left", b, err, l.Waiting())
			}
			fmt.Fprint(s, "two\n")
			l.does("s6-svc", "-wU", "-T", "30000", "-u")
			l.shows("one\ntwo\n")
			if got := l.fields("up,wantedup"); got != "true true" {
				t.Errorf("s6-svstat says %q", got)
			}
		})
	}
}

func TestPauseContinueRotate(t *testing.T) {
	t.Parallel()
	l := newTree(t).logger("web", nil)
	l.does("s6-svwait", "-U", "-t", "30000")
	s := l.service()
	fmt.Fprint(s, "one\n")
	l.shows("one\n")
	l.does("s6-svc", "-p")
	until(t, "paused", func() bool { return l.fields("paused") == "true" })
	l.does("s6-svc", "-a")
	archives := func(n int) func() bool {
		return func() bool { m, _ := filepath.Glob(l.log + "/@*.s"); return len(m) == n }
	}
	until(t, "an archive", archives(1))
	fmt.Fprint(s, "two\n")
	if n := l.Waiting(); n != 4 {
		t.Errorf("%d bytes wait", n)
	}
	l.does("s6-svc", "-c")
	l.shows("two\n")
	until(t, "not paused", func() bool { return l.fields("up,paused") == "true false" })
	// What can be for no process of its own means nothing.
	before := l.fields("pid,updownsince")
	l.does("s6-svc", "-k")
	l.does("s6-svc", "-h")
	l.does("s6-svc", "-a")
	until(t, "another archive", archives(2))
	fmt.Fprint(s, "three\n")
	l.shows("three\n")
	if got := l.fields("pid,updownsince"); got != before {
		t.Errorf("%q, was %q", got, before)
	}
}

// The death of the log process is a death for whoever watches, and so is its
// start.
func TestLogProcessDies(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	a, b := tr.logger("a", nil), tr.logger("b", nil)
	for _, l := range []*logger{a, b} {
		l.does("s6-svwait", "-U", "-t", "30000")
	}
	old := tr.killPool()
	for _, l := range []*logger{a, b} {
		until(t, "another process", func() bool {
			f := strings.Fields(l.fields("up,ready,pid"))
			return f[0] == "true" && f[1] == "true" && f[2] != fmt.Sprint(old)
		})
		if got := l.fields("pid"); got != fmt.Sprint(tr.pool.PID()) {
			t.Errorf("pid %s, the log process is %d", got, tr.pool.PID())
		}
		tally, err := os.ReadFile(filepath.Join(l.dir, "supervise", "death_tally"))
		if must(t, err); len(tally) != 14 || tally[12] != 128+9 || tally[13] != 9 {
			t.Errorf("death tally %x", tally)
		}
		fmt.Fprint(l.service(), "after\n")
		l.shows("after\n")
	}
	if w := tr.warnings(); !strings.Contains(w, "was killed by signal 9; it is started again at once") {
		t.Errorf("warnings: %s", w)
	}
	until(t, "no note", func() bool {
		_, err := os.Stat(filepath.Join(a.dir, "supervise", "note"))
		return errors.Is(err, os.ErrNotExist)
	})
}

// Listeners hear of all of it, in its order. s6-svlisten1 is asked for the death
// only: -R forgets what comes together with that (s6 s6_svlisten_loop.c, gotit).
func TestRestartIsHeard(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	l.does("s6-svwait", "-U", "-t", "30000")
	event, err := fsat.Open(filepath.Join(l.dir, "event"))
	must(t, err)
	defer event.Close()
	sub, err := fifodir.Subscribe(event)
	must(t, err)
	defer sub.Close()
	cmd := exec.Command(s6test.Tool(t, "s6-svlisten1"), "-D", "-t", "30000", l.dir, "kill", "-9", fmt.Sprint(tr.pool.PID()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("s6-svlisten1: %v %s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var got []byte
	for len(got) < 4 {
		events, err := sub.Next(ctx)
		must(t, err)
		got = append(got, events...)
		got = bytes.TrimPrefix(got, []byte("U")) // of the status that s6-svwait has seen
	}
	if string(got) != "dDuU" {
		t.Errorf("events %q", got)
	}
}

func TestBeginsDownWithTheFileDown(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", func(dir string) { must(t, os.WriteFile(filepath.Join(dir, "down"), nil, 0o644)) })
	if got := l.fields("up,wantedup,normallyup"); got != "false false false" {
		t.Errorf("s6-svstat says %q", got)
	}
	fmt.Fprint(l.service(), "early\n")
	l.does("s6-svc", "-wU", "-T", "30000", "-U")
	l.shows("early\n")
	if got := l.fields("up,normallyup"); got != "true true" {
		t.Errorf("s6-svstat says %q", got)
	}
	l.does("s6-svc", "-wD", "-T", "30000", "-D")
	if got := l.fields("up,normallyup"); got != "false false" {
		t.Errorf("s6-svstat says %q", got)
	}
}

// x drains, gives the directory up, and tells the tree; another face, or a real
// supervisor, can take it then.
func TestExitCommand(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	l.does("s6-svwait", "-U", "-t", "30000")
	s := l.service()
	fmt.Fprint(s, "last\n")
	l.does("s6-svc", "-x")
	select {
	case <-l.left:
	case <-time.After(patience):
		t.Fatal("Left is not called")
	}
	l.free()
	if b, _ := os.ReadFile(filepath.Join(l.log, "current")); string(b) != "last\n" {
		t.Errorf("the log holds %q", b)
	}
	if _, err := l.OpenInput(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("OpenInput: %v", err)
	}
	fmt.Fprint(s, "between\n")
	l.open()
	l.shows("last\nbetween\n")
}

// Two faces, or a face and s6-supervise, do not share a directory.
func TestOnlyOneSupervisor(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	dir, err := fsat.Open(l.dir)
	must(t, err)
	if _, err := Open(dir, Config{Name: "web", Pool: tr.pool, Mux: tr.mux, Super: superdir.Config{Group: superdir.NoGroup}}); !errors.Is(err, superdir.ErrRunning) {
		t.Errorf("a second face: %v", err)
	}
	if out, code := l.tool("s6-supervise"); code != 100 {
		t.Errorf("s6-supervise: exit %d %s", code, out)
	}
}

// What is wrong with a log is told where s6's tools cannot: in the note.
func TestProblemIsTold(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", func(dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "directives"), []byte("${NO_SUCH_VARIABLE}/log\n"), 0o644))
	})
	l.does("s6-svwait", "-u", "-t", "30000")
	note := filepath.Join(l.dir, "supervise", "note")
	until(t, "a note", func() bool {
		b, _ := os.ReadFile(note)
		return strings.Contains(string(b), "no variable NO_SUCH_VARIABLE")
	})
	if got := l.fields("up,ready"); got != "true false" {
		t.Errorf("s6-svstat says %q", got)
	}
	s := l.service()
	fmt.Fprint(s, "kept\n")
	left, err := l.Close(context.Background())
	if err != nil || left != 5 {
		t.Errorf("Close: %d bytes left, %v", left, err)
	}
	if w := tr.warnings(); !strings.Contains(w, "5 bytes of the log are not written") || !strings.Contains(w, "NO_SUCH_VARIABLE") {
		t.Errorf("warnings: %s", w)
	}
}

// Close has a deadline: what is left is counted, and the directory is free.
func TestCloseWithADeadline(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	l.does("s6-svwait", "-U", "-t", "30000")
	s := l.service()
	pid := tr.pool.PID()
	must(t, syscall.Kill(pid, syscall.SIGSTOP))
	until(t, "a stopped process", func() bool {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && strings.Contains(string(b), ") T ")
	})
	fmt.Fprint(s, "late\n")
	l.does("s6-svc", "-d") // which is under way then
	until(t, "the command", func() bool { return l.fields("wantedup") == "false" })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	left, err := l.Close(ctx)
	if left != 5 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d bytes left, %v", left, err)
	}
	l.free()
	if w := tr.warnings(); !strings.Contains(w, "web/log: 5 bytes of the log are not written: context deadline exceeded") {
		t.Errorf("warnings: %s", w)
	}
	l.open()
	must(t, syscall.Kill(pid, syscall.SIGCONT))
	l.shows("late\n")
}

// A directory that was renamed, as an unregistration does, is found again by a
// new log process.
func TestRenamedDirectory(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	l.does("s6-svwait", "-U", "-t", "30000")
	s := l.service()
	must(t, os.Rename(filepath.Join(tr.scan, "web"), filepath.Join(tr.scan, ".del")))
	l.dir = filepath.Join(tr.scan, ".del", "log")
	l.log = filepath.Join(l.dir, "main")
	tr.killPool()
	fmt.Fprint(s, "after\n")
	l.shows("after\n")
	left, err := l.Close(context.Background())
	if err != nil || left != 0 {
		t.Errorf("Close: %d, %v", left, err)
	}
}

// Left with its services running, a log is written to the end by the process
// that outlives its tree.
func TestLeave(t *testing.T) {
	t.Parallel()
	tr := newTree(t)
	l := tr.logger("web", nil)
	l.does("s6-svwait", "-U", "-t", "30000")
	s := l.service()
	l.Leave()
	l.free()
	fmt.Fprint(s, "after\n")
	must(t, tr.pool.End(context.Background()))
	if b, _ := os.ReadFile(filepath.Join(l.log, "current")); string(b) != "after\n" {
		t.Errorf("the log holds %q", b)
	}
}
