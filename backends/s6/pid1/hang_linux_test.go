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
		kids:    newChildren(),
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
		kids:  newChildren(),
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
