package lock

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// ErrHeld means that somebody holds the lock.
var ErrHeld = errors.New("the lock is held")

// Take makes the file name with exactly these permissions, unless it is there,
// and takes its lock without waiting. Closing the descriptor gives the lock
// back.
//
// The lock belongs to the open file, not to the process (F_OFD_SETLK): for
// s6-supervise and s6-svok it is as good as their own, but closing another
// descriptor of the file does not lose it. No child may inherit it.
//
// Errors: ErrHeld, and what the file system says.
func Take(d *fsat.Dir, name string, perm uint32) (fd int, err error) {
	fd, err = d.OpenFD(name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CREAT|unix.O_EXCL, perm&0o700)
	made := err == nil
	if errors.Is(err, fs.ErrExist) {
		fd, err = d.OpenFD(name, unix.O_RDWR|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return -1, err
	}
	if err := take(fd, made, perm); err != nil {
		unix.Close(fd)
		if errors.Is(err, ErrHeld) {
			return -1, fmt.Errorf("%s: %w", d.Path(name), err)
		}
		return -1, &fs.PathError{Op: "lock", Path: d.Path(name), Err: err}
	}
	return fd, nil
}

func take(fd int, made bool, perm uint32) error {
	if made {
		if err := unix.Fchmod(fd, perm); err != nil {
			return err
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errors.New("is not a regular file")
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &whole)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES):
		return ErrHeld
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("this file system cannot lock files (%w); use a directory on a tmpfs", err)
	}
	return err
}

// spoken is a byte of the lock, far from where anybody looks.
const spoken = 1 << 62

// Speak tells those who query a lock that its holder has written its first
// record: until then they would believe what the one before has left. It does
// so by giving back one byte of the lock, which is as good as before to everybody
// who wants all of it, and is forgotten with the holder, however that ends.
func Speak(fd int) error {
	gap := unix.Flock_t{Type: unix.F_UNLCK, Start: spoken, Len: 1}
	return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &gap)
}
