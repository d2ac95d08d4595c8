package smtest

import (
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func restartRules() []rule {
	fatal := func(sp *servicemanager.Spec) { sp.FatalExitCodes = []int{78} }
	policy := func(p servicemanager.RestartPolicy) func(*servicemanager.Spec) {
		return func(sp *servicemanager.Spec) { sp.Restart = p }
	}
	return []rule{
		{name: "restart returns when a new process exists", check: func(s *suite) {
			spec := s.up()
			s.restarted(spec.Name)
		}},
		{name: "a service that exits 0 comes back under on-failure", check: comesBack("Restart", policy(servicemanager.RestartOnFailure), On(sigTerm, 0))},
		{name: "a service comes back that is never restarted by itself", check: comesBack("Restart", policy(servicemanager.RestartNever), On(sigTerm, 0))},
		{name: "a service that exits with a fatal code comes back", check: comesBack("FatalExitCodes", fatal, On(sigTerm, 78))},
		{name: "a service that ignores the stop signal comes back", check: comesBack("StopTimeout", func(sp *servicemanager.Spec) {
			sp.StopTimeout = 200 * time.Millisecond
		}, Ignore(sigTerm))},
		{name: "restart kills within StopWithin", check: func(s *suite) {
			spec := s.up(Ignore(sigTerm))
			s.restarted(spec.Name, servicemanager.StopWithin(100*time.Millisecond))
		}},
		{name: "a service that is down is started", check: func(s *suite) {
			spec := s.spec()
			spec.Down = true
			s.add(spec)
			s.must(s.m.Restart(s.ctx(), spec.Name))
			s.wantState(s.settled(spec.Name), servicemanager.StateUp)
		}},
		{name: "a service that failed is started", check: func(s *suite) {
			spec := s.failed()
			s.must(s.m.Restart(s.ctx(), spec.Name))
			st := s.settled(spec.Name)
			s.wantState(st, servicemanager.StateUp)
			if st.Problem != "" {
				s.t.Errorf("the old problem is still told: %s", describe(st))
			}
		}},
		{name: "a stop ends what restart began", check: func(s *suite) {
			spec := s.up()
			s.must(s.m.Restart(s.ctx(), spec.Name))
			s.must(s.m.Stop(s.ctx(), spec.Name))
			s.wantState(s.status(spec.Name), servicemanager.StateDown)
		}},
		{name: "two restarts at once both return", check: func(s *suite) {
			spec := s.up()
			pid := s.pid(spec.Name)
			restart := func() (servicemanager.Status, error) {
				return servicemanager.Status{}, s.m.Restart(s.ctx(), spec.Name)
			}
			first, second := s.beside(restart), s.beside(restart)
			s.must(s.receive(first, "the first restart").err)
			s.must(s.receive(second, "the second restart").err)
			s.gone(pid)
			s.await(spec.Name, "up", func(st servicemanager.Status) bool { return st.State == servicemanager.StateUp })
		}},
	}
}

// restarted checks one restart.
func (s *suite) restarted(name string, opts ...servicemanager.ActOption) {
	s.t.Helper()
	before := s.status(name)
	s.must(s.m.Restart(s.ctx(), name, opts...))
	s.gone(before.PID)
	after := s.settled(name)
	s.wantState(after, servicemanager.StateUp)
	if after.PID == before.PID || after.Restarts != before.Restarts || !after.WantUp {
		s.t.Errorf("before: %s, after: %s; want another process and no restart counted", describe(before), describe(after))
	}
}

// comesBack is the rule that the exit policy does not apply to a restart.
func comesBack(field string, set func(*servicemanager.Spec), steps ...Step) func(*suite) {
	return func(s *suite) {
		spec := s.spec(steps...)
		set(&spec)
		s.addWith(field, spec)
		s.settled(spec.Name)
		for range 2 {
			s.restarted(spec.Name)
		}
	}
}

// failed adds a service that has failed for good; it runs well once started
// anew.
func (s *suite) failed() servicemanager.Spec {
	s.t.Helper()
	spec := s.spec(On(sigTell, 78))
	spec.FatalExitCodes = []int{78}
	s.addWith("FatalExitCodes", spec)
	s.settled(spec.Name)
	s.signal(spec.Name, sigTell)
	s.wantState(s.awaitEnd(spec.Name), servicemanager.StateFailed)
	return spec
}
