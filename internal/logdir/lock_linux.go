package logdir

import (
	"errors"

	"golang.org/x/sys/unix"
)

// setLock takes a lock that excludes s6-log's, which is of the older kind: that
// kind would not exclude a second Log in the same process, and would be lost
// when anything in the process closes the file.
func setLock(fd int) error {
	err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if errors.Is(err, unix.EINVAL) {
		return setProcessLock(fd) // a file system, or a sandbox, without them
	}
	return err
}
