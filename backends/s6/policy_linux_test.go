package s6

import (
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// fillTally makes a supervisor remember n deaths, the newest just now, each a
// gap after the one before.
func (r *rig) fillTally(name string, n int, gap time.Duration) {
	r.t.Helper()
	now := time.Now()
	var b []byte
	for i := range n {
		b = status.Death{At: now.Add(-gap * time.Duration(n-1-i)), Code: 1}.Append(b)
	}
	must(r.t, r.open(name).dir.Replace(servicedir.TallyFile, b, 0o644))
}

func (r *rig) tally(name string) []status.Death {
	r.t.Helper()
	tally, err := r.open(name).tally()
	must(r.t, err)
	return tally
}

var parkedAfterTen = regexp.MustCompile(`^10 deaths in [0-9]+ s$`)

// The cap for real: a service that dies at once is given up after ten deaths,
// and start gives it ten more.
func TestCrashLoopIsParked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s6Only(t, r.tree, "it backs off instead")
	broken := filepath.Join(r.tree.Dir, "broken")
	must(t, os.WriteFile(broken, nil, 0o644))
	r.register(sm.Spec{Name: "web", Command: []string{"/bin/sh", "-c", `[ ! -e "$1" ] || exit 3; exec sleep 1000`, "web", broken}})
	st := r.awaitState("web", sm.StateFailed)
	if !parkedAfterTen.MatchString(st.Problem) || st.WantUp || st.Enabled || st.Restarts != 10 || st.LastExit == nil || st.LastExit.Code != 3 {
		t.Errorf("given up: %+v (%v)", st, st.LastExit)
	}
	if _, err := r.m.Wait(r.ctx, "web", sm.UntilUp); err == nil || !regexp.MustCompile("10 deaths in").MatchString(err.Error()) {
		t.Errorf("waiting for it to be up: %v", err)
	}
	r.start("web")
	r.await("web", "tried again", func(st sm.Status) bool { return st.WantUp && st.State != sm.StateFailed })
	must(t, os.Remove(broken))
	st = r.await("web", "mended", func(st sm.Status) bool { return st.State == sm.StateUp })
	if st.Problem != "" || st.Restarts > 3 {
		t.Errorf("after start: %+v", st)
	}
}

// The cap counts ten deaths within a minute, also those that the service had
// before.
func TestCrashLoopWindow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		deaths int
		gap    time.Duration
		parked bool
	}{
		{name: "ten in half a minute", deaths: 9, gap: 3 * time.Second, parked: true},
		{name: "nine", deaths: 8, gap: time.Second},
		{name: "ten in more than a minute", deaths: 9, gap: 10 * time.Second},
		{name: "a hundred, the last ten at once", deaths: 99, gap: time.Millisecond, parked: true},
		{name: "more than s6 keeps", deaths: 100, gap: time.Second, parked: true},
		{name: "a hundred, seldom", deaths: 100, gap: time.Minute},
		{name: "the clock was set back", deaths: 9, gap: -3 * time.Second, parked: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s6Only(t, r.tree, "it backs off instead")
			r.register(sleeper("web"))
			before := r.status("web")
			r.fillTally("web", tc.deaths, tc.gap)
			r.signal("web", syscall.SIGKILL)
			if !tc.parked {
				st := r.awaitOther("web", before.PID)
				if want := min(tc.deaths+1, 100); st.Restarts != want || st.Problem != "" {
					t.Errorf("it came back as %+v, want %d restarts", st, want)
				}
				return
			}
			st := r.awaitState("web", sm.StateFailed)
			if !regexp.MustCompile(`^10 deaths in -?[0-9]+ s$`).MatchString(st.Problem) {
				t.Errorf("given up: %+v", st)
			}
			r.restart("web")
			if st := r.status("web"); st.State != sm.StateUp || st.Problem != "" || st.Restarts != 0 || r.exists("web", "data", "parked") {
				t.Errorf("after restart: %+v", st)
			}
			r.signal("web", syscall.SIGKILL)
			if st := r.awaitOther("web", r.status("web").PID); st.Restarts != 1 {
				t.Errorf("the next death: %+v, want it to count from one", st)
			}
		})
	}
}

