//go:build !unix

package execwords

import (
	"fmt"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func become(path string, _ []string) error {
	return fmt.Errorf("run %s: %w on this system", path, servicemanager.ErrNotSupported)
}
