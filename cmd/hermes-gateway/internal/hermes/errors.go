package hermes

import (
	"fmt"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// AmbiguousError says that a name means a profile, and a service that is not
// that profile's.
type AmbiguousError struct{ Profile, Service Target }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q is both the profile %s (service %s) and the service %s",
		e.Profile.Typed, e.Profile.Profile, e.Profile.Service, e.Service.Service)
}

// UnknownError says that a name means nothing here. It is
// servicemanager.ErrNotRegistered.
type UnknownError struct {
	Name string
	Why  error // why it is no profile, where it could be one
}

func (e *UnknownError) Error() string {
	if e.Why == nil {
		return servicemanager.ErrNotRegistered.Error()
	}
	return "no such profile or service (" + e.Why.Error() + ")"
}

// Is makes it servicemanager.ErrNotRegistered.
func (e *UnknownError) Is(target error) bool { return target == servicemanager.ErrNotRegistered }

// UnregisteredError says that a profile exists, but has no service yet. It is
// servicemanager.ErrNotRegistered.
type UnregisteredError struct{ Target Target }

func (e *UnregisteredError) Error() string {
	return fmt.Sprintf("the profile exists, but its service %s is not registered", e.Target.Service)
}

// Is makes it servicemanager.ErrNotRegistered.
func (e *UnregisteredError) Is(target error) bool {
	return target == servicemanager.ErrNotRegistered
}
