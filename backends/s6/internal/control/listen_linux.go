package control

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// Listen makes the FIFO name with exactly these permissions and, unless it is
// negative, this group, if it is not there, and opens it for a supervisor. The descriptor does not block and, being
// a writer as well, never sees the end of the file.
//
// A FIFO that is there keeps its permissions, which is what s6-svperms relies
// on, but it must belong to this user or to root, and not everybody may write
// into it: who can write commands can stop services.
//
// Errors: ErrNotFIFO, and what the file system says.
func Listen(d *fsat.Dir, name string, perm uint32, group int) (fd int, err error) {
	fd, err = d.Mkfifo(name, 0o600)
	switch {
	case err == nil:
		err = share(fd, perm, group)
		unix.Close(fd)
		if err != nil {
			return -1, &fs.PathError{Op: "chmod", Path: d.Path(name), Err: err}
		}
	case !errors.Is(err, fs.ErrExist):
		return -1, err
	}
	fd, err = d.OpenFD(name, unix.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, &fs.PathError{Op: "stat", Path: d.Path(name), Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFIFO:
		err = fmt.Errorf("%s %w; remove it", d.Path(name), ErrNotFIFO)
	case int(st.Uid) != unix.Geteuid() && st.Uid != 0:
		err = fmt.Errorf("%s %w: it belongs to uid %d; remove it", d.Path(name), ErrNotFIFO, st.Uid)
	case st.Mode&0o002 != 0:
		err = fmt.Errorf("%s may be written by everybody (mode %04o); chmod o-w it", d.Path(name), st.Mode&0o7777)
	default:
		return fd, nil
	}
	unix.Close(fd)
	return -1, err
}

func share(fd int, perm uint32, group int) error {
	if group >= 0 {
		if err := unix.Fchown(fd, -1, group); err != nil {
			return err
		}
	}
	return unix.Fchmod(fd, perm)
}
