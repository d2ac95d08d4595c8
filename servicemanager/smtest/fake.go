package smtest

import (
	"context"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Fake is an in-memory service manager. It follows the contract of
// servicemanager and passes [Run]; its services are simulated: a [Program] does
// what its script says, any other command runs until it gets a signal. What
// only real processes have (environment, working directory, limits) and the
// order of a boot (Spec.After) have no effect.
//
// It can do everything that the interfaces name, except that it is either a
// Registrar or an Installer. Its delays are real ones and timers run by package
// time, so testing/synctest makes them instant. It has no goroutine of its own
// and needs no Close.
//
// Beyond the interfaces there are hooks for the tests of what uses a manager:
// [Fake.Fail], [Fake.Kill], [Fake.Crash], [Fake.Print], [Fake.SetSupervised],
// [Fake.Override]; and [Fake.Spec] and [Fake.Calls] to look behind it.
type Fake struct {
	*world
	kind servicemanager.Kind

	closing sync.Once
	closed  chan struct{}
}

var (
	_ servicemanager.ServiceManager = (*Fake)(nil)
	_ servicemanager.Installer      = (*Fake)(nil)
	_ servicemanager.Waiter         = (*Fake)(nil)
	_ servicemanager.Watcher        = (*Fake)(nil)
	_ servicemanager.LogReader      = (*Fake)(nil)
	_ servicemanager.Signaler       = (*Fake)(nil)
	_ servicemanager.Surveyor       = (*Fake)(nil)
)

// FakeOption changes what NewFake makes.
type FakeOption func(*Fake)

// FakeKind sets the kind. Default: "fake".
func FakeKind(kind servicemanager.Kind) FakeOption {
	return func(f *Fake) { f.kind = kind }
}

// FakeInstaller makes a manager as hosts have it: an Installer, without runtime
// registration.
func FakeInstaller() FakeOption { return func(f *Fake) { f.installer = true } }

// FakeWithout takes capabilities away: Supports denies them and their methods
// answer ErrNotSupported.
func FakeWithout(caps ...servicemanager.Capability) FakeOption {
	return func(f *Fake) {
		for _, c := range caps {
			f.without[c] = true
		}
	}
}

// FakeRestartDelay replaces the default of Spec.RestartDelay, for tests that
// wait for restarts.
func FakeRestartDelay(d time.Duration) FakeOption {
	return func(f *Fake) { f.restartDelay = d }
}

// NewFake returns a manager without services.
func NewFake(opts ...FakeOption) *Fake {
	f := &Fake{world: newWorld(), kind: "fake", closed: make(chan struct{})}
	for _, o := range opts {
		o(f)
	}
	return f
}

// Reopen returns another manager on the same services, with hooks of the same
// effect. Closing one leaves the other.
func (f *Fake) Reopen() *Fake { return f.reopenAs(f.kind) }

func (f *Fake) reopenAs(kind servicemanager.Kind) *Fake {
	return &Fake{world: f.world, kind: kind, closed: make(chan struct{})}
}

// Kind returns "fake" or what FakeKind says.
func (f *Fake) Kind() servicemanager.Kind { return f.kind }

// Supports says whether a capability was left by the options.
func (f *Fake) Supports(c servicemanager.Capability) bool {
	switch {
	case f.without[c]:
		return false
	case c == servicemanager.CapRegister:
		return !f.installer
	case c == servicemanager.CapInstall:
		return f.installer
	default:
		return c >= servicemanager.CapRegister && c <= servicemanager.CapSurvey
	}
}

// Close ends this manager's Watches, Waits and readers; the services live on.
func (f *Fake) Close() error {
	f.closing.Do(func() { close(f.closed) })
	return nil
}

// fail gives an error its place in the interface.
func (f *Fake) fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &servicemanager.Error{Op: op, Service: name, Kind: f.kind, Err: err}
}

// enter begins a call: it is written down, and refused where the manager is
// closed, cannot do it, was told to fail it, or has no time for it.
func (f *Fake) enter(ctx context.Context, need servicemanager.Capability, op, name string) error {
	select {
	case <-f.closed:
		return f.fail(op, name, servicemanager.ErrClosed)
	default:
	}
	if need != 0 && !f.Supports(need) {
		return f.unsupported(ctx, need, op, name)
	}
	if err := ctx.Err(); err != nil {
		return f.fail(op, name, err)
	}
	return f.fail(op, name, f.call(op, name))
}

// unsupported is the answer of backends without runtime registration, or a
// plain one.
func (f *Fake) unsupported(ctx context.Context, need servicemanager.Capability, op, name string) error {
	if need == servicemanager.CapRegister {
		none := servicemanager.NoRegistrar{Manager: f.kind}
		switch op {
		case "register":
			return none.Register(ctx, servicemanager.Spec{Name: name})
		case "unregister":
			return none.Unregister(ctx, name)
		default:
			_, err := none.List(ctx)
			return err
		}
	}
	return f.fail(op, name, servicemanager.ErrNotSupported)
}

// onService runs do on a service. Locked, as do must be.
func (f *Fake) onService(name string, do func(*service) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.findLocked(name)
	if err != nil {
		return err
	}
	return do(s)
}

// await calls check, which is done under the lock, until it is done or fails,
// anew after every change of the service.
func (f *Fake) await(ctx context.Context, s *service, check func() (bool, error)) error {
	for {
		f.mu.Lock()
		done, err := check()
		changed := s.changed
		f.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-f.closed:
			return servicemanager.ErrClosed
		}
	}
}
