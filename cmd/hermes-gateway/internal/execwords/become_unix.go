//go:build unix

package execwords

import (
	"fmt"
	"os"
	"syscall"
)

func become(path string, words []string) error {
	return fmt.Errorf("run %s: %w", path, syscall.Exec(path, words, os.Environ()))
}
