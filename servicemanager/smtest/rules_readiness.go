package smtest

import (
	"context"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func readinessRules() []rule {
	return []rule{
		{name: "the example program of package notify becomes ready and exits 0", check: exampleIsReady},
		{name: "the example program runs where readiness is not asked for", check: func(s *suite) {
			spec := s.add(servicemanager.Spec{Name: s.newName(), Command: NotifyProgram()})
			s.wantState(s.await(spec.Name, "up", servicemanager.Status.Running), servicemanager.StateUp)
			s.must(s.m.Stop(s.ctx(), spec.Name))
		}},
		{name: "a service is starting until it announces readiness", check: startingUntilReady},
		{name: "start does not wait for readiness", check: startNotReady},
		{name: "a wait for readiness ends with the announcement", needs: []servicemanager.Capability{servicemanager.CapWait}, check: waitForReadiness},
		{name: "readiness ends with the process", check: readinessEnds},
		{name: "a program of s6 announces readiness on its descriptor", check: func(s *suite) {
			spec := s.spec(AnnounceFD(4))
			spec.ReadyFD = 4
			s.addWith("ReadyFD", spec)
			st := s.await(spec.Name, "ready", func(st servicemanager.Status) bool { return st.Ready })
			s.wantState(st, servicemanager.StateUp)
		}},
	}
}

func exampleIsReady(s *suite) {
	spec := servicemanager.Spec{Name: s.newName(), Command: NotifyProgram(), Ready: servicemanager.ReadyNotify}
	s.addWith("Ready", spec)
	s.await(spec.Name, "ready", func(st servicemanager.Status) bool { return st.Ready })
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.wantExit(s.status(spec.Name), servicemanager.Exit{Code: 0})
}

func startingUntilReady(s *suite) {
	spec := s.announcer()
	st := s.status(spec.Name)
	s.wantState(st, servicemanager.StateStarting)
	if st.Ready || !st.Running() || !st.ReadySince.IsZero() {
		s.t.Errorf("the service is %s; want it running and not ready", describe(st))
	}
	begun := time.Now()
	s.signal(spec.Name, sigTell)
	st = s.await(spec.Name, "ready", func(st servicemanager.Status) bool { return st.Ready })
	s.wantState(st, servicemanager.StateUp)
	s.between("readiness", st.ReadySince, begun)
}

func startNotReady(s *suite) {
	spec := s.announcer()
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.must(s.m.Start(s.ctx(), spec.Name))
	s.must(s.m.Restart(s.ctx(), spec.Name))
	s.wantState(s.settled(spec.Name), servicemanager.StateStarting)
}

func waitForReadiness(s *suite) {
	spec := s.announcer()
	_, err := s.waiter().Wait(s.within(50*time.Millisecond), spec.Name, servicemanager.UntilReady)
	s.refused(err, "wait", spec.Name, context.DeadlineExceeded)
	ctx, w := s.ctx(), s.waiter()
	waiting := s.beside(func() (servicemanager.Status, error) {
		return w.Wait(ctx, spec.Name, servicemanager.UntilReady)
	})
	s.signal(spec.Name, sigTell)
	o := s.receive(waiting, "the wait")
	s.must(o.err)
	if !o.st.Ready || o.st.State != servicemanager.StateUp {
		s.t.Errorf("the wait ended with %s; want it up and ready", describe(o.st))
	}
}

func readinessEnds(s *suite) {
	spec := s.announcer()
	s.signal(spec.Name, sigTell)
	s.await(spec.Name, "ready", func(st servicemanager.Status) bool { return st.Ready })
	s.must(s.m.Restart(s.ctx(), spec.Name))
	if st := s.settled(spec.Name); st.Ready {
		s.t.Errorf("after a restart the service is %s; want it not ready", describe(st))
	}
	s.must(s.m.Stop(s.ctx(), spec.Name))
	if st := s.status(spec.Name); st.Ready {
		s.t.Errorf("after a stop the service is %s; want it not ready", describe(st))
	}
}

// announcer adds a service that announces readiness when it is told to.
func (s *suite) announcer() servicemanager.Spec {
	s.t.Helper()
	spec := s.spec(Await(sigTell), Announce())
	spec.Ready = servicemanager.ReadyNotify
	s.addWith("Ready", spec)
	s.settled(spec.Name)
	return spec
}
