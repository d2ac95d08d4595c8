package smtest

import (
	"context"
	"errors"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func watchRules() []rule {
	rules := []rule{
		{name: "the present status comes first", check: presentFirst},
		{name: "changes are seen as they come", check: changesSeen},
		{name: "the last change is never lost on a slow watcher", check: slowWatcher},
		{name: "a crash and the restart are seen", check: crashSeen},
		{name: "a watch ends with its context", check: watchContextEnds},
		{name: "a watch ends when the manager is closed", check: watchManagerClosed},
		{name: "a watch of a removed service ends with ErrNotRegistered", check: watchRemoved},
		{name: "a watch of an absent service is one ErrNotRegistered", check: watchAbsent},
		{name: "a loop can be left and begun again", check: watchAgain},
		{name: "watchers do not take changes from each other", check: watchTogether},
	}
	for i := range rules {
		rules[i].needs = []servicemanager.Capability{servicemanager.CapWatch}
	}
	return rules
}

func presentFirst(s *suite) {
	spec := s.up()
	for st, err := range s.watcher().Watch(s.ctx(), spec.Name) {
		s.must(err)
		if st.Name != spec.Name || st.PID != s.pid(spec.Name) {
			s.t.Errorf("first: %q %s", st.Name, describe(st))
		}
		break
	}
}

func slowWatcher(s *suite) {
	spec := s.up()
	first := true
	for st, err := range s.watcher().Watch(s.ctx(), spec.Name) {
		s.must(err)
		if first { // many changes while the loop does not take any
			first = false
			s.must(s.m.Restart(s.ctx(), spec.Name))
			s.must(s.m.Stop(s.ctx(), spec.Name))
		}
		if st.State == servicemanager.StateDown {
			return
		}
	}
	s.t.Error("the watch ended before the service was seen down")
}

func crashSeen(s *suite) {
	spec := s.up(On(sigTell, 3))
	pid := 0
	for st, err := range s.watcher().Watch(s.ctx(), spec.Name) {
		s.must(err)
		if pid == 0 {
			pid = s.signal(spec.Name, sigTell)
		}
		if st.Running() && st.PID != pid {
			s.wantExit(st, servicemanager.Exit{Code: 3})
			return
		}
	}
	s.t.Error("the watch ended before the restart was seen")
}

func watchContextEnds(s *suite) {
	spec := s.up()
	ctx, cancel := context.WithCancel(s.ctx())
	w := s.watcher()
	ended := s.beside(func() (servicemanager.Status, error) {
		for _, err := range w.Watch(ctx, spec.Name) {
			if err != nil {
				return servicemanager.Status{}, err
			}
			cancel()
		}
		return servicemanager.Status{}, nil
	})
	if err := s.receive(ended, "the watch").err; err != nil && !errors.Is(err, context.Canceled) {
		s.t.Errorf("the watch ended with %v", err)
	}
}

func watchManagerClosed(s *suite) {
	spec := s.up()
	ctx := s.within(2 * s.Patience)
	w := s.watcher()
	ended := s.beside(func() (servicemanager.Status, error) {
		begun := false
		for _, err := range w.Watch(ctx, spec.Name) {
			if err != nil {
				return servicemanager.Status{}, err
			}
			if !begun {
				begun = true
				if err := s.m.Close(); err != nil {
					return servicemanager.Status{}, err
				}
			}
		}
		return servicemanager.Status{}, nil
	})
	if err := s.receive(ended, "the watch").err; err != nil && !errors.Is(err, servicemanager.ErrClosed) {
		s.t.Errorf("the watch ended with %v", err)
	}
}

func watchRemoved(s *suite) {
	spec := s.up()
	ctx := s.ctx()
	begun := make(chan struct{})
	w := s.watcher()
	ended := s.beside(func() (servicemanager.Status, error) {
		var last error
		open := true
		for _, err := range w.Watch(ctx, spec.Name) {
			last = err
			if open {
				open = false
				close(begun)
			}
		}
		return servicemanager.Status{}, last
	})
	s.happened(begun, "the first status")
	s.must(s.door.remove(s.ctx(), spec.Name))
	s.refused(s.receive(ended, "the watch").err, "watch", spec.Name, servicemanager.ErrNotRegistered)
}

func watchAbsent(s *suite) {
	name := s.newName()
	n := 0
	for _, err := range s.watcher().Watch(s.ctx(), name) {
		n++
		s.refused(err, "watch", name, servicemanager.ErrNotRegistered)
	}
	if n != 1 {
		s.t.Errorf("%d elements, want 1", n)
	}
}

func watchAgain(s *suite) {
	spec := s.up()
	seq := s.watcher().Watch(s.ctx(), spec.Name)
	for range 3 {
		n := 0
		for _, err := range seq {
			s.must(err)
			n++
			break
		}
		if n != 1 {
			s.t.Errorf("%d elements, want 1", n)
		}
	}
}

func watchTogether(s *suite) {
	spec := s.up()
	var watches []<-chan outcome
	begun := make(chan struct{}, 4)
	w := s.watcher()
	for range cap(begun) {
		ctx := s.ctx()
		watches = append(watches, s.beside(func() (servicemanager.Status, error) {
			first := true
			for st, err := range w.Watch(ctx, spec.Name) {
				if err != nil || st.State == servicemanager.StateDown {
					return st, err
				}
				if first {
					first = false
					begun <- struct{}{}
				}
			}
			return servicemanager.Status{}, errors.New("the watch ended early")
		}))
	}
	for range watches {
		s.happened(begun, "the first status")
	}
	s.must(s.m.Stop(s.ctx(), spec.Name))
	for _, w := range watches {
		s.must(s.receive(w, "a watch").err)
	}
}

func (s *suite) watcher() servicemanager.Watcher {
	s.t.Helper()
	w, ok := servicemanager.As[servicemanager.Watcher](s.m)
	if !ok {
		s.t.Fatal("CapWatch is supported, but there is no Watcher")
	}
	return w
}

// changesSeen does the next thing only when the last one was seen.
func changesSeen(s *suite) {
	spec := s.spec()
	spec.Down = true
	s.add(spec)
	steps := []struct {
		what string
		done func(servicemanager.Status) bool
		next func() error
	}{
		{"down at first", func(st servicemanager.Status) bool { return st.State == servicemanager.StateDown },
			func() error { return s.m.Start(s.ctx(), spec.Name, servicemanager.NoWait()) }},
		{"up", func(st servicemanager.Status) bool { return st.State == servicemanager.StateUp },
			func() error { return s.m.Stop(s.ctx(), spec.Name, servicemanager.NoWait()) }},
		{"down again", func(st servicemanager.Status) bool { return st.State == servicemanager.StateDown },
			func() error { return nil }},
	}
	at := 0
	for st, err := range s.watcher().Watch(s.ctx(), spec.Name) {
		s.must(err)
		if !steps[at].done(st) {
			continue
		}
		s.must(steps[at].next())
		if at++; at == len(steps) {
			return
		}
	}
	s.t.Errorf("the watch ended before the service was seen %s", steps[at].what)
}
