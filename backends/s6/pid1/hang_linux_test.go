package pid1

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// An exec that hangs holds up neither signals nor the end.
func TestRow96ExecThatHangs(t *testing.T) {
	i := &initProcess{
		o:       Options{Command: []string{"hangs"}, Grace: time.Hour, StopWithin: time.Hour},
		kids:    newChildren(nil),
		retry:   stoppedTimer(),
		kill:    stoppedTimer(),
		program: starting,
	}
	defer i.kill.Stop()
	i.take(syscall.SIGUSR1)
	i.take(syscall.SIGTERM)
	if !i.stopping || len(i.pending) != 2 || i.over() {
		t.Fatalf("after TERM: stopping %v, %d signals are kept, over %v", i.stopping, len(i.pending), i.over())
	}
	i.killLate() // too early
	if i.program != starting {
		t.Fatal("given up before the time")
	}
	for range 2 { // the third one ends it
		i.take(os.Signal(syscall.SIGTERM))
	}
	i.killLate()
	if !i.givenUp || i.program != absent || i.status() != 137 {
		t.Errorf("program %d, given up %v, status %d", i.program, i.givenUp, i.status())
	}
}

// Only who asks again is in a hurry, and a hurry never puts off a kill.
func TestRow67HurryHalvesWhatIsLeft(t *testing.T) {
	i := &initProcess{
		o:     Options{Command: []string{"program"}, Grace: time.Hour, StopWithin: 10 * time.Hour},
		kids:  newChildren(nil),
		retry: stoppedTimer(), kill: stoppedTimer(),
	}
	defer i.kill.Stop()
	i.stop("the program has ended")
	left := func(at time.Time) time.Duration { return time.Until(at).Round(time.Minute) }
	for n, want := range []struct{ kill, all time.Duration }{{time.Hour, 10 * time.Hour}, {30 * time.Minute, 5 * time.Hour}, {0, 0}} {
		i.take(syscall.SIGTERM)
		if kill, all := left(i.killTime), left(i.deadline); kill != want.kill || all != want.all {
			t.Errorf("TERM %d: %v and %v are left, want %v and %v", n+1, kill, all, want.kill, want.all)
		}
	}
}

// A tree has a time of its own, which neither kills the program earlier nor lets it
// live longer.
func TestTreeGrace(t *testing.T) {
	for _, c := range []struct{ grace, treeGrace, first, second, third time.Duration }{
		{2 * time.Hour, time.Hour, time.Hour, 2 * time.Hour, 3 * time.Hour},
		{time.Hour, 2 * time.Hour, time.Hour, 2 * time.Hour, 3 * time.Hour},
		{time.Hour, 0, time.Hour, 3 * time.Hour, 3 * time.Hour},
		{0, time.Hour, time.Hour, 3 * time.Hour, 3 * time.Hour},
		{time.Hour, 9 * time.Hour, time.Hour, 3 * time.Hour, 3 * time.Hour},
	} {
		i := &initProcess{
			o:     Options{Command: []string{"program"}, Tree: []string{"tree"}, Grace: c.grace, TreeGrace: c.treeGrace, StopWithin: 3 * time.Hour},
			kids:  newChildren(nil),
			retry: stoppedTimer(), kill: stoppedTimer(), program: starting, tree: starting,
		}
		now := time.Now()
		i.stop("a test")
		at := func(later time.Duration) time.Duration {
			return i.nextKill(now.Add(later + time.Second)).Sub(now).Round(time.Minute)
		}
		first := i.killTime.Sub(now).Round(time.Minute)
		if first != c.first || at(first) != c.second || at(at(first)) != c.third {
			t.Errorf("grace %v, of the tree %v: %v, %v, %v", c.grace, c.treeGrace, first, at(first), at(at(first)))
		}
		i.kill.Stop()
	}
}
