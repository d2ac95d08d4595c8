package svscan

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Services that need others are started after them and stopped before them. What
// one needs is named by the files in its directory dependencies.d, as in the source
// of s6-rc; the rest of s6 knows nothing of it.

// Files of a service directory that this tree reads beside those of s6.
const (
	needsDir      = "dependencies.d"
	typeFile      = "type"         // "oneshot": run is run once, and then the service is there
	undoFile      = "undo"         // of a oneshot, run at the end of a tree
	doneFile      = "data/done"    // of a oneshot that is there
	disabledFile  = "data/off"     // why it is not wanted in this boot
	essentialFile = "essential"    // nothing goes on without it
	upTimeout     = "timeout-up"   // milliseconds that it may take to be there
	downTimeout   = "timeout-down" // and to stop
)

const mostSmall = 512 // bytes that are read of these

// order is what an entry has to do with others. It is the loop's.
type order struct {
	needs   []string
	once    bool
	done    bool // once: it has been run
	told    bool // to stop
	settled bool // in the beginning of a tree it has become what it should be
	gaveUp  bool
	failed  bool
	deaths  int // once: those that have been looked at
}

// readOrder reads what a new entry needs and is.
func (t *Tree) readOrder(e *entry) {
	kind, err := smallFile(e.dir, typeFile)
	if err != nil {
		t.warnf("%s: %v", e.name, err)
	}
	e.once = kind == "oneshot"
	if e.once {
		e.done, err = e.dir.Exists(doneFile)
		if err != nil {
			t.warnf("%s: %v", e.name, err)
		}
	}
	e.needs = t.readNeeds(e)
	for _, n := range e.needs {
		t.needed[n]++
		if other := t.names[n]; other != nil {
			other.main.listen(true)
		}
	}
	problem, held := "", len(e.needs) > 0 && !e.done
	if off, err := smallFile(e.dir, disabledFile); err == nil && off != "" {
		problem = "disabled: " + off
	} else if held {
		problem = "waits for " + strings.Join(e.needs, ", ")
	}
	e.main.once = e.once
	e.main.begins(held, e.done, problem)
	e.main.listen(true)
	t.unsettled++
	if held {
		t.held[e] = true
	} else {
		t.limit(e, upTimeout)
	}
}

func (t *Tree) readNeeds(e *entry) []string {
	dir, err := e.dir.Sub(needsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var names []string
	if err == nil {
		defer dir.Close()
		names, err = dir.Names()
	}
	if err != nil {
		t.warnf("%s: %v; it is started without what it needs", e.name, err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, ".") || n == e.name })
	slices.Sort(names)
	return names
}

// forgetOrder is the end of an entry.
func (t *Tree) forgetOrder(e *entry) {
	for _, n := range e.needs {
		if t.needed[n]--; t.needed[n] == 0 {
			delete(t.needed, n)
		}
	}
	delete(t.limits, e)
	delete(t.held, e)
	t.settleBoot(e)
}

