//go:build unix

package logdir

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// fileFD is a file as a descriptor. It is no os.File: the runtime's poller is of
// no use for regular files.
type fileFD struct {
	fd   int
	path string
}

// Write writes once: what does not fit is the caller's to repeat.
func (f *fileFD) Write(p []byte) (int, error) {
	for {
		n, err := unix.Write(f.fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return max(n, 0), f.fail("write", err)
		case n == 0 && len(p) > 0:
			return 0, f.fail("write", io.ErrShortWrite)
		default:
			return n, nil
		}
	}
}

func (f *fileFD) Close() error { return f.fail("close", unix.Close(f.fd)) }

func (f *fileFD) sync() error {
	_, err := retry(func() (struct{}, error) { return struct{}{}, unix.Fsync(f.fd) })
	return f.fail("sync", err)
}

func (f *fileFD) size() (int64, error) {
	var st unix.Stat_t
	err := unix.Fstat(f.fd, &st)
	return st.Size, f.fail("stat", err)
}

func (f *fileFD) mark(done bool) error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return f.fail("stat", err)
	}
	mode := uint32(st.Mode) & 0o666
	if done {
		mode |= unix.S_IXUSR
	}
	return f.fail("chmod", unix.Fchmod(f.fd, mode))
}

func (f *fileFD) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: f.path, Err: err}
}
