//go:build unix

package logdir

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// take locks the directory for as long as it is open. The kernel ends the lock
// with the process, however that ends.
func (d *dirFD) take() error {
	fd, err := d.open(nameLock, unix.O_WRONLY|unix.O_CREAT)
	if err != nil {
		return err
	}
	if err := setLock(fd); err != nil {
		holder := lockHolder(fd)
		unix.Close(fd)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return fmt.Errorf("log directory %s: %w%s; stop that one, or log to another directory", d.name, ErrLocked, holder)
		}
		return d.fail("lock", nameLock, err)
	}
	d.lock = fd
	return nil
}

func setProcessLock(fd int) error {
	return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
}

// lockHolder names the process that has the lock, where that can be known.
func lockHolder(fd int) string {
	query := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &query); err != nil || query.Type == unix.F_UNLCK || query.Pid <= 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", query.Pid)
}
