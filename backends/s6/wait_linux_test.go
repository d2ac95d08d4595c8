package s6

import (
	"bytes"
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// waiting is a Wait in progress.
type waiting chan waited

type waited struct {
	st  sm.Status
	err error
}

// wait begins to wait and returns once the waiter has subscribed.
func (r *rig) wait(name string, until sm.Condition) waiting {
	r.t.Helper()
	before := r.listeners(name)
	w := make(waiting, 1)
	go func() {
		st, err := r.m.Wait(r.ctx, name, until)
		w <- waited{st, err}
	}()
	r.awaitListeners(name, before+1)
	return w
}

func (w waiting) result(t testing.TB) waited {
	t.Helper()
	select {
	case got := <-w:
		return got
	case <-time.After(patience):
		t.Fatal("the wait does not end")
		return waited{}
	}
}

// Every condition, reached by what happens to a service and not before.
func TestWaitConditions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{
		"run":             p.run(),
		"finish":          "#!/bin/sh\nread -r word <" + p.inPath + "\n",
		"notification-fd": "3\n",
		"down":            "",
	})
	tests := []struct {
		until   sm.Condition
		early   func() // what does not end the wait
		happens func()
	}{
		{until: sm.UntilUp, early: func() {}, happens: func() { r.start("web") }},
		{until: sm.UntilReady, early: func() { r.awaitState("web", sm.StateStarting) }, happens: func() { p.do("echo >&3") }},
		{until: sm.UntilDown, early: func() { r.signal("web", syscall.SIGHUP) }, happens: func() { r.stop("web", sm.NoWait()) }},
		{until: sm.UntilFinished, early: func() { r.awaitState("web", sm.StateFinishing) }, happens: func() { p.do("go") }},
	}
	for _, tc := range tests {
		if tc.until == sm.UntilDown {
			p.say("trap '' HUP")
		}
		w := r.wait("web", tc.until)
		tc.early()
		select {
		case got := <-w:
			t.Errorf("until %v: it ended early with %+v, %v", tc.until, got.st, got.err)
		default:
		}
		tc.happens()
		got := w.result(t)
		if done, err := reached(got.st, tc.until); got.err != nil || !done || err != nil {
			t.Errorf("until %v: %+v, %v", tc.until, got.st, got.err)
		}
		if st, err := r.m.Wait(r.ctx, "web", tc.until); err != nil || st.State != got.st.State {
			t.Errorf("until %v once more: %+v, %v", tc.until, st, err)
		}
	}
	if _, err := r.m.Wait(r.ctx, "web", 0); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("until nothing: %v", err)
	}
}

// A waiter goes on when the supervisor is killed: the scanner starts another.
func TestWaitOutlivesASupervisor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	down := sleeper("web")
	down.Down = true
	r.register(down)
	w := r.wait("web", sm.UntilUp)
	r.replaceSupervisor("web")
	r.replaceSupervisor("web")
	select {
	case got := <-w:
		t.Fatalf("the wait ended with %+v, %v", got.st, got.err)
	default:
	}
	r.start("web")
	if got := w.result(t); got.err != nil || !got.st.Running() {
		t.Errorf("got %+v, %v", got.st, got.err)
	}
}

// Verbs that are given while there is no supervisor wait for the next one, and
// those in progress ask it again.
func TestVerbsOutliveASupervisor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("plain"))
	kill := func(name string) { t.Helper(); must(t, syscall.Kill(r.supervisor(name), syscall.SIGKILL)) }
	kill("plain")
	r.stop("plain")
	if st := r.status("plain"); st.State != sm.StateDown {
		t.Errorf("stop without a supervisor: %+v", st)
	}
	kill("plain")
	r.start("plain")
	if st := r.status("plain"); st.State != sm.StateUp || !st.Enabled {
		t.Errorf("start without a supervisor: %+v", st)
	}
	kill("plain")
	r.restart("plain")
	if st := r.status("plain"); st.State != sm.StateUp {
		t.Errorf("restart without a supervisor: %+v", st)
	}

	// In the middle: the process takes its time, and its supervisor dies.
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.StopTimeout = time.Minute
	r.register(spec)
	for verb, do := range map[string]func() error{
		"stop":    func() error { return r.m.Stop(r.ctx, "web") },
		"restart": func() error { return r.m.Restart(r.ctx, "web") },
	} {
		r.start("web")
		before := r.status("web")
		p.expect(`trap 'echo term >"$2"' TERM`)
		done := make(chan error, 1)
		go func() { done <- do() }()
		p.hear("term")
		kill("web")
		must(t, <-done)
		st := r.status("web")
		if st.PID == before.PID || (verb == "stop") != (st.State == sm.StateDown) || (verb == "restart") != (st.State == sm.StateUp) {
			t.Errorf("after %s: %+v", verb, st)
		}
		// s6 leaves the process of a dead supervisor alone.
		must(t, syscall.Kill(before.PID, syscall.SIGKILL))
	}
}

