package svscan

import (
	"fmt"
	"slices"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/report"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// life is what the loop has to know of a service.
type life struct {
	known   bool // it has begun
	running bool // run or finish
	up      bool // run, and ready where it says so
	wantUp  bool
	failed  bool // given up
	deaths  int
	exit    supervise.Exit // of the last run that ended
}

// changed keeps what has become of a service. The loop hears of it if it listens.
func (s *supervisor) changed(c supervise.Change) {
	s.mu.Lock()
	if c.Deaths < s.deaths {
		s.deaths = 0 // the supervisor has begun anew, and counts from there
	}
	s.now = life{
		known: true, running: c.Status.PID != 0, up: c.Up(), wantUp: c.Status.WantUp,
		failed: c.Note.Failed, deaths: s.now.deaths + c.Deaths - s.deaths, exit: c.Exit(),
	}
	s.deaths = c.Deaths
	tell := (s.listened || c.Note.Failed) && !s.telling
	s.telling = s.telling || tell
	s.mu.Unlock()
	if tell {
		s.entry.tree.mail.tell(s)
	}
}

func (s *supervisor) life() life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// listen has the loop hear of changes, or not.
func (s *supervisor) listen(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listened = on
}

// heard is what was told.
func (s *supervisor) heard() life {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.telling = false
	return s.now
}

// hear is about a service of which there is news.
func (t *Tree) hear(e *entry) {
	l := e.main.heard()
	if t.phase != scanning || t.entries[e.id] != e {
		return
	}
	if e.once && l.deaths != e.deaths && !l.running {
		e.deaths = l.deaths
		t.onceEnded(e, l)
	}
	switch {
	case l.failed && !l.running && !e.failed:
		t.giveUp(e, "it is not started again: "+describe(l.exit))
		t.loseEssential(e, l.exit)
	case e.there():
		e.gaveUp = false
		delete(t.limits, e)
		t.settleBoot(e)
	case !l.running && !l.wantUp:
		t.giveUpNeeds(e, ", which is down")
		t.settleBoot(e)
	}
	e.failed = l.failed
	t.release()
}

// giveUp tells that a service will not be there, nor what needs it.
func (t *Tree) giveUp(e *entry, reason string) {
	if e.gaveUp {
		return
	}
	e.gaveUp = true
	delete(t.limits, e)
	t.report(report.Report{Kind: report.GaveUp, Name: e.name, Reason: reason})
	t.giveUpNeeds(e, "")
	t.settleBoot(e)
}

// giveUpNeeds gives up what needs a service.
func (t *Tree) giveUpNeeds(e *entry, why string) {
	for d := range t.held {
		if slices.Contains(d.needs, e.name) {
			t.giveUp(d, "it needs "+e.name+why)
		}
	}
}

// loseEssential tells that nothing can go on without a service that is down for
// good.
func (t *Tree) loseEssential(e *entry, exit supervise.Exit) {
	is, err := e.dir.Exists(essentialFile)
	if err != nil {
		t.warnf("%s: %v", e.name, err)
	}
	if is {
		t.report(report.Report{Kind: report.Essential, Name: e.name, Status: status(exit)})
	}
}

// settleBoot counts those of the beginning that have become what they should be.
func (t *Tree) settleBoot(e *entry) {
	if e.settled {
		return
	}
	e.settled = true
	t.unsettled--
	if t.allReady {
		e.main.listen(t.hearsOf(e))
	}
	t.tellAllReady()
}

func (t *Tree) tellAllReady() {
	if !t.scanned || t.unsettled > 0 || t.allReady || t.phase != scanning {
		return
	}
	t.allReady = true
	t.report(report.Report{Kind: report.AllReady})
	for _, e := range t.entries {
		e.main.listen(t.hearsOf(e))
	}
}

// hearsOf says whether the loop has to know what becomes of a service: for all until
// the beginning is over, then for those that others depend on.
func (t *Tree) hearsOf(e *entry) bool {
	return !t.allReady || e.once || t.held[e] || t.needed[e.name] > 0
}

func (t *Tree) report(r report.Report) {
	if t.opts.Report != nil {
		t.opts.Report(r.String())
	}
}

func describe(exit supervise.Exit) string {
	switch {
	case exit.Unknown:
		return "nobody knows how it ended"
	case exit.Signal() != 0:
		return fmt.Sprintf("killed by signal %d", exit.Signal())
	}
	return fmt.Sprintf("exit code %d", exit.Code())
}

// status is the exit code that stands for the end of a process, as shells have it.
func status(exit supervise.Exit) int {
	const unknown = 255
	switch {
	case exit.Unknown:
		return unknown
	case exit.Signal() != 0:
		return 128 + exit.Signal()
	}
	return exit.Code()
}
