package smtest

import (
	"context"
	"errors"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func contextRules() []rule {
	return []rule{
		{name: "a call whose context has ended returns at once", check: func(s *suite) {
			spec := s.up(Ignore(sigTerm)) // a stop would take long
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			for _, c := range s.calls(s.m, spec) {
				ended := s.beside(func() (servicemanager.Status, error) { return servicemanager.Status{}, c.do(ctx) })
				err := s.receive(ended, c.op).err
				if err == nil {
					continue // it was done without waiting
				}
				s.proper(err, c.op, c.name)
				taken := c.op == s.door.addOp && errors.Is(err, servicemanager.ErrAlreadyRegistered)
				if !taken && !errors.Is(err, context.Canceled) {
					s.t.Errorf("%s: %v; want context.Canceled", c.op, err)
				}
			}
		}},
		{name: "the end of the context ends a stop, and the stop goes on", check: func(s *suite) {
			spec := s.reluctant()
			s.abandons("stop", spec.Name, func(ctx context.Context) error { return s.m.Stop(ctx, spec.Name) })
			if st := s.status(spec.Name); st.WantUp {
				s.t.Errorf("the service is %s; want it not wanted any more", describe(st))
			}
			s.signal(spec.Name, sigTell)
			s.wantExit(s.awaitEnd(spec.Name), servicemanager.Exit{Code: 6})
		}},
		{name: "the end of the context ends a restart, and the restart goes on", check: func(s *suite) {
			spec := s.reluctant()
			s.abandons("restart", spec.Name, func(ctx context.Context) error { return s.m.Restart(ctx, spec.Name) })
			s.awaitAnother(spec.Name, s.signal(spec.Name, sigTell))
		}},
		{name: "the end of the context ends a removal", check: func(s *suite) {
			spec := s.reluctant()
			s.abandons(s.door.removeOp, spec.Name, func(ctx context.Context) error { return s.door.remove(ctx, spec.Name) })
			s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.StopWithin(50*time.Millisecond)))
			s.must(s.door.remove(s.ctx(), spec.Name))
			s.absent(spec.Name)
		}},
		{name: "a start that waits for a dying process ends with its context", check: func(s *suite) {
			spec := s.up(Ignore(sigTerm))
			s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.NoWait()))
			err := s.m.Start(s.within(50*time.Millisecond), spec.Name)
			if err != nil { // it may also be content with the process that is there
				s.refused(err, "start", spec.Name, context.DeadlineExceeded)
			}
		}},
	}
}

// reluctant adds a service that becomes ready when it is asked to stop, which
// makes that visible, and ends when it is told to.
func (s *suite) reluctant() servicemanager.Spec {
	s.t.Helper()
	spec := s.spec(On(sigTell, 6), Await(sigTerm), Announce())
	spec.Ready = servicemanager.ReadyNotify
	spec.StopTimeout = s.Patience
	s.addWith("Ready", spec)
	s.settled(spec.Name)
	return spec
}

// abandons cancels a call once the process has got its signal.
func (s *suite) abandons(op, name string, do func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	doing := s.beside(func() (servicemanager.Status, error) { return servicemanager.Status{}, do(ctx) })
	s.await(name, "asked to stop", func(st servicemanager.Status) bool { return st.Ready })
	cancel()
	s.refused(s.receive(doing, op).err, op, name, context.Canceled)
}
