package smtest

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Fail makes every later call of op ("start", "status", ...: the Op of the
// errors) on name answer an *Error around err, without any effect. No name
// means every name, and calls that have none. A nil err ends it.
func (f *Fake) Fail(op, name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(f.faults, fault{op, name})
		return
	}
	f.faults[fault{op, name}] = err
}

// errNoProcess is what the hooks answer, as kill(2) would.
var errNoProcess = errors.New("no such process")

// Kill sends a signal to a simulated process from outside, as kill(2) would.
// It is an error if there is no such process.
func (f *Fake) Kill(pid int, sig syscall.Signal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.services {
		if s.proc != nil && s.proc.pid == pid {
			s.deliverLocked(sig)
			return nil
		}
	}
	return fmt.Errorf("kill %d: %w", pid, errNoProcess)
}

// Crash makes the process of a service end by itself, by exit.Signal or with
// exit.Code; exit.At is not used. It is an error if there is no process.
func (f *Fake) Crash(name string, exit servicemanager.Exit) error {
	return f.onService(name, func(s *service) error {
		if s.proc == nil {
			return fmt.Errorf("crash %s: %w", name, errNoProcess)
		}
		s.exitLocked(exit)
		return nil
	})
}

// Print lets a service write lines to its standard output, whether it has a
// process or not.
func (f *Fake) Print(name string, lines ...string) error {
	return f.onService(name, func(s *service) error {
		for _, line := range lines {
			s.printLocked(line)
		}
		return nil
	})
}

// SetSupervised takes the supervisor of a service away, or gives it back.
// Without one the status is StateUnknown with a Problem and the verbs answer
// ErrNotSupervised.
func (f *Fake) SetSupervised(name string, on bool) error {
	return f.onService(name, func(s *service) error {
		s.orphaned = !on
		s.tellLocked()
		return nil
	})
}

// Override lets change edit every status that is reported of a service, for
// states that are hard to come by. It changes reports and waits, not what the
// service does. nil ends it.
func (f *Fake) Override(name string, change func(*servicemanager.Status)) error {
	return f.onService(name, func(s *service) error {
		s.override = change
		s.tellLocked()
		return nil
	})
}

// Spec returns the normalized Spec that a service was made from.
func (f *Fake) Spec(name string) (servicemanager.Spec, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.services[name]
	if !ok {
		return servicemanager.Spec{}, false
	}
	return s.spec, true
}

// Calls returns all calls so far that were not refused from the outset, in
// order, as "start web" or "list".
func (f *Fake) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}
