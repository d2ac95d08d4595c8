package logread

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// identity tells inodes apart. It is certain only between inodes that are held
// open.
type identity struct{ dev, ino uint64 }

func identityOf(st *unix.Stat_t) identity { return identity{dev: uint64(st.Dev), ino: st.Ino} }

// logDir is a held log directory.
type logDir struct {
	*fsat.Dir
	id identity
}

var (
	errLink       = errors.New("is a symbolic link, which is not followed here; give the directory itself")
	errNotDir     = errors.New("is not a directory")
	errNotRegular = errors.New("is not a regular file, so it is no log")
)

// openDir opens a directory by its absolute path. Links above it are followed:
// the caller vouches for the path. The directory itself must not be one.
func openDir(path string) (*logDir, error) {
	parent, err := fsat.Open(filepath.Dir(path))
	if err != nil {
		return nil, dirError(path, err)
	}
	defer parent.Close()
	base := filepath.Base(path)
	if path == "/" {
		base = "."
	}
	d, err := parent.Sub(base)
	if errors.Is(err, unix.ENOTDIR) {
		err = errNotDir
		if st, serr := parent.Stat(base); serr == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
			err = errLink
		}
	}
	if err != nil {
		return nil, dirError(path, err)
	}
	st, err := d.StatSelf()
	if err != nil {
		d.Close()
		return nil, dirError(path, err)
	}
	return &logDir{Dir: d, id: identityOf(&st)}, nil
}

// dirError names the path once, whatever step failed.
func dirError(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, errNotDir) || errors.Is(err, errLink) {
		return fmt.Errorf("log directory %s %w", path, err)
	}
	return fmt.Errorf("log directory %s: %w", path, err)
}

// archives returns the names of the archives that are not in known, oldest
// first. None is missing between two of the result, however fast the logger
// rotates: a listing may miss what is made meanwhile, so of a second one the part
// is taken that the first is sure to have been preceded by.
func (d *logDir) archives(known map[string]bool) (fresh, all []string, err error) {
	fresh, all, err = d.listArchives(known)
	if err != nil || len(fresh) == 0 {
		return nil, all, err
	}
	newest := fresh[len(fresh)-1]
	fresh, all, err = d.listArchives(known)
	for len(fresh) > 0 && fresh[len(fresh)-1] > newest {
		fresh = fresh[:len(fresh)-1]
	}
	return fresh, all, err
}

func (d *logDir) listArchives(known map[string]bool) (fresh, all []string, err error) {
	names, err := d.Names() // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil // the directory was removed
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the log: %w", err)
	}
	for _, name := range names {
		if _, ok := archiveTime(name); !ok {
			continue
		}
		all = append(all, name)
		if !known[name] {
			fresh = append(fresh, name)
		}
	}
	return fresh, all, nil
}

// is says whether name is the file id, which the caller holds open.
func (d *logDir) is(name string, id identity) bool {
	st, err := d.Stat(name)
	return err == nil && identityOf(&st) == id
}

// openFile opens a file of the log, without waiting whatever it is.
func (d *logDir) openFile(name string) (*logFile, error) {
	fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("read log: %w", &fs.PathError{Op: "open", Path: d.Path(name), Err: err})
	}
	return &logFile{fd: fd, path: d.Path(name), id: identityOf(&st), size: st.Size}, nil
}

// openIfThere is openFile, and nil without an error where there is no such file.
func (d *logDir) openIfThere(name string) (*logFile, error) {
	f, err := d.openFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}