// Where scanner and supervisor are both dead, nothing can come any more, and
// waiting ends at once: whichever died first.
func TestWaitEndsWithTheTree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kill func(r *rig, supervisor int)
	}{
		{name: "scanner first", kill: func(r *rig, supervisor int) {
			r.tree.Kill()
			must(r.t, syscall.Kill(supervisor, syscall.SIGKILL))
		}},
		{name: "supervisor first", kill: func(r *rig, supervisor int) {
			// A stopped scanner starts no other one before it is killed.
			must(r.t, syscall.Kill(r.tree.PID(), syscall.SIGSTOP))
			must(r.t, syscall.Kill(supervisor, syscall.SIGKILL))
			r.awaitState("web", sm.StateUnknown)
			r.tree.Kill()
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.t = t
			r.register(sleeper("web"))
			waiters := []waiting{r.wait("web", sm.UntilFinished), r.wait("web", sm.UntilDown)}
			tc.kill(r, r.supervisor("web"))
			for _, w := range waiters {
				got := w.result(t)
				if !errors.Is(got.err, sm.ErrNotSupervised) || got.st.PID != 0 {
					t.Errorf("got %+v, %v, want ErrNotSupervised", got.st, got.err)
				}
			}
			for op, err := range map[string]error{
				"start": r.m.Start(r.ctx, "web"), "stop": r.m.Stop(r.ctx, "web"), "restart": r.m.Restart(r.ctx, "web"),
				"signal": r.m.Signal(r.ctx, "web", syscall.SIGTERM), "register": r.m.Register(r.ctx, sleeper("other")),
			} {
				if !errors.Is(err, sm.ErrNotSupervised) || sm.RemedyOf(err) != "start the tree: s6-svscan "+r.tree.ScanDir {
					t.Errorf("%s: %v", op, err)
				}
			}
			if st := r.status("web"); st.State != sm.StateUnknown || st.Problem != "no supervisor" || st.PID != 0 {
				t.Errorf("status: %+v", st)
			}
			// A new tree takes over.
			r.tree.Run()
			r.start("web")
		})
	}
}

// A start in progress ends as well.
func TestStartEndsWithTheTree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/nonexistent/interpreter\n", "down": ""})
	before := r.listeners("web")
	done := make(chan error, 1)
	go func() { done <- r.m.Start(r.ctx, "web") }()
	r.awaitListeners("web", before+1)
	supervisor := r.supervisor("web")
	r.tree.Kill()
	must(t, syscall.Kill(supervisor, syscall.SIGKILL))
	if err := <-done; !errors.Is(err, sm.ErrNotSupervised) {
		t.Errorf("got %v, want ErrNotSupervised", err)
	}
}

// A wait ends when the service is removed.
func TestWaitEndsWithTheService(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	down := sleeper("web")
	down.Down = true
	r.register(down)
	w := r.wait("web", sm.UntilUp)
	must(t, r.m.Unregister(r.ctx, "web"))
	if got := w.result(t); !errors.Is(got.err, sm.ErrNotRegistered) {
		t.Errorf("got %+v, %v, want ErrNotRegistered", got.st, got.err)
	}
}

