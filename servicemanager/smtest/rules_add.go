package smtest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func addRules() []rule {
	return []rule{
		{name: "an added service runs", check: addedRuns},
		{name: "a service added down does not run", check: addedDown},
		{name: "a taken name says whether the spec is the same", check: sameness},
		{name: "an invalid spec leaves nothing", check: invalidSpecs},
		{name: "a context that has ended lets nothing be added", check: addedTooLate},
		{name: "a cancelled registration is undone", needs: []servicemanager.Capability{servicemanager.CapRegister}, check: cancelledAdds},
		{name: "a name is free again at once", check: nameIsFree},
		{name: "of fifty who add one name exactly one wins", check: fiftyAdders},
		{name: "services are added side by side", check: addedSideBySide},
		{name: "names are listed in order", check: listedInOrder},
		{name: "removing what is absent is ErrNotRegistered", check: func(s *suite) {
			name := s.newName()
			s.refused(s.door.remove(s.ctx(), name), s.door.removeOp, name, servicemanager.ErrNotRegistered)
		}},
		{name: "removing ends a running service", check: func(s *suite) { s.removeEnds(s.up().Name) }},
		{name: "removing ends a service that ignores the stop signal", check: stubbornIsRemoved},
		{name: "a failed service can be removed", check: failedIsRemoved},
		{name: "what one manager adds another one sees", check: othersSee},
	}
}

func addedRuns(s *suite) {
	spec := s.up()
	st := s.status(spec.Name)
	s.wantState(st, servicemanager.StateUp)
	if !st.Running() || !st.WantUp || !st.Ready || !st.Enabled {
		s.t.Errorf("the service is %s; want it running, wanted, ready and enabled", describe(st))
	}
}

func addedDown(s *suite) {
	spec := s.spec()
	spec.Down = true
	s.add(spec)
	st := s.status(spec.Name)
	s.wantState(st, servicemanager.StateDown)
	if st.Running() || st.WantUp || st.Ready || st.LastExit != nil || st.Restarts != 0 {
		s.t.Errorf("the service is %s; want it down and never run", describe(st))
	}
	s.must(s.m.Start(s.ctx(), spec.Name))
	s.wantState(s.settled(spec.Name), servicemanager.StateUp)
}

func addedTooLate(s *suite) {
	ctx := s.within(0)
	<-ctx.Done()
	spec := s.spec()
	s.refused(s.tryAdd(ctx, spec), s.door.addOp, spec.Name, ctx.Err())
	s.absent(spec.Name)
}

func nameIsFree(s *suite) {
	name := s.newName()
	for i := range 5 {
		spec := s.spec(On(sigTell, i))
		spec.Name = name
		s.add(spec)
		pid := s.pid(name)
		s.must(s.door.remove(s.ctx(), name))
		s.gone(pid)
	}
	s.absent(name)
}

func addedSideBySide(s *suite) {
	var work sync.WaitGroup
	specs := make([]servicemanager.Spec, 8)
	for i := range specs {
		specs[i] = s.spec()
		work.Go(func() {
			if err := s.tryAdd(s.ctx(), specs[i]); err != nil {
				s.t.Error(err)
			}
		})
	}
	work.Wait()
	for _, spec := range specs {
		s.wantState(s.settled(spec.Name), servicemanager.StateUp)
	}
}

func listedInOrder(s *suite) {
	for _, ending := range []string{"-b", "-a", ".c", "_D"} {
		spec := s.spec()
		spec.Name += ending
		spec.Down = true
		s.add(spec)
	}
	names, err := s.door.list(s.ctx())
	s.must(err)
	if !slices.IsSorted(names) {
		s.t.Errorf("%s is not sorted: %q", s.door.listOp, names)
	}
	for _, name := range s.added {
		if !slices.Contains(names, name) {
			s.t.Errorf("%s misses %s: %q", s.door.listOp, name, names)
		}
	}
}

func stubbornIsRemoved(s *suite) {
	spec := s.spec(Ignore(sigTerm))
	spec.StopTimeout = 100 * time.Millisecond
	s.addWith("StopTimeout", spec)
	s.settled(spec.Name)
	s.removeEnds(spec.Name)
}

func failedIsRemoved(s *suite) {
	spec := s.spec(On(sigTell, 78))
	spec.FatalExitCodes = []int{78}
	s.addWith("FatalExitCodes", spec)
	s.settled(spec.Name)
	s.signal(spec.Name, sigTell)
	s.wantState(s.awaitEnd(spec.Name), servicemanager.StateFailed)
	s.must(s.door.remove(s.ctx(), spec.Name))
	s.absent(spec.Name)
}

func othersSee(s *suite) {
	if s.Reopen == nil {
		s.t.Skip("services belong to one manager here")
	}
	other := s.Reopen(s.t)
	defer func() { s.must(other.Close()) }()
	spec := s.up()
	st, err := other.Status(s.ctx(), spec.Name)
	if err != nil || st.PID != s.pid(spec.Name) {
		s.t.Errorf("the other manager says: %s, %v", describe(st), err)
	}
	s.must(other.Stop(s.ctx(), spec.Name))
	s.wantState(s.status(spec.Name), servicemanager.StateDown)
	s.must(doorOf(other).remove(s.ctx(), spec.Name))
	s.absent(spec.Name)
}

