//go:build !(linux || darwin || freebsd || netbsd || dragonfly)

package notify

import (
	"fmt"
	"runtime"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func checkPipe(int) error {
	return fmt.Errorf("no supervisor on %s passes descriptors: %w", runtime.GOOS, servicemanager.ErrNotSupported)
}

func setCloseOnExec(int) {}
