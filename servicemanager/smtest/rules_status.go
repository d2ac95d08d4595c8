package smtest

import (
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func statusRules() []rule {
	return []rule{
		{name: "status of an absent service is ErrNotRegistered", check: func(s *suite) {
			name := s.newName()
			_, err := s.m.Status(s.ctx(), name)
			s.refused(err, "status", name, servicemanager.ErrNotRegistered)
		}},
		{name: "the pid is the program's own", check: pidIsOwn},
		{name: "since is when it came up", check: sinceUp},
		{name: "since is when it went down", check: func(s *suite) {
			spec := s.up()
			begun := time.Now()
			s.must(s.m.Stop(s.ctx(), spec.Name))
			s.between("since", s.status(spec.Name).Since, begun)
		}},
		{name: "the last exit is told with its code", check: exitCode},
		{name: "the last exit is told with its signal", check: exitSignal},
		{name: "the last exit stays known while it runs again", check: func(s *suite) {
			spec := s.up(On(sigTell, 4))
			s.awaitAnother(spec.Name, s.signal(spec.Name, sigTell))
			s.wantExit(s.settled(spec.Name), servicemanager.Exit{Code: 4})
		}},
		{name: "a service that never exited has no last exit", check: func(s *suite) {
			if st := s.status(s.up().Name); st.LastExit != nil || st.Restarts != 0 || st.Problem != "" {
				s.t.Errorf("the service is %s; want no exit, no restarts, no problem", describe(st))
			}
		}},
		{name: "a service that stops is stopping", check: stoppingIsTold},
		{name: "a status does not change once it was returned", check: statusIsValue},
		{name: "a service that is started on request only is not enabled", check: notEnabled},
	}
}

func pidIsOwn(s *suite) {
	spec := s.add(s.spec())
	s.settled(spec.Name) // the program itself has told this pid
	if err := s.Kill(s.pid(spec.Name), 0); err != nil {
		s.t.Error(err)
	}
}

func sinceUp(s *suite) {
	begun := time.Now()
	spec := s.up()
	first := s.status(spec.Name).Since
	s.between("since", first, begun)
	again := time.Now()
	s.must(s.m.Restart(s.ctx(), spec.Name))
	st := s.settled(spec.Name)
	s.between("since, after a restart,", st.Since, again)
	if !first.IsZero() && !st.Since.After(first) {
		s.t.Errorf("since was %v and is %v after a restart", first, st.Since)
	}
}

func exitCode(s *suite) {
	spec := s.up(On(sigTerm, 217))
	begun := time.Now()
	s.must(s.m.Stop(s.ctx(), spec.Name))
	st := s.status(spec.Name)
	s.wantExit(st, servicemanager.Exit{Code: 217})
	if st.LastExit != nil {
		s.between("the last exit", st.LastExit.At, begun)
	}
}

func exitSignal(s *suite) {
	spec := s.spec()
	spec.Restart = servicemanager.RestartNever
	s.addWith("Restart", spec)
	s.settled(spec.Name)
	s.signal(spec.Name, syscall.SIGKILL)
	st := s.awaitEnd(spec.Name)
	s.wantExit(st, servicemanager.Exit{Signal: syscall.SIGKILL})
}

func stoppingIsTold(s *suite) {
	spec := s.up(OnAfter(sigTerm, 300*time.Millisecond, 0))
	s.must(s.m.Stop(s.ctx(), spec.Name, servicemanager.NoWait()))
	st := s.await(spec.Name, "not wanted", func(st servicemanager.Status) bool { return !st.WantUp })
	if st.State != servicemanager.StateStopping && st.State != servicemanager.StateDown {
		s.t.Errorf("the service is %s; want it stopping", describe(st))
	}
}

func statusIsValue(s *suite) {
	spec := s.up(On(sigTerm, 1))
	s.must(s.m.Stop(s.ctx(), spec.Name))
	st := s.status(spec.Name)
	s.wantExit(st, servicemanager.Exit{Code: 1})
	st.LastExit.Code = 99
	s.wantExit(s.status(spec.Name), servicemanager.Exit{Code: 1})
}

func notEnabled(s *suite) {
	spec := s.spec()
	spec.Boot = servicemanager.BootManual
	s.addWith("Boot", spec)
	if st := s.status(spec.Name); st.Enabled {
		s.t.Errorf("the service is %s; want it not enabled", describe(st))
	}
}

// clockSlack is how far the stamps of a manager may be off.
const clockSlack = time.Second

// between checks a stamp of something that has happened since begun. Unknown is
// allowed.
func (s *suite) between(what string, at, begun time.Time) {
	s.t.Helper()
	if now := time.Now(); !at.IsZero() && (at.Before(begun.Add(-clockSlack)) || at.After(now.Add(clockSlack))) {
		s.t.Errorf("%s is %v, not between %v and %v", what, at, begun, now)
	}
}
