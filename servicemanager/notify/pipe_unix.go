//go:build linux || darwin || freebsd || netbsd || dragonfly

package notify

import (
	"errors"
	"syscall"
)

// checkPipe returns nil for a pipe or FIFO that this process inherited.
func checkPipe(fd int) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return errors.New("there is no such open descriptor")
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return errors.New("that descriptor is not a pipe")
	}
	// What came through exec cannot be close-on-exec; what this program
	// opened itself is, in Go always.
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	if errno == 0 && flags&syscall.FD_CLOEXEC != 0 {
		return errors.New("that descriptor was opened by this program and not inherited")
	}
	return nil
}

func setCloseOnExec(fd int) { syscall.CloseOnExec(fd) }
