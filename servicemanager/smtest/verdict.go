package smtest

import (
	"context"
	"errors"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// must ends the test at an error.
func (s *suite) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// proper checks the form of an error: *Error with operation, service and
// manager.
func (s *suite) proper(err error, op, name string) {
	s.t.Helper()
	var e *servicemanager.Error
	if !errors.As(err, &e) {
		s.t.Errorf("error of %s is a %T, want a *servicemanager.Error: %v", op, err, err)
		return
	}
	if e.Op != op || e.Service != name || e.Kind != s.m.Kind() || e.Err == nil {
		s.t.Errorf("error %+v: want Op %q, Service %q, Kind %q and a cause", *e, op, name, s.m.Kind())
	}
}

// refused checks that an operation failed for one of the reasons.
func (s *suite) refused(err error, op, name string, reasons ...error) {
	s.t.Helper()
	if err == nil {
		s.t.Errorf("%s %s succeeded, want an error: %v", op, name, reasons)
		return
	}
	s.proper(err, op, name)
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return
		}
	}
	s.t.Errorf("%s %s: %v; want an error that matches one of %v", op, name, err, reasons)
}

// badSpec checks that a Spec, or a name, was refused for what is in it.
func (s *suite) badSpec(err error, op, name string) {
	s.t.Helper()
	if err == nil {
		s.t.Errorf("%s %q succeeded, want a *SpecError", op, name)
		return
	}
	s.proper(err, op, name)
	var bad *servicemanager.SpecError
	if !errors.As(err, &bad) || bad.Field == "" || bad.Reason == "" {
		s.t.Errorf("%s %q: %v; want a *SpecError with field and reason", op, name, err)
	}
}

// wantState checks what a service is said to be.
func (s *suite) wantState(st servicemanager.Status, want servicemanager.State) {
	s.t.Helper()
	if st.State != want {
		s.t.Errorf("the service is %s; want state %v", describe(st), want)
	}
}

// wantExit checks how the last process ended.
func (s *suite) wantExit(st servicemanager.Status, want servicemanager.Exit) {
	s.t.Helper()
	if e := st.LastExit; e == nil || e.Signal != want.Signal || want.Signal == 0 && e.Code != want.Code {
		s.t.Errorf("the service is %s; want last exit %v", describe(st), want)
	}
}

// outcome of a call that runs beside the test.
type outcome struct {
	st  servicemanager.Status
	err error
}

// beside runs a call while the test goes on. Its context ends it if nothing
// else does.
func (s *suite) beside(call func() (servicemanager.Status, error)) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		st, err := call()
		c <- outcome{st, err}
	}()
	return c
}

// receive takes the outcome of a call that must end by itself.
func (s *suite) receive(c <-chan outcome, what string) outcome {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
	defer cancel()
	select {
	case o := <-c:
		return o
	case <-ctx.Done():
		s.t.Fatalf("%s has not ended after %v", what, s.Patience)
		return outcome{}
	}
}

// happened waits for an event.
func (s *suite) happened(event <-chan struct{}, what string) {
	s.t.Helper()
	ctx := s.ctx()
	select {
	case <-event:
	case <-ctx.Done():
		s.t.Fatalf("%s has not come after %v", what, s.Patience)
	}
}
