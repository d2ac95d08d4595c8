package smtest

import (
	"slices"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func ensureRules() []rule {
	return []rule{
		{name: "ensure creates, leaves and updates", check: func(s *suite) {
			spec := s.spec()
			s.ensured(spec, servicemanager.ChangeCreated)
			pid := s.settled(spec.Name).PID
			s.ensured(spec, servicemanager.ChangeNone)
			if now := s.pid(spec.Name); now != pid {
				s.t.Errorf("process %d has become %d although nothing was changed", pid, now)
			}
			spec.Command = append(slices.Clone(spec.Command), "args=", "other")
			s.ensured(spec, servicemanager.ChangeUpdated)
			s.wantState(s.awaitAnother(spec.Name, pid), servicemanager.StateUp)
			s.gone(pid)
			s.ensured(spec, servicemanager.ChangeNone)
		}},
		{name: "ensure starts what is down", check: func(s *suite) {
			spec := s.up()
			s.must(s.m.Stop(s.ctx(), spec.Name))
			s.ensured(spec, servicemanager.ChangeNone)
			s.wantState(s.settled(spec.Name), servicemanager.StateUp)
		}},
		{name: "ensure of a service that is to be down does not start it", check: func(s *suite) {
			spec := s.spec()
			spec.Down = true
			s.ensured(spec, servicemanager.ChangeCreated)
			s.ensured(spec, servicemanager.ChangeNone)
			s.wantState(s.status(spec.Name), servicemanager.StateDown)
		}},
		{name: "remove makes absent, and absent is success", check: func(s *suite) {
			spec := s.up()
			for range 2 {
				s.must(servicemanager.Remove(s.ctx(), s.m, spec.Name))
				s.absent(spec.Name)
			}
		}},
	}
}

func (s *suite) ensured(spec servicemanager.Spec, want servicemanager.Change) {
	s.t.Helper()
	if !slices.Contains(s.added, spec.Name) {
		s.added = append(s.added, spec.Name)
	}
	got, err := servicemanager.Ensure(s.ctx(), s.m, spec)
	s.must(err)
	if got != want {
		s.t.Errorf("Ensure did %v, want %v", got, want)
	}
}
