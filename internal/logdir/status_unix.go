//go:build unix

package logdir

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// writeStatus puts a file in the place of the one at path: readers see the old
// one or the new one. It is written beside it, with .new after its name.
func writeStatus(path string, content []byte) error {
	parent, base, err := openParent(path, false)
	if err != nil {
		return fmt.Errorf("status file %s: %w", path, err)
	}
	defer unix.Close(parent)
	if err := replaceAt(parent, base, content); err != nil {
		return fmt.Errorf("write status file %s: %w", path, err)
	}
	return nil
}

func replaceAt(parent int, base string, content []byte) error {
	next := base + ".new"
	if err := unix.Unlinkat(parent, next, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(parent, next, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o666)
	})
	if err != nil {
		return err
	}
	if err != nil {
		return err
	}
	f := fileFD{fd: fd}
	for len(content) > 0 && err == nil {
		var n int
		n, err = f.Write(content)
		content = content[n:]
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = unix.Renameat(parent, next, parent, base)
	}
	if err != nil {
		err = errors.Join(err, unix.Unlinkat(parent, next, 0))
	}
	return err
}
