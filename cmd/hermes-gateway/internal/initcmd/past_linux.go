package initcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/past"
)

// sideEnvironment is the environment of hooks and services: the program's, and on PATH
// also the directory of programs that images of the past have. nil: the same.
func sideEnvironment(env []string) []string {
	if !isDir(past.Commands) {
		return nil
	}
	if env == nil {
		env = pid1.Environment()
	}
	path := ""
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			path = value
			break
		}
	}
	return replaced(env, map[string]string{"PATH": past.WithCommands(path)})
}

// canMakeShared says whether the tree could make the shared scan directory.
func (o *options) canMakeShared() bool {
	return (o.user == "" || os.Geteuid() != 0) && unix.Access(filepath.Dir(sharedScanDir), unix.W_OK|unix.X_OK) == nil
}

// makeContainerEnvironment makes the directory where hooks leave variables, empty
// where a container begins.
func makeContainerEnvironment() error {
	dir := past.ContainerEnvironment
	above := filepath.Dir(dir)
	if err := makeDir(above); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := thisImage().OnlyRoots(above); err != nil {
			return fmt.Errorf("%s: %w", above, err)
		}
	}
	if os.Getpid() == 1 {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return makeDir(dir)
}

// makeDir makes a directory that all can read, whatever the umask is.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		return os.Chmod(dir, 0o755)
	}
	if isDir(dir) {
		return nil
	}
	return err
}
