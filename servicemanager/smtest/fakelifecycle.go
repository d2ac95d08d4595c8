package smtest

import (
	"context"
	"fmt"
	"iter"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Register makes a service known and, unless Spec.Down, starts it.
func (f *Fake) Register(ctx context.Context, spec servicemanager.Spec) error {
	return f.add(ctx, servicemanager.CapRegister, "register", spec)
}

// Install is Register for a fake made with FakeInstaller.
func (f *Fake) Install(ctx context.Context, spec servicemanager.Spec) error {
	return f.add(ctx, servicemanager.CapInstall, "install", spec)
}

func (f *Fake) add(ctx context.Context, need servicemanager.Capability, op string, spec servicemanager.Spec) error {
	if err := f.enter(ctx, need, op, spec.Name); err != nil {
		return err
	}
	normal, err := spec.Normalize()
	if err == nil {
		f.mu.Lock()
		err = f.addLocked(normal)
		f.mu.Unlock()
	}
	return f.fail(op, spec.Name, err)
}

// Unregister stops a service and removes it.
func (f *Fake) Unregister(ctx context.Context, name string) error {
	return f.remove(ctx, servicemanager.CapRegister, "unregister", name)
}

// Uninstall is Unregister for a fake made with FakeInstaller.
func (f *Fake) Uninstall(ctx context.Context, name string) error {
	return f.remove(ctx, servicemanager.CapInstall, "uninstall", name)
}

func (f *Fake) remove(ctx context.Context, need servicemanager.Capability, op, name string) error {
	if err := f.enter(ctx, need, op, name); err != nil {
		return err
	}
	var s *service
	err := f.onService(name, func(found *service) error {
		s = found
		s.downLocked(0)
		return nil
	})
	if err == nil {
		err = f.await(ctx, s, func() (bool, error) {
			if s.removed || s.orphaned || s.proc == nil {
				return true, f.dropLocked(s)
			}
			if s.want { // somebody has started it meanwhile
				s.downLocked(0)
			}
			return false, nil
		})
	}
	return f.fail(op, name, err)
}

// List returns the sorted names of all services.
func (f *Fake) List(ctx context.Context) ([]string, error) {
	return f.list(ctx, servicemanager.CapRegister, "list")
}

// Installed is List for a fake made with FakeInstaller.
func (f *Fake) Installed(ctx context.Context) ([]string, error) {
	return f.list(ctx, servicemanager.CapInstall, "installed")
}

func (f *Fake) list(ctx context.Context, need servicemanager.Capability, op string) ([]string, error) {
	if err := f.enter(ctx, need, op, ""); err != nil {
		return nil, err
	}
	return f.names(), nil
}

// Start makes the service wanted up.
func (f *Fake) Start(ctx context.Context, name string, opts ...servicemanager.ActOption) error {
	return f.act(ctx, "start", name, opts, func(s *service, _ servicemanager.Act) func() (bool, error) {
		if s.proc != nil && s.want {
			return satisfied
		}
		before := s.starts
		s.upLocked()
		return s.started(before)
	})
}

// Stop makes the service wanted down.
func (f *Fake) Stop(ctx context.Context, name string, opts ...servicemanager.ActOption) error {
	return f.act(ctx, "stop", name, opts, func(s *service, act servicemanager.Act) func() (bool, error) {
		s.downLocked(act.StopWithin)
		return func() (bool, error) { return s.proc == nil && !s.want, s.trouble() }
	})
}

// Restart replaces the service's process.
func (f *Fake) Restart(ctx context.Context, name string, opts ...servicemanager.ActOption) error {
	return f.act(ctx, "restart", name, opts, func(s *service, act servicemanager.Act) func() (bool, error) {
		before := s.starts
		s.upLocked()
		if s.starts == before {
			s.endProcessLocked(act.StopWithin)
		}
		return s.started(before)
	})
}

// act asks for something and, unless told not to, waits until it is done. ask
// and what it returns are called under the lock.
func (f *Fake) act(ctx context.Context, op, name string, opts []servicemanager.ActOption,
	ask func(*service, servicemanager.Act) func() (bool, error)) error {
	if err := f.enter(ctx, 0, op, name); err != nil {
		return err
	}
	act := servicemanager.ResolveAct(opts...)
	var s *service
	var done func() (bool, error)
	err := f.onService(name, func(found *service) error {
		s = found
		if s.orphaned {
			return servicemanager.ErrNotSupervised
		}
		done = ask(s, act)
		return nil
	})
	if err == nil && !act.NoWait {
		err = f.await(ctx, s, done)
	}
	return f.fail(op, name, err)
}

func satisfied() (bool, error) { return true, nil }

// started waits for a process after the first before ones.
func (s *service) started(before int) func() (bool, error) {
	return func() (bool, error) {
		if s.failure != "" {
			return false, s.failed()
		}
		return s.starts > before, s.trouble()
	}
}

// trouble ends every wait: the service is gone, or nobody looks after it.
func (s *service) trouble() error {
	switch {
	case s.removed:
		return servicemanager.ErrNotRegistered
	case s.orphaned:
		return servicemanager.ErrNotSupervised
	default:
		return nil
	}
}

func (s *service) failed() error {
	return servicemanager.WithRemedy(fmt.Errorf("%w: %s", servicemanager.ErrFailed, s.statusLocked().Problem),
		"see its log, mend the cause, then start it")
}

// Status reports one service.
func (f *Fake) Status(ctx context.Context, name string) (servicemanager.Status, error) {
	if err := f.enter(ctx, 0, "status", name); err != nil {
		return servicemanager.Status{Name: name}, err
	}
	return f.read(name)
}

func (f *Fake) read(name string) (servicemanager.Status, error) {
	st := servicemanager.Status{Name: name}
	err := f.onService(name, func(s *service) error {
		st = s.statusLocked()
		return nil
	})
	return st, f.fail("status", name, err)
}

// StatusAll reports every service. Fail with the operation "status" makes it
// yield an error for that name.
func (f *Fake) StatusAll(ctx context.Context) iter.Seq2[servicemanager.Status, error] {
	return func(yield func(servicemanager.Status, error) bool) {
		if err := f.enter(ctx, servicemanager.CapSurvey, "status", ""); err != nil {
			yield(servicemanager.Status{}, err)
			return
		}
		for _, name := range f.names() {
			f.mu.Lock()
			err := f.faultLocked("status", name)
			f.mu.Unlock()
			st := servicemanager.Status{Name: name}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				err = f.fail("status", name, err)
			} else {
				st, err = f.read(name)
			}
			if !yield(st, err) {
				return
			}
		}
	}
}

// Signal sends a signal to the service's process.
func (f *Fake) Signal(ctx context.Context, name string, sig syscall.Signal) error {
	if err := f.enter(ctx, servicemanager.CapSignal, "signal", name); err != nil {
		return err
	}
	err := f.onService(name, func(s *service) error {
		switch {
		case s.orphaned:
			return servicemanager.ErrNotSupervised
		case sig < 1 || sig > 64:
			return &servicemanager.SpecError{Field: "Signal", Value: fmt.Sprint(int(sig)), Reason: "is not a signal number"}
		case s.proc == nil:
			return fmt.Errorf("%w: it is %v", servicemanager.ErrNotRunning, s.statusLocked().State)
		}
		s.deliverLocked(sig)
		return nil
	})
	return f.fail("signal", name, err)
}
