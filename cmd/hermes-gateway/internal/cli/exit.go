package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// The exit codes of all commands but status, which has its own in
// statusexit.go. They follow the conventions for init scripts (LSB), so that
// monitors understand them.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotSupported = 3
	exitNoPermission = 4
	exitNoService    = 5
	exitTimeout      = 124
	exitInterrupted  = 130
)

// failureClass is one way to fail: its exit code and the word for it in JSON.
type failureClass struct {
	exit int
	word string
}

// classOf is the one table from errors to failure classes. The first match
// wins.
func classOf(err error) failureClass {
	var spec *servicemanager.SpecError
	var usage *usageError
	var ambiguous *hermes.AmbiguousError
	switch {
	case errors.As(err, &usage), errors.As(err, &ambiguous), errors.As(err, &spec):
		return failureClass{exitUsage, "usage"}
	case errors.Is(err, context.DeadlineExceeded):
		return failureClass{exitTimeout, "timeout"}
	case errors.Is(err, context.Canceled):
		return failureClass{exitInterrupted, "interrupted"}
	case errors.Is(err, servicemanager.ErrNotRegistered):
		return failureClass{exitNoService, "not_registered"}
	case errors.Is(err, servicemanager.ErrPermission):
		return failureClass{exitNoPermission, "permission"}
	case errors.Is(err, servicemanager.ErrNotSupported):
		return failureClass{exitNotSupported, "not_supported"}
	case errors.Is(err, servicemanager.ErrAlreadyRegistered):
		return failureClass{exitFailed, "already_registered"}
	case errors.Is(err, servicemanager.ErrNotSupervised):
		return failureClass{exitFailed, "not_supervised"}
	case errors.Is(err, servicemanager.ErrNoBackend):
		return failureClass{exitFailed, "no_manager"}
	default:
		return failureClass{exitFailed, "failed"}
	}
}

// worstExit returns the exit code of a command that did several things: the
// highest of theirs.
func worstExit(codes []int) int {
	return slices.Max(append([]int{exitDone}, codes...))
}

// usageError is a command line that cannot be carried out.
type usageError struct{ what string }

func (e *usageError) Error() string { return e.what }

// exitError ends a command with an exit code when everything there is to say
// has been printed.
type exitError struct{ code int }

func (e *exitError) Error() string { return "exit" }
