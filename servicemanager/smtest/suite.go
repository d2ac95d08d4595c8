package smtest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// suite is an opened subject under one rule.
type suite struct {
	Subject
	t       *testing.T
	m       servicemanager.ServiceManager
	door    door
	greeter *greeter // nil on a fake
	newName func() string

	mu    sync.Mutex // guards added
	added []string   // names of the services made so far
}

func newSuite(t *testing.T, subject Subject, newName func() string) *suite {
	t.Helper()
	s := &suite{Subject: subject, t: t, m: subject.Manager, newName: newName}
	if s.Patience == 0 {
		s.Patience = defaultPatience
	}
	if s.Kill == nil {
		s.Kill = kill
	}
	if s.Dir == "" {
		s.Dir = openDir(t)
	}
	s.door = doorOf(s.m)
	if !s.Fake {
		s.greeter = newGreeter(t)
	}
	t.Cleanup(s.leave)
	return s
}

func (s *suite) obey(r rule) {
	if r.addless {
		r.check(s)
		return
	}
	for _, c := range append([]servicemanager.Capability{s.door.needs}, r.needs...) {
		if !s.m.Supports(c) {
			s.t.Skipf("the manager does not support %v", c)
		}
	}
	r.check(s)
}

// openDir makes a directory that services of any user can write in.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "smtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// leave removes every service of the rule: also that must be possible whatever
// the rule did. Services of a manager that the rule has closed and that cannot
// be reopened are left to the opener.
func (s *suite) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
	defer cancel()
	m := s.m
	if s.Reopen != nil {
		m = s.Reopen(s.t)
		defer s.shut(m)
	}
	d := doorOf(m)
	for _, name := range s.added {
		_ = m.Stop(ctx, name, servicemanager.StopWithin(50*time.Millisecond)) // removing tells what is wrong
		err := d.remove(ctx, name)
		if err != nil && !errors.Is(err, servicemanager.ErrNotRegistered) && !errors.Is(err, servicemanager.ErrClosed) {
			s.t.Errorf("%s %s after the test: %v", d.removeOp, name, err)
		}
	}
	s.shut(s.m)
}

func (s *suite) shut(m servicemanager.ServiceManager) {
	if err := m.Close(); err != nil {
		s.t.Errorf("Close after the test: %v", err)
	}
}

// ctx is for calls that are not meant to take long.
func (s *suite) ctx() context.Context { return s.within(s.Patience) }

func (s *suite) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	s.t.Cleanup(cancel)
	return ctx
}

// spec describes a new service with a scripted program. The program greets
// once it has done the steps it begins with that arrange signals or report.
func (s *suite) spec(steps ...Step) servicemanager.Spec {
	if s.greeter != nil {
		first := slices.IndexFunc(steps, func(st Step) bool { return !st.arranges() })
		if first < 0 {
			first = len(steps)
		}
		steps = slices.Insert(slices.Clone(steps), first, hello(s.greeter.socket))
	}
	return servicemanager.Spec{Name: s.newName(), Command: Program(steps...)}
}

// add registers or installs a service that must be accepted.
func (s *suite) add(spec servicemanager.Spec) servicemanager.Spec {
	s.t.Helper()
	if err := s.tryAdd(s.ctx(), spec); err != nil {
		s.t.Fatalf("%s: %v", s.door.addOp, err)
	}
	return spec
}

// tryAdd may also be called by other goroutines than the test's.
func (s *suite) tryAdd(ctx context.Context, spec servicemanager.Spec) error {
	s.mu.Lock()
	if !slices.Contains(s.added, spec.Name) {
		s.added = append(s.added, spec.Name)
	}
	s.mu.Unlock()
	return s.door.add(ctx, spec)
}

// up adds a service with a scripted program and waits until the program has
// its signal handlers.
func (s *suite) up(steps ...Step) servicemanager.Spec {
	s.t.Helper()
	spec := s.add(s.spec(steps...))
	s.settled(spec.Name)
	return spec
}

// anyUp is up on a manager that can read logs with a log, so that everything can
// be done with the service.
func (s *suite) anyUp(steps ...Step) servicemanager.Spec {
	s.t.Helper()
	if s.m.Supports(servicemanager.CapLogs) {
		return s.logged(steps...)
	}
	return s.up(steps...)
}

