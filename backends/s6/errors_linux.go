package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// fail gives an error of the system its place in the interface: the class a
// caller matches, and what to do about it.
func (m *manager) fail(op, name string, err error) error {
	var have *sm.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &have):
		return err
	case errors.Is(err, control.ErrNobody) && !errors.Is(err, sm.ErrNotSupervised):
		err = m.notSupervised(name, err)
	case errors.Is(err, control.ErrNotFIFO) && sm.RemedyOf(err) == "":
		err = sm.WithRemedy(err, "find out who put it there, remove it and end the supervisor (it makes a new one): kill the process that holds the lock beside it")
	case errors.Is(err, fs.ErrPermission) && sm.RemedyOf(err) == "":
		err = m.denied(name, err)
	}
	return &sm.Error{Op: op, Service: name, Kind: sm.KindS6, Err: err}
}

// notSupervised says what it takes to have a supervisor again.
func (m *manager) notSupervised(name string, nobody error) error {
	err := fmt.Errorf("%w (%w)", sm.ErrNotSupervised, nobody)
	if errors.Is(m.scannerAlive(), control.ErrNobody) {
		scanner := "s6-svscan "
		if _, own := versionLeft(m.scan); own {
			scanner = "hermes-gateway svscan "
		}
		return sm.WithRemedy(err, "start the tree: "+scanner+m.scan.Path())
	}
	const lost = "its supervisor has lost the FIFO and cannot be commanded, "
	switch holder := m.supervisorOf(name); {
	case holder.PID > 0:
		return sm.WithRemedy(err, fmt.Sprintf(lost+"end it and the scanner starts another: kill %d", holder.PID))
	case holder.OpenFile:
		return sm.WithRemedy(err, lost+"end the tree with SIGABRT, which leaves the services alive, and start it again: hermes-gateway svscan "+m.scan.Path())
	}
	return sm.WithRemedy(err, "have the scanner look: s6-svscanctl -a "+m.scan.Path())
}

// supervisorOf is who holds the lock of a service, nobody if that cannot be
// told.
func (m *manager) supervisorOf(name string) lock.State {
	dir, err := m.scan.SubFollow(name)
	if name == "" || err != nil {
		return lock.State{}
	}
	defer dir.Close()
	holder, err := lock.Query(dir, servicedir.LockFile)
	if err != nil {
		return lock.State{}
	}
	return holder
}

// denied says which right is missing on which path, and how to come by it.
func (m *manager) denied(name string, err error) error {
	right, where := missingRight(err)
	if right == "" {
		return sm.WithRemedy(err, "run this as the user of that process")
	}
	uid, oerr := m.treeUID()
	if oerr != nil || !strings.HasPrefix(where, m.scan.Path()) {
		return sm.WithRemedy(fmt.Errorf("%w: no right to %s %s as uid %d", sm.ErrPermission, right, where, os.Geteuid()),
			"run this as the owner of "+where)
	}
	return sm.WithRemedy(fmt.Errorf("%w: no right to %s %s as uid %d (the tree belongs to uid %d)",
		sm.ErrPermission, right, where, os.Geteuid(), uid), m.grant(name, where, uid))
}

// grant says how the owner of the tree can give a right away.
func (m *manager) grant(name, where string, uid uint32) string {
	self := fmt.Sprintf("run this as uid %d", uid)
	dir := m.scan.Path(name)
	switch {
	case name == "" || !strings.HasPrefix(where, dir+"/supervise") && !strings.HasPrefix(where, dir+"/event"):
		return self
	case strings.HasSuffix(where, "/status") || strings.HasSuffix(where, "/death_tally"):
		// These are made anew at every change, with the umask of the tree.
		return self + ", or let the tree run with umask 022"
	default:
		return self + ", or have it grant the right to a group of yours: s6-svperms -G GROUP -E GROUP " + dir
	}
}

// missingRight finds out which right an error of the system was about: a call
// that fails for want of one does not say on which element of the path. The
// right is "" where no path was involved.
func missingRight(err error) (right, where string) {
	var pe *fs.PathError
	if !errors.As(err, &pe) || !path.IsAbs(pe.Path) {
		return "", ""
	}
	where = pe.Path
	if strings.HasPrefix(strings.TrimPrefix(path.Base(where), "."), "ftrig1") {
		where = path.Dir(where)
	}
	for i, c := range where {
		if c == '/' && i > 0 && lacks(where[:i], unix.X_OK) {
			return "search", where[:i]
		}
	}
	switch {
	case where != pe.Path: // a listener's FIFO could not be made there
		return "search and write", where
	case path.Base(where) == "control" && lacks(where, unix.W_OK):
		return "write", where
	case lacks(where, unix.R_OK):
		return "read", where
	case lacks(where, unix.W_OK):
		return "write", where
	default:
		return "write in", path.Dir(where)
	}
}

// lacks says whether the effective user lacks a right on what is there.
func lacks(path string, mode uint32) bool {
	return errors.Is(unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS), unix.EACCES)
}

// mayWrite refuses what this package must not do with the caller's rights:
// root's writing in another user's tree, where that user could lead root's
// hand, and anybody's registering in a tree that runs as somebody else.
func (m *manager) mayWrite(registering bool) error {
	owner, err := m.treeUID()
	if err != nil {
		return err
	}
	uid := os.Geteuid()
	switch {
	case uid == int(owner):
		return nil
	case uid == 0:
		return sm.WithRemedy(fmt.Errorf("%w: the tree in %s runs as uid %d, and root changes nothing in it",
			sm.ErrPermission, m.scan.Path(), owner), fmt.Sprintf("run this as uid %d", owner))
	case registering:
		return sm.WithRemedy(fmt.Errorf("%w: the tree in %s runs as uid %d and executes only what that user registers; this is uid %d",
			sm.ErrPermission, m.scan.Path(), owner, uid), "run a tree of your own, or run this as uid "+fmt.Sprint(owner))
	}
	return nil
}
