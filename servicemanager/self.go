package servicemanager

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Self returns the argv that runs this executable again with args: what a
// program puts into Spec.Command to make itself a service. Symbolic links are
// kept, so that a service follows an upgrade that swaps the link.
func Self(args ...string) ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	if named, ok := selfAsNamed(exe); ok {
		exe = named
	}
	return append([]string{exe}, args...), nil
}

// selfAsNamed finds the path this process was started by. It is used only if
// it still is the same file: argv[0] is the caller's word.
func selfAsNamed(exe string) (string, bool) {
	path, err := exec.LookPath(os.Args[0])
	if err != nil {
		return "", false
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return "", false
	}
	a, err1 := os.Stat(path)
	b, err2 := os.Stat(exe)
	return path, err1 == nil && err2 == nil && os.SameFile(a, b)
}
