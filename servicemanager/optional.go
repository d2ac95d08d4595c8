package servicemanager

import (
	"context"
	"io"
	"iter"
	"syscall"
	"time"
)

// Condition is what a [Waiter] waits for.
type Condition int

const (
	// UntilUp is reached when the service's process exists.
	UntilUp Condition = iota + 1
	// UntilReady is reached when the service has announced readiness; for a
	// service that announces none it equals UntilUp.
	UntilReady
	// UntilDown is reached when the service's process is gone.
	UntilDown
	// UntilFinished is reached when the process and its cleanup (the finish
	// script of s6) are gone and nothing is about to be started.
	UntilFinished
)

// String returns the word the command uses for the condition.
func (c Condition) String() string {
	switch c {
	case UntilUp:
		return "up"
	case UntilReady:
		return "ready"
	case UntilDown:
		return "down"
	case UntilFinished:
		return "finished"
	default:
		return "unknown condition"
	}
}

// Waiter waits for a service to reach a condition (CapWait).
type Waiter interface {
	// Wait returns the status that fulfilled the condition. A wait that can
	// no longer succeed ends at once with ErrFailed: up or ready while the
	// service failed for good, anything while its supervisor is gone
	// (ErrNotSupervised). An expired context ends it with the context's
	// error and the last status seen.
	Wait(ctx context.Context, name string, until Condition) (Status, error)
}

// Watcher reports the changes of a service as they happen (CapWatch).
type Watcher interface {
	// Watch yields the present status first and then one for every change,
	// until ctx ends, the manager is closed, the loop is left, or the
	// service is removed (a last error ErrNotRegistered). Changes that
	// follow each other faster than the loop takes them may be merged; the
	// last one is never lost.
	Watch(ctx context.Context, name string) iter.Seq2[Status, error]
}

// LogOptions chooses what Logs returns. The zero value is everything that is
// stored, without following.
type LogOptions struct {
	// Lines limits the output to the last Lines lines of what Since leaves;
	// 0 means no limit.
	Lines int
	// Since drops lines stamped before it. Lines without a stamp belong to
	// the stamp before them. The zero time drops nothing.
	Since time.Time
	// Follow keeps the stream open and delivers lines as they are written,
	// across rotation, until the reader is closed or ctx ends.
	Follow bool
}

// LogReader reads what a service has written (CapLogs).
type LogReader interface {
	// Logs returns the log as the manager stores it, oldest line first. The
	// caller closes the reader; closing it or ending ctx ends a Read in
	// progress.
	//
	// Errors: ErrNotRegistered, ErrPermission, ErrNotSupported (this
	// service's output is not stored where it could be read).
	Logs(ctx context.Context, name string, opts LogOptions) (io.ReadCloser, error)
}

// Signaler sends a signal to a service's process (CapSignal).
type Signaler interface {
	// Signal asks the supervisor to signal the process; wanted state and
	// restart policy are not touched. A service that has no process is
	// ErrNotRunning. Signals the manager cannot send are ErrNotSupported.
	Signal(ctx context.Context, name string, sig syscall.Signal) error
}

// Surveyor reports all services in one sweep (CapSurvey).
type Surveyor interface {
	// StatusAll yields every service in the order of names. A service that
	// cannot be read yields its name with an error; the sweep goes on.
	StatusAll(ctx context.Context) iter.Seq2[Status, error]
}

// Installer makes services that outlive a reboot (CapInstall): units, plists,
// recorded specs. Managers with runtime registration have none.
type Installer interface {
	// Install writes, enables and, unless Spec.Down, starts a service.
	Install(ctx context.Context, spec Spec) error
	// Uninstall stops and removes a service; nothing of it stays.
	Uninstall(ctx context.Context, name string) error
	// Installed returns the sorted names of the services this library
	// installed.
	Installed(ctx context.Context) ([]string, error)
}
