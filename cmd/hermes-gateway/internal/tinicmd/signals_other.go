//go:build !linux

package tinicmd

import (
	"fmt"
	"runtime"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// signalOf knows none, as there is no init here.
func signalOf(string) (syscall.Signal, bool) { return 0, false }

func endWithParent(syscall.Signal) (func(), error) {
	return nil, fmt.Errorf("-p on %s: %w", runtime.GOOS, servicemanager.ErrNotSupported)
}
