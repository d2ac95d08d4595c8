package smtest

import (
	"context"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func policyRules() []rule {
	return []rule{
		{name: "always: a service that exits 0 comes back", check: func(s *suite) {
			s.diesAndComesBack(servicemanager.RestartAlways, servicemanager.Exit{Code: 0})
		}},
		{name: "always: a service that was killed comes back", check: func(s *suite) {
			s.diesAndComesBack(servicemanager.RestartAlways, servicemanager.Exit{Signal: syscall.SIGKILL})
		}},
		{name: "on-failure: a service that exits 3 comes back", check: func(s *suite) {
			s.diesAndComesBack(servicemanager.RestartOnFailure, servicemanager.Exit{Code: 3})
		}},
		{name: "on-failure: a service that was killed comes back", check: func(s *suite) {
			s.diesAndComesBack(servicemanager.RestartOnFailure, servicemanager.Exit{Signal: syscall.SIGKILL})
		}},
		{name: "on-failure: a service that exits 0 stays down", check: func(s *suite) {
			st := s.diesForGood(servicemanager.RestartOnFailure, servicemanager.Exit{Code: 0})
			s.wantState(st, servicemanager.StateDown)
		}},
		{name: "never: a service that exits 0 stays down", check: func(s *suite) {
			st := s.diesForGood(servicemanager.RestartNever, servicemanager.Exit{Code: 0})
			s.wantState(st, servicemanager.StateDown)
		}},
		{name: "never: a service that exits 3 is not restarted", check: func(s *suite) {
			s.diesForGood(servicemanager.RestartNever, servicemanager.Exit{Code: 3})
		}},
		{name: "never: a service that was killed is not restarted", check: func(s *suite) {
			s.diesForGood(servicemanager.RestartNever, servicemanager.Exit{Signal: syscall.SIGKILL})
		}},
		{name: "a fatal exit code makes a service failed", check: fatalCode},
		{name: "a failed service can be started", check: failedIsStarted},
		{name: "a failed service can be stopped", check: func(s *suite) {
			spec := s.failed()
			s.must(s.m.Stop(s.ctx(), spec.Name))
			if st := s.status(spec.Name); st.WantUp || st.Running() {
				s.t.Errorf("the service is %s; want it neither wanted nor running", describe(st))
			}
		}},
		{name: "exit codes that are not fatal are not", check: otherCode},
		{name: "deaths that were asked for make nothing fail and count nothing", check: deathsAskedFor},
		{name: "the restart delay is the spec's", check: restartDelay},
		{name: "a start does not wait for the restart delay", check: func(s *suite) {
			s.endsDelay(s.m.Start)
		}},
		{name: "a restart does not wait for the restart delay", check: func(s *suite) {
			s.endsDelay(s.m.Restart)
		}},
		{name: "a stop ends the restart delay", check: stopInBackoff},
	}
}

func fatalCode(s *suite) {
	spec := s.failed()
	st := s.status(spec.Name)
	s.wantExit(st, servicemanager.Exit{Code: 78})
	if st.Problem == "" || st.WantUp || st.Running() {
		s.t.Errorf("the service is %s; want it not wanted, with a problem", describe(st))
	}
}

func failedIsStarted(s *suite) {
	spec := s.failed()
	s.must(s.m.Start(s.ctx(), spec.Name))
	st := s.settled(spec.Name)
	s.wantState(st, servicemanager.StateUp)
	if st.Problem != "" || !st.WantUp {
		s.t.Errorf("the service is %s; want it wanted, without a problem", describe(st))
	}
}

func otherCode(s *suite) {
	spec := s.spec(On(sigTell, 3))
	spec.FatalExitCodes = []int{78}
	s.addWith("FatalExitCodes", spec)
	s.settled(spec.Name)
	s.awaitAnother(spec.Name, s.signal(spec.Name, sigTell))
}

func deathsAskedFor(s *suite) {
	spec := s.spec(On(sigTerm, 78))
	spec.FatalExitCodes = []int{78}
	s.addWith("FatalExitCodes", spec)
	for range 2 {
		s.settled(spec.Name)
		s.must(s.m.Stop(s.ctx(), spec.Name))
		st := s.status(spec.Name)
		s.wantState(st, servicemanager.StateDown)
		if st.Restarts != 0 || st.Problem != "" {
			s.t.Errorf("after a stop the service is %s; want no restarts and no problem", describe(st))
		}
		s.must(s.m.Start(s.ctx(), spec.Name))
	}
	s.settled(spec.Name)
	s.must(s.m.Restart(s.ctx(), spec.Name))
	if st := s.settled(spec.Name); st.Restarts != 0 {
		s.t.Errorf("the service is %s; want no restarts", describe(st))
	}
}

func restartDelay(s *suite) {
	spec := s.spec()
	const delay = 300 * time.Millisecond
	spec.RestartDelay, spec.RestartMaxDelay = delay, delay
	s.addWith("RestartDelay", spec)
	for range 2 {
		s.settled(spec.Name)
		died := time.Now()
		s.awaitAnother(spec.Name, s.signal(spec.Name, syscall.SIGKILL))
		if took := time.Since(died); took < delay {
			s.t.Errorf("it came back after %v, before the delay of %v", took, delay)
		}
	}
}

// backingOff adds a service that has died and whose next start is far away.
func (s *suite) backingOff() servicemanager.Spec {
	s.t.Helper()
	spec := s.spec()
	spec.RestartDelay, spec.RestartMaxDelay = time.Hour, time.Hour
	s.addWith("RestartDelay", spec)
	s.settled(spec.Name)
	s.signal(spec.Name, syscall.SIGKILL)
	st := s.await(spec.Name, "backoff", func(st servicemanager.Status) bool { return st.State == servicemanager.StateBackoff })
	if !st.WantUp || st.Running() || st.Problem == "" {
		s.t.Errorf("the service is %s; want it wanted, without a process, and a problem that tells of the next start", describe(st))
	}
	return spec
}

func (s *suite) endsDelay(verb func(context.Context, string, ...servicemanager.ActOption) error) {
	s.t.Helper()
	spec := s.backingOff()
	s.must(verb(s.ctx(), spec.Name))
	st := s.settled(spec.Name)
	s.wantState(st, servicemanager.StateUp)
	if st.Problem != "" {
		s.t.Errorf("the service is %s; want no problem", describe(st))
	}
}

func stopInBackoff(s *suite) {
	spec := s.backingOff()
	s.must(s.m.Stop(s.ctx(), spec.Name))
	st := s.status(spec.Name)
	s.wantState(st, servicemanager.StateDown)
	if st.WantUp || st.Problem != "" {
		s.t.Errorf("the service is %s; want it neither wanted nor with a problem", describe(st))
	}
}

// mortal adds a service that dies in the given way when it is told to.
func (s *suite) mortal(policy servicemanager.RestartPolicy, exit servicemanager.Exit) (name string, die syscall.Signal) {
	s.t.Helper()
	spec := s.spec(On(sigTell, exit.Code))
	spec.Restart = policy
	s.addWith("Restart", spec)
	s.settled(spec.Name)
	if exit.Signal != 0 {
		return spec.Name, exit.Signal
	}
	return spec.Name, sigTell
}

func (s *suite) diesAndComesBack(policy servicemanager.RestartPolicy, exit servicemanager.Exit) {
	s.t.Helper()
	name, die := s.mortal(policy, exit)
	pid := s.signal(name, die)
	st := s.awaitAnother(name, pid)
	s.wantExit(st, exit)
	if st.Restarts != 1 || !st.WantUp {
		s.t.Errorf("the service is %s; want one restart counted", describe(st))
	}
	s.gone(pid)
}

func (s *suite) diesForGood(policy servicemanager.RestartPolicy, exit servicemanager.Exit) servicemanager.Status {
	s.t.Helper()
	name, die := s.mortal(policy, exit)
	s.signal(name, die)
	st := s.awaitEnd(name)
	s.wantExit(st, exit)
	if st.Running() || st.WantUp {
		s.t.Errorf("the service is %s; want it neither wanted nor running", describe(st))
	}
	s.must(s.m.Start(s.ctx(), name))
	s.settled(name)
	return st
}
