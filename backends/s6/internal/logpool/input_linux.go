package logpool

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// InputFile is the FIFO into which a service writes, below its log directory.
const InputFile = "supervise/input"

// errInputBusy says that another process reads the FIFO.
var errInputBusy = errors.New("is being read by another log process")

// input is the reading end of a FIFO. Two would both take out what only one of
// them has written, so it is locked.
type input struct {
	file *os.File
	conn syscall.RawConn
	path string
}

func openInput(dir *fsat.Dir) (*input, error) {
	fd, err := dir.OpenFD(InputFile, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	path := dir.Path(InputFile)
	if err := checkInput(fd); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s %w", path, err)
	}
	in := &input{file: os.NewFile(uintptr(fd), path), path: path}
	if in.conn, err = in.file.SyscallConn(); err != nil {
		in.file.Close()
		return nil, err
	}
	return in, nil
}

// checkInput refuses what the tree has not made: nobody else is to write into a
// log, nor to have us read from elsewhere.
func checkInput(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("cannot be looked at: %w", err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFIFO:
		return errors.New("is no FIFO; remove it, and restart the service")
	case int(st.Uid) != unix.Geteuid() && st.Uid != 0:
		return fmt.Errorf("belongs to uid %d; remove it, and restart the service", st.Uid)
	case st.Mode&0o022 != 0:
		return fmt.Errorf("can be written by others (mode %04o); chmod go-w it", st.Mode&0o7777)
	}
	_, err := retry(func() (struct{}, error) { return struct{}{}, unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return errInputBusy
	case err != nil:
		return fmt.Errorf("cannot be locked: %w", err)
	}
	return nil
}

// interrupt ends a wait, also one that begins later, until resume.
func (in *input) interrupt() { in.file.SetReadDeadline(time.Unix(1, 0)) }
func (in *input) resume()    { in.file.SetReadDeadline(time.Time{}) }

// wait calls peek with the descriptor, and again whenever there is more to read,
// until it answers true. It answers false if it was interrupted.
//
// The runtime's poller reports edges. So there is no waiting unless peek has found
// the FIFO empty, nor does the end of all writers, which is a state, wake us more
// than once.
func (in *input) wait(peek func(fd uintptr) bool) (bool, error) {
	err := in.conn.Read(peek)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	return err == nil, err
}

// use calls f with the descriptor.
func (in *input) use(f func(fd uintptr)) { _ = in.conn.Control(f) } // fails only once it is closed

// take takes out what has been written elsewhere.
func (in *input) take(n int, b []byte) error {
	var err error
	in.use(func(fd uintptr) {
		for n > 0 && err == nil {
			var m int
			m, err = readOnce(int(fd), b[:min(n, len(b))])
			if err == nil && m == 0 {
				err = errors.New("somebody else has read from it")
			}
			n -= m
		}
	})
	if err != nil {
		return fmt.Errorf("take from %s: %w", in.path, err)
	}
	return nil
}

// waiting is how many bytes are in the FIFO.
func (in *input) waiting() int {
	n := 0
	in.use(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	return n
}

func (in *input) close() { in.file.Close() }
