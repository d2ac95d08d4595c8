package smtest

import (
	"errors"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func capabilityRules() []rule {
	return []rule{
		{name: "a supported capability has its interface and works", check: supported},
		{name: "a capability that is not supported is missing or says so", addless: true, check: unsupported},
		{name: "without registration its methods say so", addless: true, check: withoutRegistration},
		{name: "an unknown capability is not supported", addless: true, check: func(s *suite) {
			for _, c := range []servicemanager.Capability{0, -1, 99} {
				if s.m.Supports(c) {
					s.t.Errorf("Supports(%d) is true", c)
				}
			}
		}},
		{name: "the kind has a name", addless: true, check: func(s *suite) {
			if s.m.Kind() == "" {
				s.t.Error("Kind is empty")
			}
		}},
	}
}

func supported(s *suite) {
	here := s.anyUp(Ignore(syscall.SIGHUP), Print(1, "line")).Name
	for _, c := range servicemanager.Capabilities() {
		if !s.m.Supports(c) {
			continue
		}
		errs, found := s.use(c, here)
		if !found {
			s.t.Errorf("%v is supported, but As does not find its interface", c)
		}
		for _, err := range errs {
			if errors.Is(err, servicemanager.ErrNotSupported) {
				s.t.Errorf("%v is supported, yet it answers: %v", c, err)
			}
		}
	}
}

func unsupported(s *suite) {
	here := s.newName()
	if s.m.Supports(s.door.needs) {
		here = s.up().Name
	}
	for _, c := range servicemanager.Capabilities() {
		if s.m.Supports(c) {
			continue
		}
		errs, found := s.use(c, here)
		if !found {
			continue
		}
		for _, err := range errs {
			if !errors.Is(err, servicemanager.ErrNotSupported) || !errors.Is(err, errors.ErrUnsupported) {
				s.t.Errorf("%v is not supported, yet its method answers: %v", c, err)
			}
		}
	}
}

func withoutRegistration(s *suite) {
	if s.m.Supports(servicemanager.CapRegister) {
		s.t.Skip("the manager registers services")
	}
	spec := s.spec()
	s.refused(s.m.Register(s.ctx(), spec), "register", spec.Name, servicemanager.ErrNotSupported)
	s.refused(s.m.Unregister(s.ctx(), spec.Name), "unregister", spec.Name, servicemanager.ErrNotSupported)
	_, err := s.m.List(s.ctx())
	s.refused(err, "list", "", servicemanager.ErrNotSupported)
}

// use calls everything a capability stands for on the service called here, and
// returns what was answered, nil included.
func (s *suite) use(c servicemanager.Capability, here string) (answers []error, found bool) {
	switch c {
	case servicemanager.CapRegister:
		return s.useRegistrar(here), true
	case servicemanager.CapInstall:
		return s.useInstaller(here)
	case servicemanager.CapWait:
		w, ok := servicemanager.As[servicemanager.Waiter](s.m)
		if ok {
			_, err := w.Wait(s.ctx(), here, servicemanager.UntilUp)
			answers = append(answers, err)
		}
		return answers, ok
	case servicemanager.CapWatch:
		w, ok := servicemanager.As[servicemanager.Watcher](s.m)
		if ok {
			for _, err := range w.Watch(s.ctx(), here) {
				answers = append(answers, err)
				break
			}
		}
		return answers, ok
	case servicemanager.CapLogs:
		l, ok := servicemanager.As[servicemanager.LogReader](s.m)
		if ok {
			r, err := l.Logs(s.ctx(), here, servicemanager.LogOptions{Lines: 1})
			answers = append(answers, err)
			if err == nil {
				s.must(r.Close())
			}
		}
		return answers, ok
	case servicemanager.CapSignal:
		g, ok := servicemanager.As[servicemanager.Signaler](s.m)
		if ok {
			answers = append(answers, g.Signal(s.ctx(), here, syscall.SIGHUP))
		}
		return answers, ok
	case servicemanager.CapSurvey:
		v, ok := servicemanager.As[servicemanager.Surveyor](s.m)
		if ok {
			for _, err := range v.StatusAll(s.ctx()) {
				answers = append(answers, err)
				break
			}
		}
		return answers, ok
	default:
		return nil, false
	}
}

func (s *suite) useRegistrar(here string) []error {
	spec := s.spec()
	add := s.m.Register(s.ctx(), spec)
	_, list := s.m.List(s.ctx())
	again := s.spec()
	again.Name = here
	return []error{add, list, s.m.Unregister(s.ctx(), spec.Name), s.m.Register(s.ctx(), again)}
}

func (s *suite) useInstaller(here string) ([]error, bool) {
	in, ok := servicemanager.As[servicemanager.Installer](s.m)
	if !ok {
		return nil, false
	}
	spec := s.spec()
	add := in.Install(s.ctx(), spec)
	_, list := in.Installed(s.ctx())
	again := s.spec()
	again.Name = here
	return []error{add, list, in.Uninstall(s.ctx(), spec.Name), in.Install(s.ctx(), again)}, true
}
