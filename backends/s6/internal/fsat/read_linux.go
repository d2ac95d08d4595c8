package fsat

import (
	"errors"
	"io/fs"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// ReadFile returns the content of a regular file of at most most bytes.
func (d *Dir) ReadFile(name string, most int) ([]byte, error) {
	fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, d.fail("stat", name, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, d.fail("read", name, errNotRegular)
	}
	if st.Size > int64(most) {
		return nil, d.fail("read", name, errTooLong)
	}
	buf := make([]byte, most+1)
	n, err := readFull(fd, buf)
	if err != nil {
		return nil, d.fail("read", name, err)
	}
	if n > most {
		return nil, d.fail("read", name, errTooLong)
	}
	return buf[:n], nil
}

var (
	errNotRegular = errors.New("is not a regular file")
	errTooLong    = errors.New("is longer than a file of its kind can be")
)

func readFull(fd int, buf []byte) (int, error) {
	got := 0
	for got < len(buf) {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[got:]) })
		if err != nil {
			return got, err
		}
		if n == 0 {
			break
		}
		got += n
	}
	return got, nil
}

// ReadRecord reads once, at most len(buf) bytes, and returns how many: for
// small records that are replaced by rename and never grow. What is not a
// regular file gives an error or too few bytes, never a wait.
func (d *Dir) ReadRecord(name string, buf []byte) (int, error) {
	fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	n, err := retry(func() (int, error) { return unix.Read(fd, buf) })
	unix.Close(fd)
	if err != nil {
		return 0, d.fail("read", name, err)
	}
	return n, nil
}

// Stat describes name itself, not what a link points to. Only the last element
// is kept from being followed: use it directly below d, or below directories
// that were opened before.
func (d *Dir) Stat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	_, err := retry(func() (struct{}, error) {
		return struct{}{}, unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return st, d.fail("stat", name, err)
	}
	return st, nil
}

// StatSelf describes the directory.
func (d *Dir) StatSelf() (unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		return st, d.fail("stat", "", err)
	}
	return st, nil
}

// Exists says whether there is anything called name. An error is one of rights
// or of the medium, never of absence.
func (d *Dir) Exists(name string) (bool, error) {
	_, err := d.Stat(name)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
		return false, nil
	default:
		return false, err
	}
}

const direntSize = 16 << 10

var direntBuffers = sync.Pool{New: func() any { return new([direntSize]byte) }}

// Names returns the names in the directory, sorted. It needs the right to read
// the directory.
func (d *Dir) Names() ([]string, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, d.fail("read", "", err)
	}
	defer unix.Close(fd)
	var names []string
	// Not on the stack: it would stay large for as long as its goroutine lives.
	buf := direntBuffers.Get().(*[direntSize]byte)
	defer direntBuffers.Put(buf)
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(fd, buf[:]) })
		if err != nil {
			return nil, d.fail("read", "", err)
		}
		if n == 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	slices.Sort(names)
	return names, nil
}