func (s *suite) removeEnds(name string) {
	s.t.Helper()
	pid := s.pid(name)
	s.must(s.door.remove(s.ctx(), name))
	s.gone(pid)
	s.absent(name)
}

func sameness(s *suite) {
	spec := s.spec()
	spec.Env = map[string]string{"A": "1"}
	s.add(spec)
	for _, tc := range []struct {
		name   string
		change func(*servicemanager.Spec)
		same   bool
	}{
		{"nothing changed", func(*servicemanager.Spec) {}, true},
		{"a default spelled out", func(sp *servicemanager.Spec) { sp.StopTimeout = servicemanager.DefaultStopTimeout }, true},
		{"down, which is no content", func(sp *servicemanager.Spec) { sp.Down = true }, true},
		{"another command", func(sp *servicemanager.Spec) { sp.Command = append(slices.Clone(sp.Command), "more") }, false},
		{"another environment", func(sp *servicemanager.Spec) { sp.Env = map[string]string{"A": "2"} }, false},
		{"another description", func(sp *servicemanager.Spec) { sp.Description = "other" }, false},
	} {
		changed := spec
		tc.change(&changed)
		err := s.tryAdd(s.ctx(), changed)
		s.refused(err, s.door.addOp, spec.Name, servicemanager.ErrAlreadyRegistered)
		var have *servicemanager.AlreadyRegisteredError
		if !errors.As(err, &have) || have.Same != tc.same {
			s.t.Errorf("%s: %v, want an AlreadyRegisteredError with Same %v", tc.name, err, tc.same)
		}
	}
	s.wantState(s.status(spec.Name), servicemanager.StateUp)
}

func invalidSpecs(s *suite) {
	for _, tc := range []struct {
		name  string
		spoil func(*servicemanager.Spec)
	}{
		{"no command", func(sp *servicemanager.Spec) { sp.Command = nil }},
		{"a program that does not exist", func(sp *servicemanager.Spec) { sp.Command = []string{"/nonexistent/program"} }},
		{"NUL in an argument", func(sp *servicemanager.Spec) { sp.Command = append(slices.Clone(sp.Command), "a\x00b") }},
		{"a bad variable name", func(sp *servicemanager.Spec) { sp.Env = map[string]string{"A B": ""} }},
		{"NUL in a value", func(sp *servicemanager.Spec) { sp.Env = map[string]string{"A": "\x00"} }},
		{"a relative directory", func(sp *servicemanager.Spec) { sp.Dir = "here" }},
		{"a fatal exit code of 0", func(sp *servicemanager.Spec) { sp.FatalExitCodes = []int{0} }},
		{"an unknown policy", func(sp *servicemanager.Spec) { sp.Restart = 9 }},
		{"two ways to be ready", func(sp *servicemanager.Spec) { sp.Ready, sp.ReadyFD = servicemanager.ReadyNotify, 3 }},
		{"log settings without a log", func(sp *servicemanager.Spec) { sp.Log.MaxFiles = 3 }},
	} {
		spec := s.spec()
		tc.spoil(&spec)
		err := s.tryAdd(s.ctx(), spec)
		if err == nil {
			s.t.Errorf("%s was accepted", tc.name)
		}
		s.badSpec(err, s.door.addOp, spec.Name)
		s.absent(spec.Name)
	}
	for _, name := range []string{"", ".", "..", ".a", "-a", "a/b", "../a", "a b", "a\nb", "a\x00b", "a\xffb", "a.service", "a.log", strings.Repeat("a", 201)} {
		spec := s.spec()
		spec.Name = name
		s.badSpec(s.door.add(s.ctx(), spec), s.door.addOp, name)
	}
}

// cancelledAdds cancels at moments spread over what an addition takes. Where
// it was done before, it may stay.
func cancelledAdds(s *suite) {
	begun := time.Now()
	s.must(s.door.remove(s.ctx(), s.add(s.spec()).Name))
	whole := time.Since(begun)
	const moments = 12
	for i := range moments {
		spec := s.spec()
		ctx := s.within(whole * time.Duration(i) / moments)
		err := s.tryAdd(ctx, spec)
		if err == nil {
			continue
		}
		s.refused(err, s.door.addOp, spec.Name, ctx.Err())
		s.absent(spec.Name)
		s.add(spec)
		s.wantState(s.settled(spec.Name), servicemanager.StateUp)
	}
}

func fiftyAdders(s *suite) {
	managers := []servicemanager.ServiceManager{s.m}
	if s.Reopen != nil {
		for range 4 {
			m := s.Reopen(s.t)
			defer func() { s.must(m.Close()) }()
			managers = append(managers, m)
		}
	}
	spec := s.spec()
	s.added = append(s.added, spec.Name)
	begin := make(chan struct{})
	results := make(chan error, 50)
	for i := range cap(results) {
		mine := spec
		mine.Env = map[string]string{"N": string(rune('A' + i))}
		add := doorOf(managers[i%len(managers)]).add
		ctx := s.ctx()
		go func() {
			<-begin
			results <- add(ctx, mine)
		}()
	}
	close(begin)
	won := 0
	for range cap(results) {
		if err := <-results; err == nil {
			won++
		} else {
			s.refused(err, s.door.addOp, spec.Name, servicemanager.ErrAlreadyRegistered)
		}
	}
	if won != 1 {
		s.t.Errorf("%d of %d won, want 1", won, cap(results))
	}
	s.wantState(s.settled(spec.Name), servicemanager.StateUp)
}
