package s6

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// What differs where the tree is ours.

// delayed is the spec of a puppet that waits so long between a death and the
// next start that a test never sees it come by itself.
func delayed(p *puppet) sm.Spec {
	spec := p.spec("web")
	spec.RestartDelay, spec.RestartMaxDelay = time.Hour, time.Hour
	return spec
}

var backingOff = regexp.MustCompile(`^died; the next start comes at 20[-0-9]+T[0-9:.]+Z$`)

// crash ends the service, and returns it waiting.
func (r *rig) crash(p *puppet) sm.Status {
	r.t.Helper()
	p.do("exit 3")
	st := r.awaitState("web", sm.StateBackoff)
	if !backingOff.MatchString(st.Problem) || !st.WantUp || !st.Enabled || st.Running() || st.LastExit == nil || st.LastExit.Code != 3 {
		r.t.Errorf("after a death: %+v (%v)", st, st.LastExit)
	}
	return st
}

// A service in backoff is waited for; start and restart start it at once, and
// stop has nothing to wait for.
func TestOwnBackoff(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	p := newPuppet(t, r.tree.Dir)
	r.register(delayed(p))
	for verb, do := range map[string]func(){"start": func() { r.start("web") }, "restart": func() { r.restart("web") }} {
		r.crash(p)
		do()
		if st := r.status("web"); st.State != sm.StateUp || st.Problem != "" || st.Restarts != 0 {
			t.Errorf("after %s: %+v", verb, st)
		}
	}
	r.crash(p)
	for _, until := range []sm.Condition{sm.UntilUp, sm.UntilReady, sm.UntilFinished} {
		ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
		if _, err := r.m.Wait(ctx, "web", until); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait until %v ended with %v", until, err)
		}
		cancel()
	}
	r.stop("web")
	if st := r.status("web"); st.State != sm.StateDown || st.Problem != "" || st.WantUp || st.Enabled || st.Restarts != 1 {
		t.Errorf("after stop: %+v", st)
	}
	r.start("web")
	r.crash(p)
	r.stop("web", sm.StopWithin(time.Hour))
	if st := r.status("web"); st.State != sm.StateDown {
		t.Errorf("after a patient stop: %+v", st)
	}
	r.start("web")
	r.crash(p)
	if err := r.m.Unregister(r.ctx, "web"); err != nil {
		t.Error(err)
	}
}

// A restart that gives the process more time than the tree would sends the
// signal by another command, which is no stop to the tree: the backoff that
// follows is cut short all the same.
func TestOwnPatientRestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	p := newPuppet(t, r.tree.Dir)
	spec := delayed(p)
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	for _, within := range []time.Duration{0, time.Hour} {
		before := r.status("web")
		p.expect("trap 'exit 78' TERM")
		r.restart("web", sm.StopWithin(within))
		if st := r.status("web"); st.State != sm.StateUp || st.PID == before.PID || st.Restarts != 0 {
			t.Errorf("after restart: %+v", st)
		}
	}
}

// Where s6 gives up, our own tree goes on; a fatal exit is final on both.
func TestOwnCrashLoopIsNotParked(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.RestartDelay, spec.RestartMaxDelay = 10*time.Millisecond, 10*time.Millisecond
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	r.fillTally("web", 99, time.Millisecond)
	for range 3 {
		before := r.status("web")
		r.signal("web", syscall.SIGKILL)
		r.awaitOther("web", before.PID)
	}
	p.do("exit 78")
	if st := r.awaitState("web", sm.StateFailed); st.Problem != "exit code 78 is fatal" || st.WantUp {
		t.Errorf("after a fatal exit: %+v", st)
	}
	if _, err := r.m.Wait(r.ctx, "web", sm.UntilUp); !errors.Is(err, sm.ErrFailed) {
		t.Errorf("a wait for it: %v", err)
	}
}

// A finish of somebody else's that gives up makes the service failed, with the
// tree's words.
func TestOwnGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{"run": p.run(), "finish": "#!/bin/sh\nexit 125\n"})
	r.awaitState("web", sm.StateUp)
	p.do("exit 1")
	st := r.awaitState("web", sm.StateFailed)
	if !strings.HasPrefix(st.Problem, "finish exited 125") || st.WantUp {
		t.Errorf("given up: %+v", st)
	}
	if _, err := r.m.Wait(r.ctx, "web", sm.UntilReady); !errors.Is(err, sm.ErrFailed) {
		t.Errorf("a wait for it: %v", err)
	}
	if st, err := r.m.Wait(r.ctx, "web", sm.UntilFinished); err != nil || st.State != sm.StateFailed {
		t.Errorf("a wait for its end: %+v, %v", st, err)
	}
	r.start("web")
	if st := r.status("web"); st.State != sm.StateUp || st.Problem != "" {
		t.Errorf("after start: %+v", st)
	}
	before := r.status("web")
	r.restart("web") // nobody's exit policy applies to a death between down and up
	if st := r.status("web"); st.State != sm.StateUp || st.PID == before.PID {
		t.Errorf("after restart: %+v", st)
	}
}

