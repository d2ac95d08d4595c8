//go:build unix

package logdir

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// dirFD is a folder as a descriptor: renaming the directory, or putting
// another one in its place, does not lead elsewhere.
type dirFD struct {
	fd   int
	name string
	lock int
}

var (
	errLink       = errors.New("is a symbolic link, which is not followed here; give the thing itself")
	errNotRegular = errors.New("is not a regular file, so it is no part of a log")
)

// Close releases the lock too.
func (d *dirFD) Close() error {
	if d.lock >= 0 {
		unix.Close(d.lock)
	}
	return unix.Close(d.fd)
}

func (d *dirFD) path(name string) string { return path.Join(d.name, name) }

func (d *dirFD) fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: d.path(name), Err: err}
}

// open opens a regular file. It never waits, whatever is there.
func (d *dirFD) open(name string, flags int) (int, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o666)
	})
	if errors.Is(err, unix.ELOOP) {
		err = errLink
	}
	if err != nil {
		return -1, d.fail("open", name, err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	if err != nil {
		unix.Close(fd)
		return -1, d.fail("open", name, err)
	}
	return fd, nil
}

func (d *dirFD) extend(name string) (file, error) {
	fd, err := d.open(name, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT)
	if err != nil {
		return nil, err
	}
	return &fileFD{fd: fd, path: d.path(name)}, nil
}

func (d *dirFD) empty(name string) error {
	fd, err := d.open(name, unix.O_WRONLY|unix.O_TRUNC|unix.O_CREAT)
	if err != nil {
		return err
	}
	return d.fail("close", name, unix.Close(fd))
}

func (d *dirFD) look(name string) (entry, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return entry{}, d.fail("stat", name, err)
	}
	return entry{size: st.Size, links: uint64(st.Nlink), done: st.Mode&unix.S_IXUSR != 0}, nil
}

func (d *dirFD) torn(name string) (bool, error) {
	fd, err := d.open(name, unix.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	end, err := unix.Seek(fd, 0, 2)
	if err != nil || end == 0 {
		return false, d.fail("seek", name, err)
	}
	var last [1]byte
	_, err = retry(func() (int, error) { return unix.Pread(fd, last[:], end-1) })
	return last[0] != '\n', d.fail("read", name, err)
}

func (d *dirFD) rename(from, to string) error {
	if err := unix.Renameat(d.fd, from, d.fd, to); err != nil {
		return &os.LinkError{Op: "rename", Old: d.path(from), New: to, Err: err}
	}
	return nil
}

func (d *dirFD) link(from, to string) error {
	if err := unix.Linkat(d.fd, from, d.fd, to, 0); err != nil {
		return &os.LinkError{Op: "link", Old: d.path(from), New: to, Err: err}
	}
	return nil
}

func (d *dirFD) remove(name string) error {
	return d.fail("remove", name, unix.Unlinkat(d.fd, name, 0))
}

func (d *dirFD) names() ([]string, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, d.fail("list", "", err)
	}
	f := os.NewFile(uintptr(fd), d.name)
	defer f.Close()
	return f.Readdirnames(-1)
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
