//go:build !linux

package pid1

import (
	"fmt"
	"runtime"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Run is not there: an init needs Linux.
func Run(Options) (int, error) {
	return ExitOwn, fmt.Errorf("an init on %s: %w", runtime.GOOS, servicemanager.ErrNotSupported)
}

// Boot is empty, as nothing begins with an init here.
func Boot() string { return "" }
