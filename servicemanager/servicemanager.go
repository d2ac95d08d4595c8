package servicemanager

import "context"

// Kind names a family of service managers. It is part of the stable output of
// the command and never translated.
type Kind string

// The kinds of the in-tree backends. A third party may use a Kind of its own.
const (
	KindS6         Kind = "s6"
	KindSystemd    Kind = "systemd"
	KindLaunchd    Kind = "launchd"
	KindForeground Kind = "foreground"
)

// ServiceManager controls the services known to one supervisor. All methods
// are safe for concurrent use, bounded by their context, and return *[Error].
//
// Cancelling the context of a call abandons the wait, not the service: what
// the supervisor was already asked to do goes on. Only Register undoes what it
// began.
//
// The interface is frozen: what a manager can do beyond it are optional
// interfaces, found with [As].
type ServiceManager interface {
	// Kind says which family this manager belongs to.
	Kind() Kind

	// Supports says whether a capability can work here. True means that As
	// finds the interface behind it and that it never answers ErrNotSupported,
	// but for a single service or signal where its own comment says so; false
	// that it is missing or always answers it.
	Supports(Capability) bool

	// Start makes the service wanted up and returns when its process exists.
	// A service that is already up is success. With NoWait it returns when
	// the supervisor has accepted the request.
	//
	// Errors: ErrNotRegistered, ErrNotSupervised, ErrPermission, ErrFailed
	// (it failed for good while we waited), the context's error.
	Start(ctx context.Context, name string, opts ...ActOption) error

	// Stop makes the service wanted down and returns when its process and
	// its finish script are gone. A process that outlives the stop timeout
	// (Spec.StopTimeout, or StopWithin) is killed. A service that is already
	// down is success.
	//
	// Errors: ErrNotRegistered, ErrNotSupervised, ErrPermission, the
	// context's error.
	Stop(ctx context.Context, name string, opts ...ActOption) error

	// Restart is one transaction: down, gone, up. It returns when a new
	// process exists. The exit policy of the service does not apply to the
	// death that Restart causes. A service that is down is started.
	//
	// Errors: as Start.
	Restart(ctx context.Context, name string, opts ...ActOption) error

	// Status reports one service as it is now. A service whose supervisor is
	// gone is StateUnknown with a Problem, not an error.
	//
	// Errors: ErrNotRegistered, ErrPermission.
	Status(ctx context.Context, name string) (Status, error)

	Registrar

	// Close ends running Watches and releases what the manager holds. Calls
	// after it answer ErrClosed. Closing twice is success.
	Close() error
}

// Registrar adds and removes services while the manager runs. Managers that
// cannot (systemd, launchd, foreground) answer ErrNotSupported and have an
// [Installer] instead; [Ensure] and [Remove] pick the right one.
type Registrar interface {
	// Register makes a service known and, unless Spec.Down, starts it. It
	// returns when the supervisor reports the service, or leaves nothing
	// behind: any failure and any cancellation is rolled back.
	//
	// Errors: *SpecError, ErrAlreadyRegistered (as
	// *AlreadyRegisteredError), ErrNotSupervised, ErrPermission,
	// ErrNotSupported, the context's error.
	Register(ctx context.Context, spec Spec) error

	// Unregister stops a service, waits until its supervisor has let go of
	// it and removes it.
	//
	// Errors: ErrNotRegistered, ErrPermission, ErrNotSupported, the
	// context's error.
	Unregister(ctx context.Context, name string) error

	// List returns the names of all services of the manager's scope, sorted.
	//
	// Errors: ErrPermission, ErrNotSupported.
	List(ctx context.Context) ([]string, error)
}
