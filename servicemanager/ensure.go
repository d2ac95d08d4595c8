package servicemanager

import (
	"context"
	"errors"
)

// Change is what Ensure had to do.
type Change int

// The changes.
const (
	ChangeNone          Change = iota // it was there with the same content
	ChangeCreated                     // it was not there
	ChangeUpdated                     // it was there with other content, and was replaced
	ChangeRestartNeeded               // replaced, but the running process is still the old one
)

// String returns "none", "created", "updated" or "restart-needed".
func (c Change) String() string {
	switch c {
	case ChangeCreated:
		return "created"
	case ChangeUpdated:
		return "updated"
	case ChangeRestartNeeded:
		return "restart-needed"
	default:
		return "none"
	}
}

// Ensurer is implemented by managers that can replace a service's definition
// better than by removing and adding it; Ensure prefers it.
type Ensurer interface {
	Ensure(ctx context.Context, spec Spec) (Change, error)
}

// Ensure makes a service exist with the content of spec and run, unless
// Spec.Down: by Install where the manager has an Installer, else by Register.
// It is idempotent: a service with equal content is left as it is, and only
// started when it is not up. Other content is replaced by removing and adding
// the service, which restarts it; if adding fails then, the service is gone
// and the error says why.
func Ensure(ctx context.Context, m ServiceManager, spec Spec) (Change, error) {
	if e, ok := As[Ensurer](m); ok {
		return e.Ensure(ctx, spec)
	}
	change, err := ensureOnce(ctx, m, spec)
	for try := 1; contested(err) && try < ensureTries && ctx.Err() == nil; try++ {
		change, err = ensureOnce(ctx, m, spec)
	}
	return change, err
}

// ensureTries bounds how often Ensure begins anew because somebody else adds or
// removes the service at the same time.
const ensureTries = 5

// contested says that a service came or went between two steps of Ensure.
func contested(err error) bool {
	return errors.Is(err, ErrNotRegistered) || errors.Is(err, ErrAlreadyRegistered)
}

func ensureOnce(ctx context.Context, m ServiceManager, spec Spec) (Change, error) {
	add, remove := m.Register, m.Unregister
	if in, ok := As[Installer](m); ok && m.Supports(CapInstall) {
		add, remove = in.Install, in.Uninstall
	}
	err := add(ctx, spec)
	if err == nil {
		return ChangeCreated, nil
	}
	var have *AlreadyRegisteredError
	if !errors.As(err, &have) {
		return ChangeNone, err
	}
	if have.Same {
		if spec.Down {
			return ChangeNone, nil
		}
		return ChangeNone, m.Start(ctx, spec.Name)
	}
	if err := remove(ctx, spec.Name); err != nil && !errors.Is(err, ErrNotRegistered) {
		return ChangeNone, err
	}
	if err := add(ctx, spec); err != nil {
		return ChangeNone, err
	}
	return ChangeUpdated, nil
}

// Remove makes a service not exist: by Uninstall where the manager has an
// Installer, else by Unregister. An absent service is success.
func Remove(ctx context.Context, m ServiceManager, name string) error {
	remove := m.Unregister
	if in, ok := As[Installer](m); ok && m.Supports(CapInstall) {
		remove = in.Uninstall
	}
	err := remove(ctx, name)
	if errors.Is(err, ErrNotRegistered) {
		return nil
	}
	return err
}
