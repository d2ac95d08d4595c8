package svscan

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// entry is a service directory of the scan directory: a service, and the logger
// in its subdirectory log if there is one. It is the loop's.
type entry struct {
	tree     *Tree
	name     string // under which it was seen first
	id       identity
	dir      *fsat.Dir // keeps the inode from being another's
	active   bool      // it was there in the last scan
	returned bool      // so it was, but it is to begin anew
	catchAll bool
	order

	main *supervisor
	log  *supervisor // nil: no logger, or a pooled one

	mu     sync.Mutex  // guards what follows
	logger *supervisor // log, for those who are not the loop
	pipe   *pipe       // from main to log, where that is not pooled
}

// left is the end of a supervisor.
func (t *Tree) left(s *supervisor) {
	s.running = false
	t.live--
	t.settle(s.entry)
	if t.phase == stopping && t.waiting > 0 {
		t.stopFree()
	}
}

// restartDelay is between two starts of a supervisor (s6-svscan 2.15.1).
const restartDelay = time.Second

// settle decides what becomes of an entry whose supervisors or whose place have
// changed.
func (t *Tree) settle(e *entry) {
	again := e.active && t.phase == scanning
	for _, s := range e.supervisors() {
		switch {
		case s.running:
		case again && s.due.IsZero():
			s.due = s.began.Add(restartDelay)
		case !again:
			s.due = time.Time{}
			e.closePipe(s)
		}
	}
	if !again && !e.main.running && e.log != nil && e.log.isPooled {
		e.log.endPooled()
	}
	if !again && !e.anyRunning() {
		t.remove(e)
	}
}

// remove forgets an entry nobody supervises any more.
func (t *Tree) remove(e *entry) {
	t.count -= len(e.supervisors())
	delete(t.entries, e.id)
	if t.names[e.name] == e {
		delete(t.names, e.name)
	}
	t.forgetOrder(e)
	e.dir.Close()
	if (e.active || e.returned) && t.phase == scanning {
		t.rescanAt(time.Now())
	}
}

func (e *entry) supervisors() []*supervisor {
	if e.log == nil {
		return []*supervisor{e.main}
	}
	return []*supervisor{e.main, e.log}
}

func (e *entry) anyRunning() bool {
	return e.main.running || e.log != nil && e.log.running
}

// someoneLeft says whether a supervisor has left for good.
func (e *entry) someoneLeft() bool {
	return !e.main.running || e.log != nil && !e.log.running
}

// startDue starts the supervisors whose time has come, and returns when the next
// thing is due; zero if nothing is.
func (t *Tree) startDue(services context.Context, now time.Time) time.Time {
	if t.phase != scanning {
		return time.Time{}
	}
	next := t.rescan
	for _, e := range t.entries {
		// Loggers first: services wait for them.
		for _, s := range slices.Backward(e.supervisors()) {
			switch {
			case s.running || s.due.IsZero():
			case !now.Before(s.due):
				t.start(services, s, now)
			case next.IsZero() || s.due.Before(next):
				next = s.due
			}
		}
	}
	return next
}

func (t *Tree) start(services context.Context, s *supervisor, now time.Time) {
	s.due, s.began, s.running = time.Time{}, now, true
	s.reset()
	t.live++
	t.started++
	t.workers.Go(func() {
		s.run(services)
		t.mail.end(s)
	})
}