// smallFile is the first line of a file; "" where there is none.
func smallFile(dir *fsat.Dir, name string) (string, error) {
	text, err := dir.ReadFile(name, mostSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line, err
}

// there says whether those who need a service may begin.
func (e *entry) there() bool {
	if e.once {
		return e.done
	}
	return e.main.life().up
}

// release starts what has all that it needs.
func (t *Tree) release() {
	for e := range t.held {
		l := e.main.life()
		switch {
		case !l.known:
		case l.running: // somebody has started it
			delete(t.held, e)
			e.main.begins(false, false, "")
		case !l.wantUp: // as its file down has it
		case t.hasAll(e):
			delete(t.held, e)
			t.limit(e, upTimeout)
			e.main.unhold()
		}
	}
}

func (t *Tree) hasAll(e *entry) bool {
	return !slices.ContainsFunc(e.needs, func(name string) bool {
		n := t.names[name]
		return n == nil || !n.there()
	})
}

// missing gives up what needs something that is not in the scan directory, or, by
// others, itself.
func (t *Tree) missing() {
	for e := range t.held {
		for _, name := range e.needs {
			n := t.names[name]
			if n == nil {
				t.giveUp(e, "it needs "+name+", which is not in the scan directory")
			} else if t.reaches(n, e, map[*entry]bool{}) {
				t.giveUp(e, "it needs "+name+", which needs it")
			}
		}
	}
}

func (t *Tree) reaches(from, to *entry, seen map[*entry]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, name := range from.needs {
		if n := t.names[name]; n != nil && t.reaches(n, to, seen) {
			return true
		}
	}
	return false
}

// blocked says whether a service must not be stopped yet, as another that needs it
// has not ended.
func (t *Tree) blocked(e *entry) bool {
	if t.needed[e.name] == 0 {
		return false
	}
	for _, other := range t.entries {
		if other != e && other.main.running && slices.Contains(other.needs, e.name) {
			return true
		}
	}
	return false
}

// stopFree stops what nobody needs any more. Where all wait for each other all are
// stopped.
func (t *Tree) stopFree() {
	stopping := 0
	t.waiting = 0
	for _, e := range t.entries {
		switch {
		case e.told:
		case t.blocked(e):
			t.waiting++
			continue
		default:
			t.tellStop(e, false)
		}
		if e.main.running {
			stopping++
		}
		t.settle(e)
	}
	if t.waiting > 0 && stopping == 0 {
		for _, e := range t.entries {
			t.tellStop(e, false)
			t.settle(e)
		}
	}
}

func (t *Tree) tellStop(e *entry, hard bool) {
	if e.told && !hard {
		return
	}
	if !e.told {
		t.limit(e, downTimeout)
	}
	e.told = true
	if undo, err := e.dir.Exists(undoFile); e.once && e.done && !hard && undo && err == nil {
		e.main.undo()
	}
	e.terminate(hard)
}

// limit arms the time that a service may take.
func (t *Tree) limit(e *entry, file string) {
	delete(t.limits, e)
	text, err := smallFile(e.dir, file)
	if err != nil || text == "" {
		return
	}
	wait, ok := servicedir.ParseMillis(text)
	if !ok {
		t.warnf("%s: %s counts as absent: %.40q is no number of milliseconds", e.name, file, text)
	}
	if wait > 0 {
		t.limits[e] = time.Now().Add(wait)
	}
}

// late is about those whose time is over, and returns when it is the next one's.
func (t *Tree) late(now time.Time) (next time.Time) {
	for e, at := range t.limits {
		if now.Before(at) {
			next = earlier(next, at)
			continue
		}
		delete(t.limits, e)
		switch {
		case t.phase == scanning && e.there():
		case t.phase == scanning:
			t.giveUp(e, "it is not ready in the time that "+upTimeout+" gives it")
			if e.once {
				e.main.control([]byte{'k'})
			}
		case e.main.running:
			t.warnf("%s has not ended in the time that %s gives it, and is killed", e.name, downTimeout)
			e.main.control([]byte{'k'})
		}
	}
	return next
}

// onceEnded is the end of the run of a oneshot. One of which nobody knows how it ended
// is run again by its supervisor.
func (t *Tree) onceEnded(e *entry, l life) {
	switch {
	case l.exit.Unknown:
		return
	case l.exit != supervise.Exited(0):
		t.giveUp(e, "it has failed: "+describe(l.exit))
		return
	}
	if err := markDone(e.dir); err != nil {
		t.warnf("%s: %v; it will be run again by the next tree", e.name, err)
	}
	e.done = true
	e.main.begins(false, true, "")
}

func markDone(dir *fsat.Dir) error {
	data, err := dir.Sub("data")
	if errors.Is(err, fs.ErrNotExist) {
		data, err = dir.Mkdir("data", 0o755)
	}
	if err != nil {
		return err
	}
	defer data.Close()
	return data.Replace("done", nil, 0o644)
}
