package supervise

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// rig runs one service in a fakeWorld, in a synctest bubble: its clock moves
// only while everybody waits.
type rig struct {
	*fakeWorld
	t       *testing.T
	service *Service
	cancel  context.CancelFunc
	done    chan error
	ended   bool
	zero    time.Time
	from    int // of the diary, see happened
}

// inBubble runs a test of one service. The service is started by it.
func inBubble(t *testing.T, w *fakeWorld, test func(r *rig)) {
	t.Helper()
	inBubbleAfter(t, w, func(*Service) {}, test)
}

// inBubbleAfter does something with the service before it runs.
func inBubbleAfter(t *testing.T, w *fakeWorld, before func(*Service), test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{fakeWorld: w, t: t, service: New(w.config()), zero: time.Now()}
		for _, c := range w.children {
			c.exit = make(chan Exit, 1) // a channel belongs to the bubble it was made in
		}
		before(r.service)
		r.run()
		defer r.end()
		test(r)
	})
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done, r.ended = cancel, make(chan error, 1), false
	go func() { r.done <- r.service.Run(ctx) }()
	synctest.Wait()
}

// end stops what still runs and reports what went wrong in the world.
func (r *rig) end() {
	r.cancel()
	synctest.Wait()
	if !r.ended {
		if err := <-r.done; err != nil && !errors.Is(err, context.Canceled) {
			r.t.Errorf("the service ended with %v", err)
		}
	}
	for _, w := range r.wrong {
		r.t.Error(w)
	}
	if r.t.Failed() {
		r.t.Logf("diary:\n\t%s", strings.Join(r.diary, "\n\t"))
	}
}

// left waits for the end of the supervisor and returns how it ended.
func (r *rig) left() error {
	r.t.Helper()
	synctest.Wait()
	select {
	case err := <-r.done:
		r.ended = true
		return err
	default:
		r.t.Fatal("the supervisor has not left")
		return nil
	}
}

// send gives commands and waits until they are handled.
func (r *rig) send(bytes string) {
	r.t.Helper()
	if err := r.service.Control([]byte(bytes)); err != nil {
		r.t.Fatalf("commands %s: %v", bytes, err)
	}
	synctest.Wait()
}

func (r *rig) signal(s Signal) {
	r.t.Helper()
	if err := r.service.Signal(s); err != nil {
		r.t.Fatalf("signal %v: %v", s, err)
	}
	synctest.Wait()
}

// pass lets time go by. The lock orders what the test has read before what the
// engine writes next; the bubble's clock alone does not, for the race detector.
func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	wait := time.After(d)
	r.mu.Unlock()
	<-wait
	synctest.Wait()
}

// dies makes the newest process end.
func (r *rig) dies(exit Exit) {
	r.end1(r.process(), exit)
}

func (r *rig) end1(c *fakeChild, exit Exit) {
	r.fakeWorld.end(c, exit)
	synctest.Wait()
}

func (r *rig) announces(line bool) {
	r.says(r.process(), line)
	synctest.Wait()
}

// wantEvents checks all events so far.
func (r *rig) wantEvents(want string) {
	r.t.Helper()
	if r.events != want {
		r.t.Fatalf("events %q, want %q", r.events, want)
	}
}

// wantFlags checks the record.
func (r *rig) wantFlags(want string) {
	r.t.Helper()
	if got := flags(r.status); got != want {
		r.t.Fatalf("record %q, want %q", got, want)
	}
}

// happened returns what the diary says since it was last asked.
func (r *rig) happened() string {
	news := r.diary[r.from:]
	r.from = len(r.diary)
	return strings.Join(news, "; ")
}

func (r *rig) wantHappened(want string) {
	r.t.Helper()
	if got := r.happened(); got != want {
		r.t.Fatalf("what happened:\n%s\nwant:\n%s", got, want)
	}
}

// obedient dies of TERM and KILL.
func (w *fakeWorld) obedient() *fakeWorld {
	w.onSignal = func(c *fakeChild, sig syscall.Signal) {
		if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
			w.end(c, Killed(int(sig)))
		}
	}
	return w
}

// stubborn dies of KILL only.
func (w *fakeWorld) stubborn() *fakeWorld {
	w.onSignal = func(c *fakeChild, sig syscall.Signal) {
		if sig == syscall.SIGKILL {
			w.end(c, Killed(int(sig)))
		}
	}
	return w
}
