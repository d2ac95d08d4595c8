//go:build !unix

package logdir

import (
	"errors"
	"fmt"
)

// openFolder is not possible: the layout needs permissions, hard links and
// locks as Unix has them.
func openFolder(path string, _ bool) (folder, error) {
	return nil, fmt.Errorf("log directory %s: %w on this system", path, errors.ErrUnsupported)
}

func writeStatus(path string, _ []byte) error {
	return fmt.Errorf("status file %s: %w on this system", path, errors.ErrUnsupported)
}
