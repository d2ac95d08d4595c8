// Package life tells when a supervisor has died, by events. A supervisor that
// is killed writes no event, so listeners would wait for ever.
package life

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// FIFO waits until nobody reads the FIFO any more that f, a write end, belongs
// to: the kernel then reports an error on it. It ends early with the context's
// error.
func FIFO(ctx context.Context, f *os.File) error {
	return await(ctx, f, unix.POLLERR)
}

// Process waits until the process behind a pidfd has ended. It ends early with
// the context's error.
func Process(ctx context.Context, pidfd *os.File) error {
	return await(ctx, pidfd, unix.POLLIN)
}

// OpenProcess returns a pidfd as a file that the runtime's poller watches.
func OpenProcess(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.EINVAL) { // before Linux 5.10
		if fd, err = unix.PidfdOpen(pid, 0); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	}
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// Exists says whether the process behind a pidfd is still in the process table,
// be it as a zombie that nobody has collected.
func Exists(pidfd *os.File) bool {
	rc, err := pidfd.SyscallConn()
	if err != nil {
		return false
	}
	exists := false
	cerr := rc.Control(func(fd uintptr) {
		exists = !errors.Is(unix.PidfdSendSignal(int(fd), 0, nil, 0), unix.ESRCH)
	})
	return cerr == nil && exists
}

func await(ctx context.Context, f *os.File, want int16) error {
	stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	rc, err := f.SyscallConn()
	if err != nil {
		return err
	}
	err = rc.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: want}}
		n, perr := unix.Poll(fds, 0)
		return perr == nil && n > 0 && fds[0].Revents&(want|unix.POLLHUP|unix.POLLNVAL) != 0
	})
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Parent returns the parent of a process. It fails where /proc does not show
// the process, because there is none or it may not be seen.
func Parent(pid int) (int, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; state and parent follow.
	after := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[after+1:])
	if after < 0 || len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/stat has no parent: %q", pid, b)
	}
	return strconv.Atoi(string(fields[1]))
}
