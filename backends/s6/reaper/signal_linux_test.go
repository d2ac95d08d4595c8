package reaper

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Signal hits the process, SignalGroup also what it has started.
func TestSignalAndGroup(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, "trap 'exit 5' USR1; sleep 1000 >&- & echo $!; exec >&-; wait")
	exited, c := exits()
	p, err := r.Adopt(s.pid, s.ticks, exited)
	if err != nil {
		t.Fatal(err)
	}
	s.parent.Release()
	again, parent := exits()
	leader, err := r.Adopt(s.parent.PID(), s.parent.Ticks(), again)
	if err != nil {
		t.Fatal(err)
	}
	if err := leader.Signal(unix.SIGUSR1); err != nil {
		t.Error(err)
	}
	if e := receive(t, parent, "exit of the leader"); e.Status.ExitStatus() != 5 {
		t.Errorf("the leader: %+v", e)
	}
	if err := p.Signal(0); err != nil {
		t.Errorf("its child was hit, too: %v", err)
	}
	// The leader is reaped: the id may be another's, even if the group lives.
	if err := leader.SignalGroup(unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("group of a reaped leader: %v", err)
	}
	if err := p.Signal(0); err != nil {
		t.Error(err)
	}
	p.Signal(unix.SIGKILL)
	receive(t, c, "exit")

	s = newStranger(t, r, reaping)
	p, err = r.Adopt(s.pid, s.ticks, exited)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SignalGroup(unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the group of one that leads none: %v", err)
	}
	if err := s.parent.SignalGroup(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	receive(t, c, "exit")
}

// An adopted leader's group is signalled as well.
func TestGroupOfAStranger(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, "setsid sh -c 'sleep 1000 & echo $$; wait' & exec >&-; wait")
	exited, c := exits()
	p, err := r.Adopt(s.pid, s.ticks, exited)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SignalGroup(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	receive(t, c, "exit")
	if err := p.SignalGroup(unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("after the end: %v", err)
	}
}

// Signals and ends at the same time: whoever gets an error gets the one, and the
// race detector finds nothing.
func TestSignalsDuringTheEnd(t *testing.T) {
	r := newReaper(t)
	for range 100 {
		exited, c := exits()
		p := start(t, r, Spec{Path: "/bin/true", Args: []string{"true"}, Dir: -1, Exited: exited})
		var wg sync.WaitGroup
		for _, send := range []func(syscall.Signal) error{p.Signal, p.SignalGroup} {
			wg.Go(func() {
				for {
					if err := send(0); err != nil {
						if !errors.Is(err, os.ErrProcessDone) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		wg.Go(p.Release)
		wg.Wait()
		p.Release()
		told := len(c)
		settle(t, r)
		if len(c) != told {
			t.Fatal("told after Release")
		}
	}
}

func TestTicks(t *testing.T) {
	before, err := Now()
	if err != nil {
		t.Fatal(err)
	}
	r := newReaper(t)
	p := start(t, r, sh("sleep 1000"))
	defer p.SignalGroup(syscall.SIGKILL)
	after, err := Now()
	if err != nil {
		t.Fatal(err)
	}
	ticks, err := Ticks(p.PID())
	if err != nil || ticks != p.Ticks() || ticks < before || ticks > after {
		t.Errorf("%d, %v; as said by Start %d, it was between %d and %d", ticks, err, p.Ticks(), before, after)
	}
	if _, err := Ticks(spent(t, r)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a process that is gone: %v", err)
	}
}

// The name of a process may be made to look like the rest.
func TestTicksOfAnOddName(t *testing.T) {
	r := newReaper(t)
	name := t.TempDir() + "/a) S 1 (b) 7"
	executable(t, name, "#!/bin/sh\nsleep 1000\n")
	p := start(t, r, Spec{Path: name, Args: []string{name}, Dir: -1})
	defer p.SignalGroup(syscall.SIGKILL)
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/stat")
	if err != nil || !strings.Contains(string(stat), "(a) S 1 (b) 7)") {
		t.Fatalf("%s, %v", stat, err)
	}
	now, err := Now()
	if err != nil || p.Ticks() == 0 || p.Ticks() > now || now-p.Ticks() > 6000 {
		t.Errorf("%d, now %d, %v", p.Ticks(), now, err)
	}
	for _, bad := range []string{"", "1 (x", "1 (x)", "1 (x) S 1 2 3", "1 (x) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 -22 23"} {
		if ticks, ok := startTime([]byte(bad)); ok {
			t.Errorf("%q has ticks %d", bad, ticks)
		}
	}
}
