package servicemanager

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// The classes of failure. Match with errors.Is.
var (
	// ErrNotSupported: this manager cannot do that at all. It also matches
	// errors.ErrUnsupported.
	ErrNotSupported error = unsupported{}
	// ErrNotRegistered: the manager knows no service of that name.
	ErrNotRegistered = errors.New("no such service")
	// ErrAlreadyRegistered: the name is taken; see AlreadyRegisteredError.
	ErrAlreadyRegistered = errors.New("service already registered")
	// ErrNotSupervised: the service exists, but no supervisor listens.
	ErrNotSupervised = errors.New("no supervisor is listening")
	// ErrNotRunning: the service has no process to act on.
	ErrNotRunning = errors.New("service is not running")
	// ErrFailed: the service failed for good, or what was waited for can no
	// longer happen.
	ErrFailed = errors.New("service failed permanently")
	// ErrNoBackend: no service manager can be used here.
	ErrNoBackend = errors.New("no usable service manager found")
	// ErrClosed: the manager was closed.
	ErrClosed = errors.New("service manager is closed")
	// ErrPermission: the caller lacks a right. It is fs.ErrPermission, so
	// EACCES and EPERM match without translation.
	ErrPermission = fs.ErrPermission
)

type unsupported struct{}

func (unsupported) Error() string        { return "not supported by this service manager" }
func (unsupported) Is(target error) bool { return target == errors.ErrUnsupported }

// Error is what every method of every backend returns. It reads
// "s6: stop web: <cause>" and unwraps to the cause.
type Error struct {
	Op      string // "register", "stop", ...
	Service string // may be empty
	Kind    Kind
	Err     error // never nil
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Kind != "" {
		b.WriteString(string(e.Kind) + ": ")
	}
	b.WriteString(e.Op)
	switch {
	case e.Service == "":
	case ValidName(e.Service):
		b.WriteString(" " + e.Service)
	default: // it may contain anything; an error is one line
		b.WriteString(" " + strconv.Quote(shorten(e.Service)))
	}
	return b.String() + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// SpecError tells which field of a Spec (or which name) cannot be used and
// why.
type SpecError struct {
	Field  string // "Name", "Env[FOO BAR]", ...
	Value  string // the offending value where it is short and no secret
	Reason string // "is empty"
}

func (e *SpecError) Error() string {
	if e.Value == "" {
		return e.Field + " " + e.Reason
	}
	return e.Field + " " + strconv.Quote(shorten(e.Value)) + " " + e.Reason
}

func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// AlreadyRegisteredError is ErrAlreadyRegistered with what Ensure needs to
// know: whether the registered service has the same content.
type AlreadyRegisteredError struct {
	// Same: the registered service was made from an equal Spec.
	Same bool
}

func (e *AlreadyRegisteredError) Error() string {
	if e.Same {
		return ErrAlreadyRegistered.Error() + " with the same spec"
	}
	return ErrAlreadyRegistered.Error() + " with another spec"
}

// Is makes the error match ErrAlreadyRegistered.
func (e *AlreadyRegisteredError) Is(target error) bool { return target == ErrAlreadyRegistered }

// WithRemedy adds the next step to an error: what the reader can do about it,
// as a command or an imperative. The text becomes "<err>; <remedy>".
func WithRemedy(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return &remedied{err, remedy}
}

type remedied struct {
	err    error
	remedy string
}

func (e *remedied) Error() string { return e.err.Error() + "; " + e.remedy }
func (e *remedied) Unwrap() error { return e.err }

// RemedyOf returns the outermost remedy that WithRemedy put into the chain of
// err, or "".
func RemedyOf(err error) string {
	var r *remedied
	if errors.As(err, &r) {
		return r.remedy
	}
	return ""
}
