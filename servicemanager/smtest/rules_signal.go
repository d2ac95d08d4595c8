package smtest

import (
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func signalRules() []rule {
	rules := []rule{
		{name: "a signal reaches the process", check: signalArrives},
		{name: "a signal that ends the process is a death nobody asked for", check: signalKills},
		{name: "a signal that ends the process is subject to the restart policy", check: signalAndPolicy},
		{name: "a service that is down is ErrNotRunning", check: signalToNobody},
		{name: "a service that failed is ErrNotRunning", check: func(s *suite) {
			spec := s.failed()
			s.refused(s.signaler().Signal(s.ctx(), spec.Name, syscall.SIGTERM), "signal", spec.Name, servicemanager.ErrNotRunning)
		}},
		{name: "an absent service is ErrNotRegistered", check: func(s *suite) {
			name := s.newName()
			s.refused(s.signaler().Signal(s.ctx(), name, syscall.SIGTERM), "signal", name, servicemanager.ErrNotRegistered)
		}},
		{name: "what is no signal is refused", check: noSignal},
	}
	for i := range rules {
		rules[i].needs = []servicemanager.Capability{servicemanager.CapSignal}
	}
	return rules
}

func signalArrives(s *suite) {
	pids := map[string]int{}
	for i, sig := range []syscall.Signal{sigTell, sigTellAlso, syscall.SIGHUP, syscall.SIGINT} {
		spec := s.up(On(sig, 11+i))
		pids[spec.Name] = s.pid(spec.Name)
		s.must(s.signaler().Signal(s.ctx(), spec.Name, sig))
	}
	for i, name := range s.added {
		s.wantExit(s.awaitAnother(name, pids[name]), servicemanager.Exit{Code: 11 + i})
	}
}

func signalKills(s *suite) {
	spec := s.up()
	pid := s.pid(spec.Name)
	s.must(s.signaler().Signal(s.ctx(), spec.Name, syscall.SIGKILL))
	st := s.awaitAnother(spec.Name, pid)
	s.wantExit(st, servicemanager.Exit{Signal: syscall.SIGKILL})
	if !st.WantUp || st.Restarts != 1 {
		s.t.Errorf("the service is %s; want it wanted, with one restart", describe(st))
	}
}

func signalAndPolicy(s *suite) {
	spec := s.spec()
	spec.Restart = servicemanager.RestartOnFailure
	s.addWith("Restart", spec)
	s.settled(spec.Name)
	s.must(s.signaler().Signal(s.ctx(), spec.Name, syscall.SIGTERM))
	s.wantExit(s.awaitEnd(spec.Name), servicemanager.Exit{Code: 0})
}

func signalToNobody(s *suite) {
	spec := s.spec()
	spec.Down = true
	s.add(spec)
	s.refused(s.signaler().Signal(s.ctx(), spec.Name, syscall.SIGTERM), "signal", spec.Name, servicemanager.ErrNotRunning)
	s.must(s.m.Start(s.ctx(), spec.Name))
	s.must(s.m.Stop(s.ctx(), spec.Name))
	s.refused(s.signaler().Signal(s.ctx(), spec.Name, syscall.SIGTERM), "signal", spec.Name, servicemanager.ErrNotRunning)
}

func noSignal(s *suite) {
	spec := s.up()
	pid := s.pid(spec.Name)
	for _, sig := range []syscall.Signal{-1, 0, 1000} {
		if err := s.signaler().Signal(s.ctx(), spec.Name, sig); err == nil {
			s.t.Errorf("signal %d was sent", sig)
		} else {
			s.proper(err, "signal", spec.Name)
		}
	}
	if now := s.pid(spec.Name); now != pid {
		s.t.Errorf("the process was %d and is %d", pid, now)
	}
}

func (s *suite) signaler() servicemanager.Signaler {
	s.t.Helper()
	g, ok := servicemanager.As[servicemanager.Signaler](s.m)
	if !ok {
		s.t.Fatal("CapSignal is supported, but there is no Signaler")
	}
	return g
}
