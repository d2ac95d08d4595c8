package s6

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// T9: a process that ignores SIGTERM is killed when its stop timeout has passed
// and the service is down then: by the supervisor where it knows the timeout,
// else by us.
func TestT9_TermIgnored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const stubborn = "#!/bin/sh\ntrap '' TERM\necho >&3\nexec sleep 1000\n"
	foreign := files{"run": stubborn, "notification-fd": "3\n"}
	r.servicedir("limited", files{"run": stubborn, "notification-fd": "3\n", "timeout-kill": "300\n"})
	r.servicedir("unlimited", foreign)
	r.servicedir("generous", files{"run": stubborn, "notification-fd": "3\n", "timeout-kill": "600000\n"})
	r.register(sm.Spec{Name: "ours", Command: []string{"/bin/sh", "-c", strings.TrimPrefix(stubborn, "#!/bin/sh\n")}, ReadyFD: 3, StopTimeout: 300 * time.Millisecond})
	tests := []struct {
		name    string
		opts    []sm.ActOption
		atLeast time.Duration
	}{
		{name: "limited", atLeast: 300 * time.Millisecond},
		{name: "ours", atLeast: 300 * time.Millisecond},
		{name: "unlimited", opts: []sm.ActOption{sm.StopWithin(200 * time.Millisecond)}, atLeast: 200 * time.Millisecond},
		{name: "generous", opts: []sm.ActOption{sm.StopWithin(200 * time.Millisecond)}, atLeast: 200 * time.Millisecond},
		{name: "ours", opts: []sm.ActOption{sm.StopWithin(time.Millisecond)}},
		{name: "ours", opts: []sm.ActOption{sm.StopWithin(700 * time.Millisecond)}, atLeast: 700 * time.Millisecond},
	}
	for _, tc := range tests {
		for verb, do := range map[string]func(){
			"restart": func() { r.restart(tc.name, tc.opts...) },
			"stop":    func() { r.stop(tc.name, tc.opts...) },
		} {
			r.start(tc.name)
			before := r.await(tc.name, "ready", func(st sm.Status) bool { return st.Ready })
			begun := time.Now()
			do()
			took := time.Since(begun)
			st := r.status(tc.name)
			if st.LastExit == nil || st.LastExit.Signal != syscall.SIGKILL || st.PID == before.PID {
				t.Errorf("%s %s %v: %+v (%v)", verb, tc.name, tc.opts, st, st.LastExit)
			}
			if (verb == "stop") != (st.State == sm.StateDown) {
				t.Errorf("%s %s: it is %v", verb, tc.name, st.State)
			}
			if took < tc.atLeast {
				t.Errorf("%s %s: it was killed after %v, want at least %v", verb, tc.name, took, tc.atLeast)
			}
		}
	}
}

// T9: without a timeout anywhere s6 leaves such a process up and wanted down for
// ever; that is what is shown, and start makes it wanted up again.
func TestT9_WantedDownForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{"run": p.run()})
	before := r.awaitState("web", sm.StateUp)
	p.expect(`trap 'echo term >"$2"' TERM; trap 'echo winch >"$2"' WINCH`)
	r.tool("s6-svc", "-dy", r.path("web"))
	p.hearBoth("term", "winch") // now the supervisor is done with the first
	if st := r.awaitState("web", sm.StateStopping); st.PID != before.PID || st.WantUp {
		t.Errorf("wanted down: %+v", st)
	}
	// What was asked to end may still do so, so start gives it its time.
	must(t, os.WriteFile(r.path("web", "timeout-kill"), []byte("100\n"), 0o644))
	r.start("web")
	if st := r.status("web"); st.State != sm.StateUp || st.PID != before.PID || !st.WantUp {
		t.Errorf("after start: %+v, was pid %d", st, before.PID)
	}
}

// T9: with StopWithin longer than the supervisor's own timeout the process has
// that time.
func TestT9_MoreTimeThanTheSupervisorGives(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.StopTimeout = 100 * time.Millisecond
	r.register(spec)
	for verb, do := range map[string]func(){
		"restart": func() { r.restart("web", sm.StopWithin(time.Minute)) },
		"stop":    func() { r.stop("web", sm.StopWithin(time.Minute)) },
	} {
		r.start("web")
		p.expect("trap 'sleep 0.5; exit 5' TERM")
		do()
		if st := r.status("web"); st.LastExit == nil || st.LastExit.Code != 5 || st.LastExit.Signal != 0 {
			t.Errorf("%s: it ended with %v, want exit code 5", verb, st.LastExit)
		}
	}
}

// T9: the time a process has may be over before the supervisor comes round to
// the request.
func TestT9_TimeIsOverBeforeTheRequestIsHeard(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.StopTimeout = time.Hour
	r.register(spec)
	for verb, do := range map[string]func() error{
		"stop":    func() error { return r.m.Stop(r.ctx, "web", sm.StopWithin(1)) },
		"restart": func() error { return r.m.Restart(r.ctx, "web", sm.StopWithin(1)) },
	} {
		r.start("web")
		before := r.status("web")
		p.expect("trap '' TERM")
		supervisor := r.supervisor("web")
		must(t, syscall.Kill(supervisor, syscall.SIGSTOP))
		done := make(chan error, 1)
		go func() { done <- do() }()
		for { // bytes in a FIFO have no event for those who write
			n, err := r.open("web").unread()
			must(t, err)
			if n > 0 {
				break
			}
			must(t, pause(r.ctx))
		}
		must(t, syscall.Kill(supervisor, syscall.SIGCONT))
		must(t, <-done)
		if st := r.status("web"); st.PID == before.PID || st.LastExit == nil || st.LastExit.Signal != syscall.SIGKILL {
			t.Errorf("after %s: %+v (%v)", verb, st, st.LastExit)
		}
	}
}

// A service that runs once and is wanted down was not asked to end: stop and
// restart ask it.
func TestStopOfWhatRunsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
	once := func() int {
		t.Helper()
		must(t, r.open("web").send(r.ctx, "o"))
		st := r.awaitState("web", sm.StateStopping)
		return st.PID
	}
	once()
	r.stop("web")
	pid := once()
	r.restart("web")
	if st := r.status("web"); st.State != sm.StateUp || st.PID == pid {
		t.Errorf("after restart: %+v, was pid %d", st, pid)
	}
}