// A death with a fatal code is final, until somebody starts the service.
func TestFatalExitCode(t *testing.T) {
	t.Parallel()
	for verb, do := range map[string]func(*rig){
		"start":   func(r *rig) { r.start("web") },
		"restart": func(r *rig) { r.restart("web") },
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := newPuppet(t, r.tree.Dir)
			spec := p.spec("web")
			spec.FatalExitCodes = []int{78, 100}
			r.register(spec)
			p.do("exit 100")
			st := r.awaitState("web", sm.StateFailed)
			if st.Problem != "exit code 100 is fatal" || st.WantUp || st.LastExit == nil || st.LastExit.Code != 100 || st.LastExit.At.IsZero() {
				t.Errorf("after a fatal exit: %+v (%v)", st, st.LastExit)
			}
			r.stop("web")
			if st := r.status("web"); st.State != sm.StateFailed {
				t.Errorf("stop made a failed service %v", st.State)
			}
			do(r)
			if st := r.status("web"); st.State != sm.StateUp || st.Problem != "" {
				t.Errorf("after %s: %+v", verb, st)
			}
			p.do("exit 77")
			r.await("web", "started again after a code that is not fatal", func(st sm.Status) bool {
				return st.Running() && st.LastExit != nil && st.LastExit.Code == 77
			})
		})
	}
}

// A service that fails while start or restart waits is reported so.
func TestFailsWhileStarting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sm.Spec{Name: "web", Command: []string{"/bin/sh", "-c", "exit 78"}, FatalExitCodes: []int{78}, Down: true})
	for verb, do := range map[string]func() error{
		"start":   func() error { return r.m.Start(r.ctx, "web") },
		"restart": func() error { return r.m.Restart(r.ctx, "web") },
	} {
		// Whether it lived long enough to be seen is for the machine to decide.
		if err := do(); err != nil && answerOf(err).Classes[0] != "failed" {
			t.Errorf("%s: %v", verb, err)
		}
		st := r.awaitState("web", sm.StateFailed)
		if st.Problem != "exit code 78 is fatal" {
			t.Errorf("after %s: %+v", verb, st)
		}
	}
}

// The restart policies, on deaths that nobody asked for.
func TestRestartPolicies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		policy sm.RestartPolicy
		death  string
		back   bool
	}{
		{name: "always, exit 0", policy: sm.RestartAlways, death: "exit 0", back: true},
		{name: "always, exit 125", policy: sm.RestartAlways, death: "exit 125", back: true},
		{name: "on failure, exit 0", policy: sm.RestartOnFailure, death: "exit 0"},
		{name: "on failure, exit 1", policy: sm.RestartOnFailure, death: "exit 1", back: true},
		{name: "on failure, SIGTERM", policy: sm.RestartOnFailure, death: "kill -TERM $$", back: true},
		{name: "never, exit 1", policy: sm.RestartNever, death: "exit 1"},
		{name: "never, SIGKILL", policy: sm.RestartNever, death: "kill -KILL $$"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := newPuppet(t, r.tree.Dir)
			spec := p.spec("web")
			spec.Restart = tc.policy
			r.register(spec)
			before := r.status("web")
			p.do(tc.death)
			if tc.back {
				r.awaitOther("web", before.PID)
				return
			}
			if st := r.awaitState("web", sm.StateDown); st.WantUp || st.Problem != "" || st.LastExit == nil {
				t.Errorf("it is %+v (%v), want it simply down", st, st.LastExit)
			}
		})
	}
}

