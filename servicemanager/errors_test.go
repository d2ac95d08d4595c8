package servicemanager_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestErrorText(t *testing.T) {
	cause := errors.New("cause")
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"all", &servicemanager.Error{Op: "stop", Service: "web", Kind: servicemanager.KindS6, Err: cause}, "s6: stop web: cause"},
		{"no service", &servicemanager.Error{Op: "list", Kind: servicemanager.KindS6, Err: cause}, "s6: list: cause"},
		{"no kind", &servicemanager.Error{Op: "list", Err: cause}, "list: cause"},
		{"a name that is none", &servicemanager.Error{Op: "stop", Service: "a\nb", Kind: "x", Err: cause}, `x: stop "a\nb": cause`},
		{"spec", &servicemanager.SpecError{Field: "Name", Reason: "is empty"}, "Name is empty"},
		{"spec with value", &servicemanager.SpecError{Field: "Dir", Value: "a b", Reason: "is not absolute"}, `Dir "a b" is not absolute`},
		{"spec with odd value", &servicemanager.SpecError{Field: "Dir", Value: "a\n", Reason: "is odd"}, `Dir "a\n" is odd`},
		{"spec with long value", &servicemanager.SpecError{Field: "Dir", Value: strings.Repeat("x", 61), Reason: "is long"},
			`Dir "` + strings.Repeat("x", 60) + `..." is long`},
		{"same", &servicemanager.AlreadyRegisteredError{Same: true}, "service already registered with the same spec"},
		{"other", &servicemanager.AlreadyRegisteredError{}, "service already registered with another spec"},
		{"remedy", servicemanager.WithRemedy(cause, "do this"), "cause; do this"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("text %q, want %q", got, tc.want)
			}
		})
	}
}

func TestErrorClasses(t *testing.T) {
	wrap := func(err error) error {
		return fmt.Errorf("more: %w", &servicemanager.Error{Op: "stop", Service: "web", Kind: "x", Err: servicemanager.WithRemedy(err, "do this")})
	}
	for _, tc := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"itself", servicemanager.ErrNotRegistered, servicemanager.ErrNotRegistered, true},
		{"another", servicemanager.ErrNotRegistered, servicemanager.ErrNotRunning, false},
		{"not supported", servicemanager.ErrNotSupported, servicemanager.ErrNotSupported, true},
		{"not supported is unsupported", servicemanager.ErrNotSupported, errors.ErrUnsupported, true},
		{"unsupported is not ours", errors.ErrUnsupported, servicemanager.ErrNotSupported, false},
		{"EACCES", syscall.EACCES, servicemanager.ErrPermission, true},
		{"EPERM", &fs.PathError{Op: "open", Path: "x", Err: syscall.EPERM}, servicemanager.ErrPermission, true},
		{"ENOENT", syscall.ENOENT, servicemanager.ErrPermission, false},
		{"taken by the same", &servicemanager.AlreadyRegisteredError{Same: true}, servicemanager.ErrAlreadyRegistered, true},
		{"taken by another", &servicemanager.AlreadyRegisteredError{}, servicemanager.ErrAlreadyRegistered, true},
		{"taken is not absent", &servicemanager.AlreadyRegisteredError{}, servicemanager.ErrNotRegistered, false},
		{"deadline", context.DeadlineExceeded, context.DeadlineExceeded, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, err := range []error{tc.err, wrap(tc.err)} {
				if got := errors.Is(err, tc.target); got != tc.want {
					t.Errorf("errors.Is(%v, %v) = %v", err, tc.target, got)
				}
			}
		})
	}
}

func TestErrorCarriesItsCause(t *testing.T) {
	err := fmt.Errorf("more: %w", &servicemanager.Error{Op: "register", Service: "web", Kind: "x",
		Err: &servicemanager.SpecError{Field: "Dir", Reason: "is odd"}})
	var e *servicemanager.Error
	var bad *servicemanager.SpecError
	if !errors.As(err, &e) || e.Op != "register" || e.Service != "web" || e.Kind != "x" {
		t.Errorf("As *Error: %+v", e)
	}
	if !errors.As(err, &bad) || bad.Field != "Dir" {
		t.Errorf("As *SpecError: %+v", bad)
	}
}

func TestRemedyOf(t *testing.T) {
	cause := errors.New("cause")
	inner := servicemanager.WithRemedy(cause, "inner")
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"none", cause, ""},
		{"one", inner, "inner"},
		{"in a chain", &servicemanager.Error{Op: "stop", Err: fmt.Errorf("more: %w", inner)}, "inner"},
		{"the outermost", servicemanager.WithRemedy(fmt.Errorf("more: %w", inner), "outer"), "outer"},
		{"joined", errors.Join(cause, inner), "inner"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := servicemanager.RemedyOf(tc.err); got != tc.want {
				t.Errorf("remedy %q, want %q", got, tc.want)
			}
		})
	}
	if !errors.Is(inner, cause) {
		t.Error("the cause is lost")
	}
	if err := servicemanager.WithRemedy(nil, "do this"); err != nil {
		t.Errorf("WithRemedy(nil) = %v", err)
	}
}

func TestNoRegistrar(t *testing.T) {
	n, ctx := servicemanager.NoRegistrar{Manager: "x"}, t.Context()
	_, list := n.List(ctx)
	for _, tc := range []struct {
		op, name string
		err      error
	}{
		{"register", "web", n.Register(ctx, servicemanager.Spec{Name: "web"})},
		{"unregister", "web", n.Unregister(ctx, "web")},
		{"list", "", list},
	} {
		var e *servicemanager.Error
		if !errors.As(tc.err, &e) || e.Op != tc.op || e.Service != tc.name || e.Kind != "x" ||
			!errors.Is(tc.err, servicemanager.ErrNotSupported) || servicemanager.RemedyOf(tc.err) == "" {
			t.Errorf("%s: %v", tc.op, tc.err)
		}
	}
}