// addWith adds a service that uses a field which the manager may refuse, and
// skips the test if it rightly does.
func (s *suite) addWith(field string, spec servicemanager.Spec) {
	s.t.Helper()
	err := s.tryAdd(s.ctx(), spec)
	if !slices.Contains(s.Refuses, field) {
		if err != nil {
			s.t.Fatalf("%s of a service with %s: %v", s.door.addOp, field, err)
		}
		return
	}
	var bad *servicemanager.SpecError
	if !errors.As(err, &bad) || !s.refusesField(bad.Field) {
		s.t.Fatalf("%s of a service with %s = %v, want a *SpecError about the field, as the subject refuses it", s.door.addOp, field, err)
	}
	s.proper(err, s.door.addOp, spec.Name)
	s.absent(spec.Name)
	s.t.Skip("the manager refuses " + field + ", as it should: " + bad.Error())
}

// refusesField says whether an error about a field is one of those that the
// subject has announced: "Env[A]" is about "Env".
func (s *suite) refusesField(field string) bool {
	return slices.ContainsFunc(s.Refuses, func(word string) bool {
		word, _, _ = strings.Cut(word, " ")
		return strings.HasPrefix(field, word)
	})
}

// absent checks that a name means nothing to the manager.
func (s *suite) absent(name string) {
	s.t.Helper()
	names, err := s.door.list(s.ctx())
	s.must(err)
	if slices.Contains(names, name) {
		s.t.Errorf("%s is still listed", name)
	}
	_, err = s.m.Status(s.ctx(), name)
	s.refused(err, "status", name, servicemanager.ErrNotRegistered)
}

// status reads a service that must be readable.
func (s *suite) status(name string) servicemanager.Status {
	s.t.Helper()
	st, err := s.m.Status(s.ctx(), name)
	if err != nil {
		s.t.Fatalf("Status: %v", err)
	}
	if st.Name != name {
		s.t.Errorf("Status of %s names %q", name, st.Name)
	}
	return st
}

// pid is the process of a service that must be running.
func (s *suite) pid(name string) int {
	s.t.Helper()
	st := s.status(name)
	if !st.Running() {
		s.t.Fatalf("%s is not running: %s", name, describe(st))
	}
	return st.PID
}

// settled waits until the service's present program has its signal handlers.
func (s *suite) settled(name string) servicemanager.Status {
	s.t.Helper()
	st := s.await(name, "running", servicemanager.Status.Running)
	if s.greeter != nil {
		s.greeter.await(s.t, s.ctx(), st.PID)
	}
	return st
}

// await waits until the status of a service is as wanted.
func (s *suite) await(name, what string, wanted func(servicemanager.Status) bool) servicemanager.Status {
	s.t.Helper()
	ctx := s.ctx()
	var last servicemanager.Status
	for st, err := range s.changes(ctx, name) {
		if err != nil {
			s.t.Fatalf("waiting until %s is %s: %v", name, what, err)
		}
		if last = st; wanted(st) {
			return st
		}
	}
	s.t.Fatalf("%s is not %s after %v; it is %s", name, what, s.Patience, describe(last))
	return last
}

// awaitAnother waits for another process than pid.
func (s *suite) awaitAnother(name string, pid int) servicemanager.Status {
	s.t.Helper()
	return s.await(name, "another process", func(st servicemanager.Status) bool { return st.Running() && st.PID != pid })
}

// awaitEnd waits until the service has ended and nothing is about to start it.
func (s *suite) awaitEnd(name string) servicemanager.Status {
	s.t.Helper()
	return s.await(name, "down or failed", func(st servicemanager.Status) bool {
		return st.State == servicemanager.StateDown || st.State == servicemanager.StateFailed
	})
}

// signal sends a signal from outside.
func (s *suite) signal(name string, sig syscall.Signal) (pid int) {
	s.t.Helper()
	pid = s.pid(name)
	if err := s.Kill(pid, sig); err != nil {
		s.t.Fatalf("kill %d: %v", pid, err)
	}
	return pid
}

// gone checks that a process does not exist any more.
func (s *suite) gone(pid int) {
	s.t.Helper()
	if err := s.Kill(pid, 0); err == nil {
		s.t.Errorf("process %d still exists", pid)
	}
}
