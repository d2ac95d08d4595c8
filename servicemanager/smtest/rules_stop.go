package smtest

import (
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func stopRules() []rule {
	return []rule{
		{name: "a process that outlives the stop timeout is killed", check: killedInTime},
		{name: "StopWithin kills before the stop timeout", check: killedSooner},
		{name: "StopWithin gives more time than the stop timeout", check: killedLater},
		{name: "a process within its stop timeout is not killed", check: func(s *suite) {
			spec := s.up(OnAfter(sigTerm, 200*time.Millisecond, 7))
			s.must(s.m.Stop(s.ctx(), spec.Name))
			s.wantExit(s.status(spec.Name), servicemanager.Exit{Code: 7})
		}},
		{name: "the stop signal is the spec's", check: stopSignal},
		{name: "a crash loop can be stopped", check: crashLoopStopped},
		{name: "a process that was suspended can be stopped", check: suspendedStopped},
	}
}

func killedInTime(s *suite) {
	spec := s.spec(Ignore(sigTerm))
	spec.StopTimeout = 200 * time.Millisecond
	s.addWith("StopTimeout", spec)
	s.settled(spec.Name)
	s.stopKills(spec.Name, spec.StopTimeout)
}

func killedSooner(s *suite) {
	spec := s.spec(Ignore(sigTerm))
	spec.StopTimeout = time.Hour
	s.addWith("StopTimeout", spec)
	s.settled(spec.Name)
	const within = 150 * time.Millisecond
	s.stopKills(spec.Name, within, servicemanager.StopWithin(within))
}

func killedLater(s *suite) {
	spec := s.spec(OnAfter(sigTerm, 600*time.Millisecond, 7))
	spec.StopTimeout = 100 * time.Millisecond
	s.addWith("StopTimeout", spec)
	s.settled(spec.Name)
	s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.StopWithin(s.Patience)))
	s.wantExit(s.status(spec.Name), servicemanager.Exit{Code: 7})
}

func stopSignal(s *suite) {
	spec := s.spec(Ignore(sigTerm), On(syscall.SIGINT, 9))
	spec.StopSignal = syscall.SIGINT
	s.addWith("StopSignal", spec)
	s.settled(spec.Name)
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.wantExit(s.status(spec.Name), servicemanager.Exit{Code: 9})
}

func crashLoopStopped(s *suite) {
	spec := s.add(s.spec(Exit(1)))
	s.must(s.m.Stop(s.ctx(), spec.Name))
	st := s.status(spec.Name)
	s.wantState(st, servicemanager.StateDown)
	if st.WantUp || st.Running() {
		s.t.Errorf("the service is %s; want it down for good", describe(st))
	}
}

func suspendedStopped(s *suite) {
	if sigStop == 0 {
		s.t.Skip("processes cannot be suspended here")
	}
	spec := s.spec()
	spec.StopTimeout = time.Second
	s.addWith("StopTimeout", spec)
	s.settled(spec.Name)
	pid := s.signal(spec.Name, sigStop)
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.gone(pid)
	s.wantState(s.status(spec.Name), servicemanager.StateDown)
}

// stopKills stops a service that does not end by itself.
func (s *suite) stopKills(name string, limit time.Duration, opts ...servicemanager.ActOption) {
	s.t.Helper()
	pid := s.pid(name)
	begun := time.Now()
	s.must(s.m.Stop(s.ctx(), name, opts...))
	if took := time.Since(begun); took < limit {
		s.t.Errorf("it was killed after %v, before its time of %v", took, limit)
	}
	s.gone(pid)
	st := s.status(name)
	s.wantState(st, servicemanager.StateDown)
	s.wantExit(st, servicemanager.Exit{Signal: syscall.SIGKILL})
}
