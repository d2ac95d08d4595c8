package svscan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
)

// copyMark is what tells a copy from a service directory that was always there.
const copyMark = "data/copied"

// Bounds of what is copied, against a loop of links.
const (
	mostDepth = 8
	mostFile  = 16 << 20 // bytes
)

// copyServices copies the service directories of Options.Services. What state they
// have is not theirs any more.
func (t *Tree) copyServices() error {
	if err := t.copyRC(); err != nil || t.opts.Services == "" {
		return err
	}
	from := t.opts.Services
	entries, err := readTrusted(from)
	if err != nil {
		return fmt.Errorf("services %s: %w: %w", from, ErrRefused, err)
	}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(from, e.Name())
		info, err := os.Stat(path)
		if strings.HasPrefix(name, ".") || err == nil && !info.IsDir() {
			continue
		}
		if err == nil {
			err = t.makeCopy(name, path, func(dir *fsat.Dir) error { return copyDir(dir, path, mostDepth) })
		}
		if err != nil {
			return fmt.Errorf("service %s cannot be copied: %w: %w", path, ErrRefused, err)
		}
	}
	return nil
}

// makeCopy makes a whole directory, which fill fills, and renames it to its name.
func (t *Tree) makeCopy(name, path string, fill func(*fsat.Dir) error) (err error) {
	if _, err := t.dir.Stat(name); err == nil {
		if copied, err := t.isCopy(name); err != nil || copied {
			return err
		}
		t.warnf("%s is not copied: %s is there already, and nobody has copied it", path, t.dir.Path(name))
		return nil
	}
	staging := servicedir.OwnPrefix + "new-" + fsat.RandomHex(8)
	dir, err := t.dir.Mkdir(staging, 0o755)
	if err != nil {
		return err
	}
	defer dir.Close()
	defer func() {
		if err != nil {
			err = errors.Join(err, t.dir.RemoveAll(staging))
		}
	}()
	if err = fill(dir); err != nil {
		return err
	}
	data, err := dir.Mkdir("data", 0o755)
	if errors.Is(err, fs.ErrExist) {
		data, err = dir.Sub("data")
	}
	if err != nil {
		return err
	}
	defer data.Close()
	if err = data.Create(filepath.Base(copyMark), nil, 0o644); err != nil {
		return err
	}
	if err = t.applyCondition(dir, data); err != nil {
		return err
	}
	return t.dir.RenameNoReplace(staging, name)
}

func (t *Tree) isCopy(name string) (bool, error) {
	dir, err := t.dir.Sub(name)
	if err != nil {
		return false, unlessAbsent(err)
	}
	defer dir.Close()
	return dir.Exists(copyMark)
}

// copyDir copies what a directory holds. Of a link what it leads to is copied: a
// tree follows none.
func copyDir(to *fsat.Dir, from string, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%s: directories are more than %d deep", from, mostDepth)
	}
	entries, err := readTrusted(from)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(from, e.Name())
		if name == "supervise" || name == "event" {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = copyBelow(to, name, path, depth)
		case info.Mode().IsRegular():
			err = copyFile(to, name, path, info)
		default:
			err = errors.New("it is neither a file nor a directory")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func copyBelow(to *fsat.Dir, name, path string, depth int) error {
	sub, err := to.Mkdir(name, 0o755)
	if err != nil {
		return err
	}
	defer sub.Close()
	return copyDir(sub, path, depth-1)
}

// copyFile keeps who may read and execute a file, but for what only an owner can
// give.
func copyFile(to *fsat.Dir, name, path string, info fs.FileInfo) error {
	if err := mayCopy(info); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err != nil {
		return err
	}
	if len(text) > mostFile {
		return fmt.Errorf("it has more than %d MiB", mostFile>>20)
	}
	return to.Create(name, text, uint32(info.Mode().Perm()&^0o022))
}

// readTrusted reads a directory that may be copied from.
func readTrusted(dir string) ([]os.DirEntry, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if err := mayCopy(info); err != nil {
		return nil, err
	}
	return os.ReadDir(dir)
}

// mayCopy says why root must not run what somebody else could have changed.
func mayCopy(info fs.FileInfo) error {
	if unix.Geteuid() != 0 {
		return nil
	}
	return rootsAlone(info)
}

func rootsAlone(info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 && st.Mode&0o022 == 0 {
		return nil
	}
	return errors.New("others than root can change it, and root would run it; chown root and chmod go-w it, or run the tree as another user")
}
