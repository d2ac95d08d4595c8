package logpool

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// scratch is a pipe into which tee(2) copies what is in another, so that it can
// be looked at before it is taken out. One does for all sinks, as long as the
// process lives: it is in use for the time of two system calls that do not wait.
type scratch struct {
	mu          sync.Mutex
	read, write int

	// direct says that the system has no tee. What is read is gone from the pipe
	// then, and lost if the process is killed before it is written.
	direct atomic.Bool
}

func newScratch() (*scratch, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	return &scratch{read: p[0], write: p[1]}, nil
}

// peek copies what is in the pipe fd, as much as memory gets, and returns how much
// that is. 0 without an error: it is empty. Nothing was borrowed then.
func (s *scratch) peek(fd int, memory *loan) (int, error) {
	if s.direct.Load() {
		n, err := ignoreEmpty(readOnce(fd, memory.take(memory.size())))
		if n == 0 {
			memory.giveBack()
		}
		return n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	size := memory.size() // under the lock: those who wait for it will borrow too
	n, err := ignoreEmpty(retry(func() (int, error) {
		n, err := unix.Tee(fd, s.write, size, unix.SPLICE_F_NONBLOCK)
		return int(n), err
	}))
	if n <= 0 || err != nil {
		memory.giveBack()
		return 0, err
	}
	b := memory.take(size)
	for got := 0; got < n; {
		m, err := readOnce(s.read, b[got:n])
		if err != nil || m == 0 {
			return 0, errors.Join(errors.New("read the scratch pipe"), err)
		}
		got += m
	}
	return n, nil
}

// noTee says whether an error means that there is no tee in this system, or in
// this sandbox.
func noTee(err error) bool {
	return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL)
}

func readOnce(fd int, b []byte) (int, error) {
	return retry(func() (int, error) { return unix.Read(fd, b) })
}

// ignoreEmpty makes an empty pipe no error.
func ignoreEmpty(n int, err error) (int, error) {
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	return n, err
}

// retry repeats a call that a signal interrupted.
func retry[T any](call func() (T, error)) (T, error) {
	for {
		v, err := call()
		if !errors.Is(err, unix.EINTR) {
			return v, err
		}
	}
}