// Contexts that have ended, or end, end every call promptly.
func TestCancelledContexts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	for op, do := range map[string]func(context.Context) error{
		"start":      func(ctx context.Context) error { return r.m.Start(ctx, "web") },
		"stop":       func(ctx context.Context) error { return r.m.Stop(ctx, "web") },
		"restart":    func(ctx context.Context) error { return r.m.Restart(ctx, "web") },
		"signal":     func(ctx context.Context) error { return r.m.Signal(ctx, "web", syscall.SIGTERM) },
		"unregister": func(ctx context.Context) error { return r.m.Unregister(ctx, "web") },
		"register":   func(ctx context.Context) error { return r.m.Register(ctx, sleeper("other")) },
		"status":     func(ctx context.Context) error { _, err := r.m.Status(ctx, "web"); return err },
		"list":       func(ctx context.Context) error { _, err := r.m.List(ctx); return err },
		"wait":       func(ctx context.Context) error { _, err := r.m.Wait(ctx, "web", sm.UntilDown); return err },
		"logs":       func(ctx context.Context) error { _, err := r.m.Logs(ctx, "web", sm.LogOptions{}); return err },
		"watch": func(ctx context.Context) error {
			for _, err := range r.m.Watch(ctx, "web") {
				return err
			}
			return nil
		},
		"status of all": func(ctx context.Context) error {
			for _, err := range r.m.StatusAll(ctx) {
				return err
			}
			return nil
		},
	} {
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		if err := do(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that has ended: %v", op, err)
		}
	}
	if st := r.status("web"); st.State != sm.StateUp || st.Restarts != 0 {
		t.Errorf("the service is %+v now", st)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	before := r.listeners("web")
	done := make(chan error, 1)
	go func() {
		_, err := r.m.Wait(ctx, "web", sm.UntilDown)
		done <- err
	}()
	r.awaitListeners("web", before+1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that is cancelled: %v", err)
	}
	if n := r.listeners("web"); n != before {
		t.Errorf("%d listeners are left, want %d", n, before)
	}
}

// A supervisor that is stopped obeys nobody; when its FIFO is full, requests
// wait as long as their context lets them.
func TestFullControlFIFO(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	before := r.status("web")
	supervisor := r.supervisor("web")
	must(t, syscall.Kill(supervisor, syscall.SIGSTOP))
	owner, err := r.m.treeUID()
	must(t, err)
	r.fillControl("web", owner)
	for op, do := range map[string]func(context.Context) error{
		"start":   func(ctx context.Context) error { return r.m.Start(ctx, "web") },
		"stop":    func(ctx context.Context) error { return r.m.Stop(ctx, "web") },
		"restart": func(ctx context.Context) error { return r.m.Restart(ctx, "web") },
		"signal":  func(ctx context.Context) error { return r.m.Signal(ctx, "web", syscall.SIGTERM) },
		"start without waiting": func(ctx context.Context) error {
			return r.m.Start(ctx, "web", sm.NoWait())
		},
	} {
		ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
		if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the context's error", op, err)
		}
		cancel()
	}
	if r.exists("web", "data", "asked") {
		t.Error("a death that could not be asked for is noted as asked for")
	}
	// Once it goes on, so do they.
	done := make(chan error, 1)
	go func() { done <- r.m.Restart(r.ctx, "web") }()
	must(t, syscall.Kill(supervisor, syscall.SIGCONT))
	must(t, <-done)
	if st := r.status("web"); st.State != sm.StateUp || st.PID == before.PID {
		t.Errorf("after a restart: %+v, was pid %d", st, before.PID)
	}
}

// Requests that are accepted and not carried out wait as long.
func TestStoppedSupervisor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	supervisor := r.supervisor("web")
	must(t, syscall.Kill(supervisor, syscall.SIGSTOP))
	for op, do := range map[string]func(context.Context) error{
		"stop":    func(ctx context.Context) error { return r.m.Stop(ctx, "web") },
		"restart": func(ctx context.Context) error { return r.m.Restart(ctx, "web") },
		"wait":    func(ctx context.Context) error { _, err := r.m.Wait(ctx, "web", sm.UntilDown); return err },
	} {
		ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
		if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the context's error", op, err)
		}
		cancel()
	}
	must(t, syscall.Kill(supervisor, syscall.SIGCONT))
	r.start("web")
}

// The supervisor's own word that it goes, and comes, is an event like others.
func TestMonitorSeesEventsInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	s := r.open("web")
	mo, err := s.monitor(r.ctx, false)
	must(t, err)
	defer mo.close()
	r.restart("web")
	must(t, s.send(r.ctx, "x"))
	must(t, syscall.Kill(r.status("web").PID, syscall.SIGKILL))
	var seen []byte
	gone := false
	for !bytes.HasSuffix(seen, []byte("su")) || !gone {
		n, err := mo.next(r.ctx)
		must(t, err)
		seen = append(seen, n.events...)
		gone = gone || n.gone
	}
	if want := "dDudDxsu"; string(seen) != want {
		t.Errorf("events %q, want %q", seen, want)
	}
}
