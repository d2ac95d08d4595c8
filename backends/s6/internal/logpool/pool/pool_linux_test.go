package pool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStartedWithTheFirstLog(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	if pid := p.PID(); pid != 0 {
		t.Errorf("process %d runs before there is a log", pid)
	}
	l := p.log("web")
	if s := l.opened(); s.PID != p.PID() || s.PID == 0 {
		t.Errorf("%+v, the process is %d", s, p.PID())
	}
	if sid, err := unix.Getsid(p.PID()); err != nil || sid != p.PID() {
		t.Errorf("its session is %d: %v", sid, err)
	}
	fmt.Fprint(l.service, "a\n")
	l.shows("a\n")
	l.Rotate()
	until(t, "an archive", func() bool { m, _ := filepath.Glob(l.dir + "/main/@*.s"); return len(m) == 1 })
	l.drained()
	if _, _, err := l.Drain(t.Context()); err != nil {
		t.Errorf("a second drain: %v", err)
	}
}

// Lines for standard output come there, whole.
func TestLinesForStandardOutput(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	p := run(t, func(c *Config) { c.Stdout = int(w.Fd()) })
	l := p.log("web")
	l.opened()
	l.drained()
	must(t, os.WriteFile(filepath.Join(l.dir, "directives"), []byte("1\n./main\n"), 0o600))
	l.add()
	fmt.Fprint(l.service, "a\n")
	if line, err := bufio.NewReader(r).ReadString('\n'); line != "a\n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}

// What is told about a process that dies: its start, that it reads, its end and
// how that came, and the same of the next.
func TestHistory(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	l := p.log("web")
	l.opened()
	old := p.signal(syscall.SIGKILL)
	s := l.reaches("another process", func(s State) bool { return s.Open && s.PID != old })
	h := l.history()
	if len(h) != 5 {
		t.Fatalf("%+v", h)
	}
	want := []State{{PID: old}, {PID: old, Open: true}, {Exit: h[2].Exit, Ended: true}, {PID: s.PID, Exit: h[2].Exit, Ended: true}, {PID: s.PID, Open: true}}
	for i := range want {
		if h[i] != want[i] {
			t.Errorf("state %d is %+v, want %+v", i, h[i], want[i])
		}
	}
	if e := h[2].Exit; e.Unknown || e.Status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %+v", e)
	}
	if w, want := p.warnings(), fmt.Sprintf("the log process (process %d) was killed by signal 9; it is started again at once", old); !strings.Contains(w, want) {
		t.Errorf("%q, want %q", w, want)
	}
}

// Somebody ends the process in order: the next one goes on.
func TestSomebodyEndsTheProcess(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	l := p.log("web")
	l.opened()
	old := p.signal(syscall.SIGTERM)
	l.reaches("another process", func(s State) bool { return s.Open && s.PID != old })
	fmt.Fprint(l.service, "a\n")
	l.shows("a\n")
	if w := p.warnings(); !strings.Contains(w, "exited with code 0") {
		t.Error(w)
	}
}

// A pause outlives the process; a drain too, and ends it.
func TestPauseOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	l, other := p.log("web"), p.log("other")
	l.opened()
	l.Pause()
	old := p.signal(syscall.SIGKILL)
	l.reaches("another process", func(s State) bool { return s.Open && s.PID != old })
	fmt.Fprint(l.service, "kept\n")
	fmt.Fprint(other.service, "other\n")
	other.shows("other\n")
	if n, err := unix.IoctlGetInt(int(l.service.Fd()), unix.TIOCINQ); n != 5 || err != nil {
		t.Errorf("%d bytes wait, %v", n, err)
	}
	old = p.signal(syscall.SIGKILL)
	l.Continue()
	l.shows("kept\n")
	p.signal(syscall.SIGKILL)
	l.drained()
}

// A drain ends with its context. The log can be added again, though the process
// has not let go of it yet, and nothing is lost.
func TestDrainWithADeadline(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	l := p.log("web")
	l.opened()
	pid := p.signal(syscall.SIGSTOP)
	fmt.Fprint(l.service, "late\n")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := l.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain of a stopped process: %v", err)
	}
	l.states = nil
	l.add()
	must(t, syscall.Kill(pid, syscall.SIGCONT))
	l.opened()
	l.drained()
	if got := l.content(); got != "late\n" || p.PID() != pid {
		t.Errorf("%q by process %d, was %d", got, p.PID(), pid)
	}
}

