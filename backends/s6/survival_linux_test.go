package s6

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// T4: what was started stays up when its supervisor dies: start took the down
// file away.
func TestT4_StartedStaysUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := sleeper("web")
	spec.Down = true
	r.register(spec)
	r.start("web")
	before := r.status("web")
	r.replaceSupervisor("web")
	if st := r.awaitOther("web", before.PID); st.State != sm.StateUp || !st.Enabled {
		t.Errorf("after the supervisor's death: %+v", st)
	}
}

// T4: what was restarted while it was being stopped stays up as well, even if
// nobody waited.
func TestT4_RestartedStaysUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.register(p.spec("web"))
	before := r.status("web")
	p.expect(`trap 'echo term >"$2"' TERM`)
	r.stop("web", sm.NoWait())
	p.hear("term")
	if !r.exists("web", "down") {
		t.Error("stop left no down file")
	}
	r.restart("web", sm.NoWait())
	p.hear("term")
	r.await("web", "wanted up", func(st sm.Status) bool { return st.WantUp })
	if r.exists("web", "down") {
		t.Error("restart left the down file")
	}
	r.signal("web", syscall.SIGKILL)
	r.awaitOther("web", before.PID)
}

// T4: what was stopped stays down when its supervisor dies: stop made the down
// file, also where it was the client that gave the process more time.
func TestT4_StoppedStaysDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, opts := range map[string][]sm.ActOption{"web": nil, "slow": {sm.StopWithin(time.Minute)}} {
		r.register(sleeper(name))
		r.stop(name, opts...)
		r.replaceSupervisor(name)
		if st := r.status(name); st.State != sm.StateDown || st.WantUp || st.Enabled {
			t.Errorf("%s after the supervisor's death: %+v", name, st)
		}
	}
}

// T4: what was given up is not started by the next supervisor, and still
// counts as failed.
func TestT4_ParkedStaysParked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	p.do("exit 78")
	r.awaitState("web", sm.StateFailed)
	r.replaceSupervisor("web")
	if st := r.status("web"); st.State != sm.StateFailed || st.WantUp || st.Problem != "exit code 78 is fatal" {
		t.Errorf("after the supervisor's death: %+v", st)
	}
	r.start("web")
	if st := r.status("web"); st.State != sm.StateUp || st.Problem != "" || !st.Enabled {
		t.Errorf("after start: %+v", st)
	}
}

// T7: s6 itself leaves the process alone when its supervisor is killed, and
// the next supervisor starts a second one. What is reported is the truth of the
// living supervisor, and never again the process it does not know.
func TestT7_SecondProcessAfterTheSupervisorsDeath(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	before := r.status("web")
	var seen []sm.Status
	killed := false
	for st, err := range r.m.Watch(r.ctx, "web") {
		must(t, err)
		seen = append(seen, st)
		if !killed {
			killed = true
			must(t, syscall.Kill(r.supervisor("web"), syscall.SIGKILL))
			continue
		}
		if st.PID == before.PID {
			t.Errorf("the process of the dead supervisor is shown: %+v", st)
		}
		if st.Running() {
			break
		}
		if st.State == sm.StateUnknown && st.Problem == "" {
			t.Errorf("unknown without a reason: %+v", st)
		}
	}
	last := seen[len(seen)-1]
	if last.State != sm.StateUp || last.PID == before.PID {
		t.Errorf("the last of it: %+v", last)
	}
	if err := syscall.Kill(before.PID, 0); err != nil {
		t.Errorf("s6 does not leave the first process alone any more: %v", err)
	}
	r.stop("web")
	if err := syscall.Kill(before.PID, 0); err != nil {
		t.Errorf("stop ended what the supervisor does not know: %v", err)
	}
}

// T8: a finish that takes too long is killed, so that its 125 never arrives and
// the service is started again; stop waits for it all the same.
func TestT8_SlowFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{
		"run":            p.run(),
		"finish":         "#!/bin/sh\nread -r word <" + p.inPath + "\nexit 125\n",
		"timeout-finish": "500\n",
	})
	before := r.awaitState("web", sm.StateUp)
	p.do("exit 1")
	if st := r.awaitState("web", sm.StateFinishing); st.PID != 0 || !st.WantUp || st.LastExit == nil || st.LastExit.Code != 1 {
		t.Errorf("while finish runs: %+v (%v)", st, st.LastExit)
	}
	after := r.awaitOther("web", before.PID)
	r.stop("web")
	if st := r.status("web"); st.State != sm.StateDown || st.WantUp {
		t.Errorf("after stop: %+v", st)
	}
	if took := time.Since(r.status("web").Since); took < 400*time.Millisecond {
		t.Errorf("stop returned %v after the death of pid %d, before finish could end", took, after.PID)
	}
}

// T8: the finish of a registered service is done well within its five seconds.
func TestT8_OurFinishIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s6Only(t, r.tree, "it backs off instead")
	r.register(sleeper("web"))
	b, err := os.ReadFile(r.path("web", "timeout-finish"))
	if err != nil || strings.TrimSpace(string(b)) != "5000" {
		t.Errorf("timeout-finish is %q, %v", b, err)
	}
	r.fillTally("web", 100, time.Second)
	r.signal("web", syscall.SIGKILL)
	r.awaitState("web", sm.StateFailed)
}