// What cannot be executed is said at once, to those who start it and to those
// who watch.
func TestOwnStartInVain(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	r.servicedir("web", files{"run": "#!/nonexistent/interpreter\n", "down": ""})
	for range 2 { // the second time it has been said before
		begun := time.Now()
		err := r.m.Start(r.ctx, "web")
		if err == nil || !strings.Contains(err.Error(), "run could not be started") || !strings.Contains(err.Error(), r.path("web", "run")) || sm.RemedyOf(err) == "" {
			t.Errorf("start: %v", err)
		}
		if took := time.Since(begun); took >= startPatience {
			t.Errorf("it took %v to say so", took)
		}
	}
	st := r.status("web")
	if st.State != sm.StateStarting || !st.WantUp || !strings.HasPrefix(st.Problem, "run could not be started") || !strings.Contains(st.Problem, "; the next try comes at 20") {
		t.Errorf("after start: %+v", st)
	}
	var seen []sm.Status
	for st, err := range r.m.Watch(r.ctx, "web") {
		must(t, err)
		seen = append(seen, st)
		if len(seen) == 1 {
			must(t, r.m.sendTo(r.ctx, "web", control.Up)) // tries again, in vain: only the note tells
		}
		if len(seen) > 1 && st.Problem != seen[0].Problem && st.Problem != "" {
			break
		}
	}
	files{"run": "#!/bin/sh\nexec sleep 1000\n"}.write(t, r.path("web"))
	r.start("web")
	if st := r.status("web"); st.State != sm.StateUp || st.Problem != "" {
		t.Errorf("after mending it: %+v", st)
	}
}

func (m *manager) sendTo(ctx context.Context, name string, cmd byte) error {
	s, err := m.service(name)
	if err != nil {
		return err
	}
	defer s.close()
	return s.send(ctx, string(cmd))
}

// A tree that is killed and started again has the process it had, and says so
// as long as that lives. What detection says of it does not outlive it.
func TestOwnTreeIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	r.register(sleeper("web"))
	before := r.status("web")
	if before.Adopted {
		t.Errorf("before: %+v", before)
	}
	probe := func() sm.Probe {
		return Backend().Probe(r.ctx, sm.Options{ScanDir: r.tree.ScanDir})
	}
	if p := probe(); !strings.HasPrefix(p.Detail, "s6 (hermes-gateway's own tree, ") || !evident(p, "hermes-gateway's own tree") {
		t.Errorf("detected: %+v", p)
	}
	r.tree.Kill()
	if st := r.status("web"); st.State != sm.StateUnknown || st.Problem != "no supervisor" {
		t.Errorf("after the tree's death: %+v", st)
	}
	if p := probe(); p.Detail != detail || p.Fit != sm.FitNone {
		t.Errorf("detected after its death: %+v", p)
	}
	err := r.m.Start(r.ctx, "web")
	if !errors.Is(err, sm.ErrNotSupervised) || sm.RemedyOf(err) != "start the tree: hermes-gateway svscan "+r.tree.ScanDir {
		t.Errorf("start without it: %v", err)
	}
	r.tree.Run()
	st := r.awaitState("web", sm.StateUp)
	if st.PID != before.PID || !st.Adopted || !st.Since.Equal(before.Since) {
		t.Errorf("under another tree: %+v, before it was %+v", st, before)
	}
	r.signal("web", syscall.SIGKILL)
	if st := r.awaitOther("web", before.PID); st.Adopted {
		t.Errorf("the next process: %+v", st)
	}
}

func evident(p sm.Probe, text string) bool {
	for _, e := range p.Evidence {
		if strings.Contains(e.Value, text) {
			return true
		}
	}
	return false
}

// A supervisor of ours that has lost its FIFO is no process that could be
// ended.
func TestOwnControlLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, s6test.Own())
	r.register(sleeper("web"))
	must(t, os.Rename(r.path("web", "supervise", "control"), filepath.Join(r.tree.Dir, "control")))
	err := r.m.Stop(r.ctx, "web")
	if !errors.Is(err, sm.ErrNotSupervised) || !strings.Contains(sm.RemedyOf(err), "end the tree with SIGABRT") {
		t.Errorf("stop: %v", err)
	}
}
