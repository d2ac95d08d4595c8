package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// ErrNobody means that no supervisor reads the FIFO: there is none of that
// name, or nobody has it open for reading.
var ErrNobody = errors.New("nobody reads the control FIFO")

// ErrNotFIFO means that something else stands where the FIFO should be.
var ErrNotFIFO = errors.New("is not a FIFO of the supervisor")

// Open opens the FIFO name for writing, without waiting. It must be a FIFO and
// belong to owner or to root: anybody else's was put there to deceive.
//
// Errors: ErrNobody, ErrNotFIFO, fs.ErrPermission.
func Open(d *fsat.Dir, name string, owner uint32) (*os.File, error) {
	fd, err := d.OpenFD(name, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.ENXIO) || errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", d.Path(name), ErrNobody)
	case err != nil:
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "stat", Path: d.Path(name), Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFIFO || st.Uid != owner && st.Uid != 0 {
		unix.Close(fd)
		return nil, fmt.Errorf("%s %w (mode %o, uid %d)", d.Path(name), ErrNotFIFO, st.Mode, st.Uid)
	}
	return os.NewFile(uintptr(fd), d.Path(name)), nil
}

// Send writes cmds in one write, so that they arrive together. It waits while
// the FIFO is full until ctx ends. Success means that the bytes are in the
// FIFO of a living supervisor, not that they were obeyed.
//
// Errors: as Open, and the context's error.
func Send(ctx context.Context, d *fsat.Dir, name string, owner uint32, cmds string) error {
	f, err := Open(d, name, owner)
	if err != nil {
		return err
	}
	defer f.Close()
	return Write(ctx, f, cmds)
}

// Write is Send on a FIFO that is open already.
func Write(ctx context.Context, f *os.File, cmds string) error {
	stop := context.AfterFunc(ctx, func() { f.SetWriteDeadline(pastTime) })
	defer stop()
	_, err := f.WriteString(cmds)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, unix.EPIPE):
		return fmt.Errorf("%s: %w", f.Name(), ErrNobody)
	default:
		return err
	}
}

// Unread returns how many bytes in the FIFO nobody has read yet.
func Unread(f *os.File) (n int, err error) {
	rc, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	const fionread = unix.TIOCINQ // its other name
	cerr := rc.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), fionread) })
	if err != nil {
		err = &fs.PathError{Op: "ioctl", Path: f.Name(), Err: err}
	}
	return n, errors.Join(cerr, err)
}

// pastTime is a deadline that has passed: setting it ends a call in progress.
var pastTime = time.Unix(1, 0)
