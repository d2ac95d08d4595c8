//go:build unix

package logdir

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// openFolder opens a log directory, made if its last element is missing or, if
// parents, whatever is, and locks it.
func openFolder(where string, parents bool) (folder, error) {
	parent, base, err := openParent(where, parents)
	if err != nil {
		return nil, fmt.Errorf("log directory %s: %w", where, err)
	}
	defer unix.Close(parent)
	fd, err := openLast(parent, base)
	if err == nil && unix.Geteuid() == 0 {
		err = refuseShared(fd, true)
	}
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return nil, fmt.Errorf("log directory %s: %w", where, err)
	}
	d := &dirFD{fd: fd, name: where, lock: -1}
	if err := d.take(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// openLast opens the directory itself. The mode of one that exists is kept.
func openLast(parent int, base string) (int, error) {
	if err := unix.Mkdirat(parent, base, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, fmt.Errorf("cannot be made: %w", err)
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(parent, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		var st unix.Stat_t
		if unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return -1, errLink
		}
	}
	return fd, err
}

// openParent opens the directory that holds the last element of a path. Links on
// the way are followed: whoever can make one could as well move the directory.
// Root makes sure that nobody else could do either. With parents it is made if
// it is missing.
func openParent(where string, parents bool) (fd int, base string, err error) {
	where = strings.TrimRight(where, "/")
	if where == "" {
		where = "/."
	}
	dir, base := path.Split(where)
	if unix.Geteuid() == 0 {
		fd, err = walk(dir, parents)
	} else {
		fd, err = openPath(dir + ".")
		if errors.Is(err, unix.ENOENT) && parents {
			if err = os.MkdirAll(dir, parentMode); err == nil {
				fd, err = openPath(dir + ".")
			}
		}
	}
	if err != nil {
		return -1, "", fmt.Errorf("open %s: %w", dir+".", err)
	}
	return fd, base, nil
}

// parentMode is for directories above a log directory, as mkdir -p makes them.
const parentMode = 0o755

func openPath(dir string) (int, error) {
	return retry(func() (int, error) { return unix.Open(dir, searchOnly|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
}

// maxLinks is how many links may be on the way, as in the kernel.
const maxLinks = 40

// walk opens a directory by its path, element by element, and refuses every one
// on the way that others could change. With parents it makes what is missing.
func walk(dir string, parents bool) (int, error) {
	if !strings.HasPrefix(dir, "/") {
		wd, err := os.Getwd()
		if err != nil {
			return -1, err
		}
		dir = wd + "/" + dir
	}
	at, err := openStep(unix.AT_FDCWD, "/")
	if err != nil {
		return -1, err
	}
	todo := strings.Split(dir, "/")
	for links := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		if name == "" || name == "." {
			continue
		}
		fd, target, err := descend(at, name, parents)
		if err != nil {
			unix.Close(at)
			return -1, fmt.Errorf("at %s: %w", name, err)
		}
		if fd < 0 {
			if links++; links > maxLinks {
				unix.Close(at)
				return -1, unix.ELOOP
			}
			todo = append(strings.Split(target, "/"), todo...)
			if !strings.HasPrefix(target, "/") {
				continue
			}
			if fd, err = openStep(unix.AT_FDCWD, "/"); err != nil {
				unix.Close(at)
				return -1, err
			}
		}
		unix.Close(at)
		at = fd
	}
	return at, nil
}

// descend opens a directory in the one at, or returns where a link of that name
// leads, with a descriptor of -1.
func descend(at int, name string, parents bool) (fd int, target string, err error) {
	fd, err = openStep(at, name)
	if errors.Is(err, unix.ENOENT) && parents {
		// Whoever made it just before decides what it is.
		if err = unix.Mkdirat(at, name, parentMode); err == nil || errors.Is(err, unix.EEXIST) {
			fd, err = openStep(at, name)
		}
	}
	if err == nil {
		return fd, "", nil
	}
	var st unix.Stat_t
	if unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return -1, "", err
	}
	if st.Uid != 0 {
		return -1, "", shared(fmt.Sprintf("is a link of uid %d", st.Uid))
	}
	buf := make([]byte, 4096)
	n, err := retry(func() (int, error) { return unix.Readlinkat(at, name, buf) })
	return -1, string(buf[:max(n, 0)]), err
}

// openStep opens a directory, no link, that nobody but root can change.
func openStep(at int, name string) (int, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(at, name, searchOnly|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return -1, err
	}
	if err := refuseShared(fd, false); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// refuseShared says what is wrong with a directory that root is led through, or
// is to write in if it is the last. In one with the sticky bit, as /tmp, others
// cannot replace what root has made; but they could have made things first, so
// the last must not be such a one.
func refuseShared(fd int, last bool) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	mode := uint32(st.Mode)
	if st.Uid != 0 {
		return shared(fmt.Sprintf("belongs to uid %d", st.Uid))
	}
	if mode&0o022 != 0 && (last || mode&unix.S_ISVTX == 0) {
		return shared(fmt.Sprintf("can be written by others (mode %04o)", mode&0o7777))
	}
	return nil
}

func shared(why string) error {
	return fmt.Errorf("%s, so that a logger of root could be led astray: run it as another user, or chown root and chmod go-w", why)
}