// What stop and restart ask for never counts, whatever the exit looks like.
func TestAskedDeathsDoNotCount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	// Nine deaths that do count: one more would be the end.
	r.fillTally("web", 9, time.Second)
	for i := range 12 {
		before := r.status("web")
		p.expect("trap 'exit 78' TERM")
		r.restart("web")
		st := r.status("web")
		if st.State != sm.StateUp || st.PID == before.PID || st.Restarts != 9 {
			t.Fatalf("after restart %d: %+v (%v)", i+1, st, st.LastExit)
		}
	}
	p.expect("trap 'exit 78' TERM")
	for st, err := range r.m.Watch(r.ctx, "web") {
		must(t, err)
		switch st.State {
		case sm.StateUp:
			r.stop("web")
			continue
		case sm.StateFailed:
			t.Errorf("stop made it %+v (%v)", st, st.LastExit)
		case sm.StateDown:
		default:
			continue
		}
		break
	}
	st := r.status("web")
	if st.State != sm.StateDown || st.Problem != "" || st.Restarts != 9 || st.LastExit == nil || st.LastExit.Code != 78 {
		t.Errorf("after stop: %+v (%v)", st, st.LastExit)
	}
}

// The same where the client did not live to see the death it had asked for.
func TestAskedDeathIsNoFailureWithoutTheClient(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	p.expect(exitOnTerm(78))
	client := begin(t, call{Op: "stop", ScanDir: r.tree.ScanDir, Name: "web"})
	p.hear("term")
	client.kill()
	p.do("go")
	st := r.await("web", "at rest", func(st sm.Status) bool { return st.State == sm.StateDown || st.State == sm.StateFailed })
	if st.State != sm.StateDown || st.Problem != "" {
		t.Errorf("it is %+v (%v), want it down", st, st.LastExit)
	}
	r.replaceSupervisor("web")
	if st := r.status("web"); st.State != sm.StateDown {
		t.Errorf("after the supervisor's death: %+v", st)
	}
}

// A signal sent by a person is no stop: the policy applies to what it causes.
func TestSignalIsNoStop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	// A stop that was called off does not excuse later deaths.
	r.stop("web")
	r.start("web")
	p.expect("trap 'exit 78' TERM")
	r.signal("web", syscall.SIGTERM)
	if st := r.awaitState("web", sm.StateFailed); st.Problem != "exit code 78 is fatal" {
		t.Errorf("it is %+v", st)
	}
}

// Deaths that were asked for count for nothing also where nobody waits for them:
// finish takes them out of the tally, and only them.
func TestUnawaitedRestartsDoNotCount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	r.signal("web", syscall.SIGKILL) // one crash, which counts
	st := r.await("web", "up after the crash", func(st sm.Status) bool { return st.State == sm.StateUp && st.Restarts == 1 })
	for range 12 {
		must(t, r.m.Restart(r.ctx, "web", sm.NoWait()))
		pid := st.PID
		st = r.await("web", "up again", func(st sm.Status) bool { return st.State == sm.StateUp && st.PID != pid })
	}
	if st.Restarts != 1 {
		t.Errorf("%d deaths count, want the crash alone", st.Restarts)
	}
}

// Settling takes out the death that was asked for, and no other.
func TestSettleTakesOneDeath(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := sleeper("web")
	spec.Down = true
	r.register(spec)
	s := r.open("web")
	at := func(s int) time.Time { return time.Unix(1_800_000_000+int64(s), 0).UTC() }
	all := []status.Death{{At: at(1), Code: 1}, {At: at(2), Code: 2}, {At: at(3), Code: 3}}
	tests := []struct {
		name  string
		since time.Time
		want  []int
	}{
		{name: "the last", since: at(3), want: []int{1, 2}},
		{name: "the one before, as its successor died as well", since: at(2), want: []int{1, 3}},
		{name: "none, it is not recorded", since: at(4), want: []int{1, 2, 3}},
	}
	for _, tc := range tests {
		s.replaceTally(all)
		s.settle(sm.Status{PID: 1, Since: tc.since})
		var got []int
		for _, d := range r.tally("web") {
			got = append(got, d.Code)
		}
		if len(got) != len(tc.want) {
			t.Errorf("%s: %v is left, want %v", tc.name, got, tc.want)
			continue
		}
		for i := range got {
			if got[i] != tc.want[i] {
				t.Errorf("%s: %v is left, want %v", tc.name, got, tc.want)
			}
		}
	}
}
