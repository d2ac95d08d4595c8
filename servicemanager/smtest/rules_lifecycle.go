package smtest

import (
	"context"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func lifecycleRules() []rule {
	return []rule{
		{name: "start returns when the process exists", check: startReturns},
		{name: "starting what is up changes nothing", check: startTwice},
		{name: "stop returns when the process is gone", check: stopReturns},
		{name: "stopping what is down changes nothing", check: stopTwice},
		{name: "a service can be stopped that never ran", check: func(s *suite) {
			spec := s.spec()
			spec.Down = true
			s.add(spec)
			s.must(s.m.Stop(s.ctx(), spec.Name))
			s.wantState(s.status(spec.Name), servicemanager.StateDown)
		}},
		{name: "a service is started and stopped again and again", check: againAndAgain},
		{name: "without waiting the state comes later", check: withoutWaiting},
		{name: "without waiting a stop that takes long returns", check: withoutWaitingLong},
		{name: "a service started while it stops comes back", check: startedWhileStopping},
		{name: "verbs that contradict each other leave a service that obeys", check: contradiction},
	}
}

func startReturns(s *suite) {
	spec := s.spec()
	spec.Down = true
	s.add(spec)
	s.must(s.m.Start(s.ctx(), spec.Name))
	if err := s.Kill(s.pid(spec.Name), 0); err != nil {
		s.t.Errorf("its process does not exist: %v", err)
	}
}

func startTwice(s *suite) {
	spec := s.up()
	before := s.status(spec.Name)
	s.must(s.m.Start(s.ctx(), spec.Name))
	after := s.status(spec.Name)
	if after.PID != before.PID || !after.Since.Equal(before.Since) {
		s.t.Errorf("before: %s, after: %s", describe(before), describe(after))
	}
}

func stopReturns(s *suite) {
	spec := s.up(On(sigTerm, 5))
	pid := s.pid(spec.Name)
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.gone(pid)
	st := s.status(spec.Name)
	s.wantState(st, servicemanager.StateDown)
	s.wantExit(st, servicemanager.Exit{Code: 5})
	if st.WantUp || st.Running() || st.Ready {
		s.t.Errorf("the service is %s; want it neither wanted nor running", describe(st))
	}
}

func stopTwice(s *suite) {
	spec := s.up()
	s.must(s.m.Stop(s.ctx(), spec.Name))
	before := s.status(spec.Name)
	s.must(s.m.Stop(s.ctx(), spec.Name))
	if after := s.status(spec.Name); after.State != servicemanager.StateDown || !after.Since.Equal(before.Since) {
		s.t.Errorf("before: %s, after: %s", describe(before), describe(after))
	}
}

func againAndAgain(s *suite) {
	spec := s.up()
	last := s.pid(spec.Name)
	for range 3 {
		s.must(s.m.Stop(s.ctx(), spec.Name))
		s.gone(last)
		s.must(s.m.Start(s.ctx(), spec.Name))
		pid := s.settled(spec.Name).PID
		if pid == last {
			s.t.Errorf("process %d is there again", pid)
		}
		last = pid
	}
}

func withoutWaiting(s *suite) {
	spec := s.up()
	pid := s.pid(spec.Name)
	s.must(s.m.Restart(s.ctx(), spec.Name, servicemanager.NoWait()))
	s.awaitAnother(spec.Name, pid)
	s.settled(spec.Name)
	s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.NoWait()))
	s.await(spec.Name, "down", func(st servicemanager.Status) bool { return st.State == servicemanager.StateDown })
	s.must(s.m.Start(s.ctx(), spec.Name, servicemanager.NoWait()))
	s.settled(spec.Name)
}

func withoutWaitingLong(s *suite) {
	spec := s.up(Ignore(sigTerm))
	s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.NoWait()))
	st := s.await(spec.Name, "stopping", func(st servicemanager.Status) bool { return !st.WantUp })
	s.wantState(st, servicemanager.StateStopping)
	if !st.Running() {
		s.t.Errorf("the service is %s; want its process still there", describe(st))
	}
}

func startedWhileStopping(s *suite) {
	spec := s.up(OnAfter(sigTerm, 300*time.Millisecond, 0))
	pid := s.pid(spec.Name)
	s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.NoWait()))
	s.must(s.m.Start(s.ctx(), spec.Name))
	st := s.awaitAnother(spec.Name, pid)
	if !st.WantUp {
		s.t.Errorf("the service is %s; want it wanted up", describe(st))
	}
	s.gone(pid)
}

// contradiction lets callers work against each other. What they get is their
// own business; some can only run into their time limit.
func contradiction(s *suite) {
	spec := s.up()
	var work sync.WaitGroup
	for _, verb := range []func(context.Context, string, ...servicemanager.ActOption) error{
		s.m.Start, s.m.Stop, s.m.Restart, s.m.Stop, s.m.Start,
	} {
		work.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			for range 3 {
				if err := verb(ctx, spec.Name); err != nil {
					return
				}
			}
		})
	}
	work.Wait()
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.wantState(s.status(spec.Name), servicemanager.StateDown)
	s.must(s.m.Start(s.ctx(), spec.Name))
	s.settled(spec.Name)
	s.must(s.m.Restart(s.ctx(), spec.Name))
	s.wantState(s.settled(spec.Name), servicemanager.StateUp)
}
