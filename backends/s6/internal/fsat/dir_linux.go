// Package fsat reads and writes below a held directory descriptor without ever
// following a symbolic link, so that somebody who can write in one of the
// directories cannot lead us elsewhere.
//
// Names given to its methods are relative and may have several elements
// ("supervise/status"); no element may be a link. Errors are *fs.PathError
// with the full path.
package fsat

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Dir is an open directory. The descriptor stays valid when the directory is
// renamed; Path is where it was found.
type Dir struct {
	fd   int
	path string
}

// Open opens a directory by path, following links in it: the caller vouches
// for the path. It needs the right to search the directory, not to read it.
func Open(path string) (*Dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &Dir{fd: fd, path: path}, nil
}

// Close releases the descriptor.
func (d *Dir) Close() error { return unix.Close(d.fd) }

// FD returns the descriptor (O_PATH), owned by d.
func (d *Dir) FD() int { return d.fd }

// Path returns the path of name below d, for messages only.
func (d *Dir) Path(name ...string) string { return path.Join(append([]string{d.path}, name...)...) }

// Sub opens a directory below d.
func (d *Dir) Sub(name string) (*Dir, error) {
	fd, err := d.OpenFD(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Dir{fd: fd, path: d.Path(name)}, nil
}

// SubFollow opens a directory directly below d, and follows name itself if it
// is a link: for scan directories, whose entries may be links by design.
func (d *Dir) SubFollow(name string) (*Dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	return &Dir{fd: fd, path: d.Path(name)}, nil
}

// OpenFD opens name with flags, adding O_CLOEXEC and O_NOFOLLOW. The caller
// owns the descriptor.
func (d *Dir) OpenFD(name string, flags int, mode uint32) (int, error) {
	fd, err := d.openFD(name, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, mode)
	if err != nil {
		if errors.Is(err, unix.ELOOP) {
			err = errLink
		}
		return -1, d.fail("open", name, err)
	}
	return fd, nil
}

var errLink = errors.New("is a symbolic link, which is never followed here")

func (d *Dir) openFD(name string, flags int, mode uint32) (int, error) {
	if !strings.Contains(name, "/") {
		return retry(func() (int, error) { return unix.Openat(d.fd, name, flags, mode) })
	}
	if haveOpenat2() {
		how := &unix.OpenHow{
			Flags: uint64(flags), Mode: uint64(mode),
			Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
		}
		return retry(func() (int, error) { return unix.Openat2(d.fd, name, how) })
	}
	return d.openStepwise(name, flags, mode)
}

// openStepwise is openat2's work by hand, for kernels before 5.6 and sandboxes
// that refuse the call.
func (d *Dir) openStepwise(name string, flags int, mode uint32) (int, error) {
	at := d.fd
	for {
		first, rest, more := strings.Cut(name, "/")
		step, stepMode := flags, mode
		if more {
			step, stepMode = unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0
		}
		fd, err := retry(func() (int, error) { return unix.Openat(at, first, step, stepMode) })
		if at != d.fd {
			unix.Close(at)
		}
		if err != nil || !more {
			return fd, err
		}
		at, name = fd, rest
	}
}

var haveOpenat2 = sync.OnceValue(func() bool {
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
})

func (d *Dir) fail(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: d.Path(name), Err: err}
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
