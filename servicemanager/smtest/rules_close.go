package smtest

import (
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func closeRules() []rule {
	return []rule{
		{name: "after close every call answers ErrClosed", check: func(s *suite) {
			spec := s.up()
			calls := s.calls(s.m, spec) // As may look before
			s.must(s.m.Close())
			for _, c := range calls {
				s.refused(c.do(s.ctx()), c.op, c.name, servicemanager.ErrClosed)
			}
		}},
		{name: "closing twice is success", addless: true, check: func(s *suite) {
			for range 3 {
				s.must(s.m.Close())
			}
		}},
		{name: "closing side by side is success", addless: true, check: func(s *suite) {
			var closing []<-chan outcome
			for range 4 {
				closing = append(closing, s.beside(func() (servicemanager.Status, error) {
					return servicemanager.Status{}, s.m.Close()
				}))
			}
			for _, c := range closing {
				s.must(s.receive(c, "Close").err)
			}
		}},
		{name: "closing ends a wait", needs: []servicemanager.Capability{servicemanager.CapWait}, check: func(s *suite) {
			spec := s.spec()
			spec.Down = true
			s.add(spec)
			ctx, w := s.ctx(), s.waiter()
			waiting := s.beside(func() (servicemanager.Status, error) { return w.Wait(ctx, spec.Name, servicemanager.UntilUp) })
			s.must(s.m.Close())
			s.refused(s.receive(waiting, "the wait").err, "wait", spec.Name, servicemanager.ErrClosed)
		}},
		{name: "closing ends the following of a log", needs: []servicemanager.Capability{servicemanager.CapLogs}, check: func(s *suite) {
			spec := s.logged(Print(1, "line"))
			log := s.open(s.within(2*s.Patience), spec.Name, servicemanager.LogOptions{Follow: true})
			log.until("line 1")
			reading := s.beside(log.readOn)
			s.must(s.m.Close())
			s.receive(reading, "the read")
		}},
		{name: "closing one manager leaves the other", check: func(s *suite) {
			if s.Reopen == nil {
				s.t.Skip("services belong to one manager here")
			}
			spec := s.up()
			pid := s.pid(spec.Name)
			s.must(s.Reopen(s.t).Close())
			if now := s.pid(spec.Name); now != pid {
				s.t.Errorf("process %d has become %d", pid, now)
			}
			s.must(s.m.Restart(s.ctx(), spec.Name))
			s.settled(spec.Name)
		}},
	}
}
