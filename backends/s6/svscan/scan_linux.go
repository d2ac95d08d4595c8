package svscan

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// identity is what makes a service directory the same one, whatever its name
// and however many links lead to it (s6-svscan: device and inode).
type identity struct{ dev, ino uint64 }

func identityOf(st *unix.Stat_t) identity { return identity{uint64(st.Dev), st.Ino} }

// retryScan is when a scan that something went wrong in is repeated.
const retryScan = 4 * time.Second

// scan compares the scan directory with what is supervised. What is new is
// supervised, what is gone is no longer started again.
func (t *Tree) scan() {
	t.rescan = time.Time{}
	if t.opts.Rescan > 0 {
		t.rescanAt(time.Now().Add(t.opts.Rescan))
	}
	names, err := t.dir.Names()
	if err != nil {
		t.warnf("the scan directory cannot be read, next try in %v: %v", retryScan, err)
		t.rescanAt(time.Now().Add(retryScan))
		return
	}
	seen := make(map[identity]bool, len(t.entries))
	over := 0
	for _, name := range names {
		if strings.HasPrefix(name, ".") {
			continue
		}
		if len(name) > t.opts.MaxName {
			t.warnf("%.60s... is skipped: its name has %d bytes, more than %d", name, len(name), t.opts.MaxName)
			continue
		}
		id, ok := t.look(name)
		if !ok || seen[id] {
			continue
		}
		if e := t.entries[id]; e != nil {
			seen[id] = true
			t.again(e)
			continue
		}
		if t.count >= t.opts.Max {
			over++
			continue
		}
		if t.add(name, id) {
			seen[id] = true
		}
	}
	if over > 0 {
		t.warnf("%d service directories are not supervised: there are %d services and loggers already, the most allowed; raise the limit (option -C)", over, t.count)
	}
	for id, e := range t.entries {
		if !seen[id] {
			e.active, e.returned = false, false
			t.settle(e)
		}
	}
	t.scanned = true
	t.missing()
	t.release()
	t.tellAllReady()
}

// look tells the identity of a directory. Links are followed here, and only
// here: an entry of a scan directory may be one.
func (t *Tree) look(name string) (identity, bool) {
	st, err := t.dir.StatFollow(name)
	switch {
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return identityOf(&st), true
	case err == nil:
		return identity{}, false
	case errors.Is(err, unix.ENOENT):
		if _, err := t.dir.Stat(name); err == nil {
			t.warnf("%s is skipped: it is a link that leads nowhere; remove it, or make what it names", t.dir.Path(name))
		}
		return identity{}, false
	default:
		t.warnf("%s is skipped, next try in %v: %v", t.dir.Path(name), retryScan, err)
		t.rescanAt(time.Now().Add(retryScan))
		return identity{}, false
	}
}

// again is an entry that was there before. It may have got a logger, or have
// come back.
func (t *Tree) again(e *entry) {
	if !e.active && e.someoneLeft() {
		// One of a pair has left for good: the entry begins anew when both have.
		e.returned = true
		return
	}
	e.active = true
	if e.log == nil && !e.catchAll {
		t.addLogger(e)
	}
}

// add supervises a new entry.
func (t *Tree) add(name string, id identity) bool {
	dir, err := t.dir.SubFollow(name)
	if err != nil {
		t.warnf("%s is skipped: %v", t.dir.Path(name), err)
		return false
	}
	if err := t.admit(dir, id); err != nil {
		t.warnf("%s is not supervised: %v", t.dir.Path(name), err)
		dir.Close()
		return false
	}
	e := &entry{tree: t, name: name, id: id, dir: dir, active: true, catchAll: name == catchAllName}
	e.main = newSupervisor(e, name)
	t.entries[id] = e
	if t.names[name] == nil {
		t.names[name] = e
	}
	t.count++
	t.readOrder(e)
	if !e.catchAll {
		t.addLogger(e)
	}
	return true
}

// catchAllName is the entry that s6 calls the catch-all logger: it has no
// logger and ends as loggers do.
const catchAllName = "s6-svscan-log"

// admit says whether the directory is what was looked at and may be run.
func (t *Tree) admit(dir *fsat.Dir, id identity) error {
	st, err := dir.StatSelf()
	if err != nil {
		return err
	}
	if identityOf(&st) != id {
		t.rescanAt(time.Now())
		return errors.New("it was replaced meanwhile")
	}
	return trusted(&st, serviceDirectory)
}