// End has everything written; End of a process that does not answer kills it.
func TestEnd(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	l := p.log("web")
	l.opened()
	pid := p.PID()
	fmt.Fprint(l.service, "last")
	must(t, p.End(t.Context()))
	if err := <-p.over; err != nil || alive(pid) || p.PID() != 0 {
		t.Errorf("Run: %v, process %d, alive %v", err, p.PID(), alive(pid))
	}
	if got := l.content(); got != "last" {
		t.Errorf("%q", got)
	}
	l.drained() // it was
	l.add()
	if _, _, err := l.Drain(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("a drain afterwards: %v", err)
	}

	p = run(t, nil)
	p.log("web").opened()
	pid = p.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := p.End(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("End of a stopped process: %v", err)
	}
	<-p.over
	if alive(pid) {
		t.Error("it lives")
	}

	p = run(t, nil)
	must(t, p.End(t.Context()))
}

// The tree goes without a word: the process writes what there is and goes too.
func TestTreeGoes(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	var logs []*log
	for i := range 10 {
		logs = append(logs, p.log(fmt.Sprint(i)))
	}
	for _, l := range logs {
		l.opened()
		l.Pause()
	}
	pid := p.PID()
	for i, l := range logs {
		fmt.Fprintf(l.service, "%d\n", i)
	}
	p.stop()
	if err := <-p.over; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	until(t, "the end of the process", func() bool { return !alive(pid) })
	for i, l := range logs {
		if got := l.content(); got != fmt.Sprintf("%d\n", i) {
			t.Errorf("%d: %q", i, got)
		}
	}
}

// What cannot be started is tried again, with warnings, until it can be.
func TestCannotBeStarted(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "program")
	exe, err := os.Executable()
	must(t, err)
	p := run(t, func(c *Config) { c.Command = []string{program} })
	l := p.log("web")
	until(t, "warnings", func() bool { return strings.Count(p.warnings(), "\n") >= 3 })
	w := p.warnings()
	for _, want := range []string{"the log process cannot be started: ", "no such file or directory; it is started again at once", "again in 1ms", "again in 2ms"} {
		if !strings.Contains(w, want) {
			t.Errorf("no %q in %s", want, w)
		}
	}
	must(t, os.Symlink("/bin/false", program))
	until(t, "its end", func() bool { return strings.Contains(p.warnings(), "exited with code 1; it is started again in 4ms") })
	must(t, os.Symlink(exe, program+"~"))
	must(t, os.Rename(program+"~", program))
	l.opened()
}

func TestRetryTimes(t *testing.T) {
	r := defaultRetry()
	var waits []string
	wait := r.next(0, false, 0)
	for range 11 {
		waits = append(waits, wait.String())
		wait = r.next(wait, true, time.Second)
	}
	if got, want := strings.Join(waits, " "), "0s 100ms 200ms 400ms 800ms 1.6s 3.2s 6.4s 12.8s 25.6s 30s"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if w := r.next(30*time.Second, true, 10*time.Second); w != 0 {
		t.Errorf("after a long life it waits %v", w)
	}
}

// Killed again and again under its services, with all that comes with it: nothing
// is lost.
func TestKilledUnderItsServices(t *testing.T) {
	t.Parallel()
	p := run(t, nil)
	const services, lines = 10, 3000
	var logs []*log
	var running sync.WaitGroup
	for i := range services {
		l := p.log(fmt.Sprint(i))
		logs = append(logs, l)
		running.Go(func() {
			for n := range lines {
				fmt.Fprintf(l.service, "service %d line %06d\n", i, n)
				if n%100 == 0 {
					<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond)
				}
			}
		})
	}
	kills := 0
	for done := false; !done; {
		for _, l := range logs {
			l.opened()
		}
		select {
		case <-time.After(time.Duration(rand.IntN(10000)) * time.Microsecond):
		case <-t.Context().Done():
		}
		if pid := p.PID(); pid != 0 {
			syscall.Kill(pid, syscall.SIGKILL)
			kills++
		}
		done = kills >= 40
	}
	running.Wait()
	twice := 0
	for i, l := range logs {
		l.drained()
		count := map[string]int{}
		for line := range strings.Lines(l.content()) {
			count[line]++
			twice += min(count[line]-1, 1)
		}
		for n := range lines {
			if count[fmt.Sprintf("service %d line %06d\n", i, n)] == 0 {
				t.Errorf("service %d: line %d is lost", i, n)
			}
		}
	}
	t.Logf("%d kills, %d lines, %d of them twice", kills, services*lines, twice)
}

// Nothing is left of a pool: no descriptor.
func TestGivesBack(t *testing.T) {
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(entries)
	}
	one := func(t *testing.T) {
		p := run(t, nil)
		l := p.log("web")
		l.opened()
		p.signal(syscall.SIGKILL)
		l.drained()
	}
	t.Run("warm up", one)
	before := descriptors()
	for i := range 5 {
		t.Run(fmt.Sprint(i), one)
	}
	if after := descriptors(); after > before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}
