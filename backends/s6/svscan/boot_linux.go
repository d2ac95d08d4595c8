package svscan

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/survivor"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// A scan directory is meant to be empty at each boot. Where the file system below
// it outlives one, as that of a container does that is started again, services
// that were registered at run time would come up unasked.

// bootFile is BootFile, relative to .s6-svscan.
const bootFile = "boot"

// maxBoot bounds what is read of it, in bytes.
const maxBoot = 512

// beginBoot removes what another boot has left, and brings what this one begins
// with. The lock must be held: then nobody supervises here, and nobody can register
// before we listen.
func (t *Tree) beginBoot() error {
	if t.opts.Boot == "" {
		return t.copyServices()
	}
	last, err := t.own.ReadFile(bootFile, maxBoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if string(last) == t.opts.Boot+"\n" {
		return nil
	}
	names, err := t.dir.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := t.cleanEntry(name); err != nil {
			t.warnf("what an earlier boot has left of %s cannot be removed: %v; remove it, or mount a tmpfs there", t.dir.Path(name), err)
		}
	}
	if err := t.copyServices(); err != nil {
		return err
	}
	return t.own.Replace(bootFile, []byte(t.opts.Boot+"\n"), 0o644)
}

func (t *Tree) cleanEntry(name string) error {
	ours := strings.HasPrefix(name, servicedir.OwnPrefix)
	if strings.HasPrefix(name, ".") && !ours {
		return nil
	}
	dir, err := t.dir.Sub(name) // a link is somebody's own, and leads elsewhere
	if err != nil {
		return unlessAbsent(err)
	}
	defer dir.Close()
	if ours {
		fd, err := t.dir.OpenFD(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return unlessAbsent(err)
		}
		defer unix.Close(fd)
		if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil {
			return nil // somebody is at it
		}
	}
	if live, err := t.mayLive(dir); live || err != nil {
		return err
	}
	registered, err := dir.Exists(servicedir.MarkFile)
	if err != nil {
		return err
	}
	copied, err := dir.Exists(copyMark)
	if err != nil {
		return err
	}
	if ours || registered || copied {
		return t.dir.RemoveAll(name)
	}
	return errors.Join(cleanState(dir), inLog(dir, cleanState), cleanDone(dir))
}

// mayLive says whether a service or its logger, or who supervises them, could be
// alive: in a boot that did not end with all its processes.
func (t *Tree) mayLive(dir *fsat.Dir) (bool, error) {
	live := false
	look := func(d *fsat.Dir) error {
		held, _, err := lock.Holder(d, "supervise/lock")
		if err != nil {
			return unlessAbsent(err)
		}
		live = live || held
		text, err := d.ReadFile(superdir.InstanceFile, supervise.MaxInstance)
		if err != nil {
			return unlessAbsent(err)
		}
		in, err := supervise.ParseInstance(string(text))
		live = live || err != nil || survivor.MayLive(in, t.host) // who cannot read it cannot know
		return nil
	}
	err := errors.Join(look(dir), inLog(dir, look))
	return live, err
}

// inLog does something in the directory of a service's logger, if there is one.
func inLog(dir *fsat.Dir, do func(*fsat.Dir) error) error {
	log, err := dir.Sub("log")
	if err != nil {
		return unlessAbsent(err)
	}
	defer log.Close()
	return do(log)
}

// cleanState removes what supervisors make.
func cleanState(dir *fsat.Dir) error {
	var errs []error
	for _, name := range []string{"supervise", "event"} {
		if st, err := dir.Stat(name); err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR { // a link is the image's own
			errs = append(errs, dir.RemoveAll(name))
		}
	}
	return errors.Join(errs...)
}

// cleanDone has a oneshot be run again.
func cleanDone(dir *fsat.Dir) error {
	data, err := dir.Sub(filepath.Dir(doneFile))
	if err != nil {
		return unlessAbsent(err)
	}
	defer data.Close()
	return unlessAbsent(data.Remove(filepath.Base(doneFile)))
}

// unlessAbsent drops the news that something is not there, or is no directory.
func unlessAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil
	}
	return err
}
