package svscan

import (
	"context"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// batch is what the commands that came together ask for.
type batch struct {
	scan       bool
	nuke       bool // end the supervisors of services that are gone
	nukeHard   bool // and their loggers, without waiting for the end of input
	stop       bool
	stopHard   bool // loggers too
	leave      bool
	unknown    byte
	hasUnknown bool
}

// The commands of s6-svscan (page s6-svscanctl; src/supervision/s6-svscan.c).
func parseCommands(commands []byte) batch {
	var b batch
	for _, c := range commands {
		switch c {
		case 'z': // reap: that is always done
		case 'a':
			b.scan = true
		case 'n':
			b.nuke = true
		case 'N':
			b.nuke, b.nukeHard = true, true
		case 'h':
			b.scan, b.nuke = true, true
		case 't', 'i':
			b.stop = true
		case 'q':
			b.stop, b.stopHard = true, true
		case 'b':
			b.leave = true
		default:
			b.unknown, b.hasUnknown = c, true
		}
	}
	return b
}

// obey does what commands ask for: first the scan, then what concerns services
// that are gone, as both versions of s6 do with commands that come together. An
// end makes a scan pointless; s6-svscan 2.15.1 waits for ever then.
func (t *Tree) obey(services context.Context, commands []byte) {
	if len(commands) == 0 {
		return
	}
	b := parseCommands(commands)
	if b.hasUnknown {
		t.warnf("unknown command %q in the control FIFO is ignored; s6-svscanctl(1) and hermes-gateway svscan --help list them", b.unknown)
	}
	switch {
	case b.leave:
		t.phase = leaving
		t.leave()
	case b.stop:
		if !t.scanned {
			// An earlier tree may have left services, which are to stop too.
			// Nothing is started: the end comes before the first start.
			t.scan()
			for _, e := range t.entries {
				e.main.await(supervise.Terminate)
			}
			t.startDue(services, time.Now())
		}
		t.stop(b.stopHard)
	case t.phase != scanning:
	default:
		if b.scan {
			t.scan()
		}
		if b.nuke {
			t.endInactive(b.nukeHard)
		}
	}
}

// stop ends the tree in order: services now, loggers when their input ends.
func (t *Tree) stop(hard bool) {
	if t.phase == scanning {
		t.phase = stopping
	}
	if hard {
		for _, e := range t.entries {
			t.tellStop(e, hard)
			t.settle(e)
		}
		return
	}
	clear(t.limits)
	for _, e := range t.entries {
		if t.blocked(e) {
			e.main.control([]byte{'O'}) // its end comes, and no new start
		}
	}
	t.stopFree()
}

// endInactive ends the supervisors of services that are no longer in the scan
// directory.
func (t *Tree) endInactive(hard bool) {
	for _, e := range t.entries {
		if !e.active {
			e.terminate(hard)
		}
	}
}

// terminate asks the supervisors of an entry to stop and leave. A logger leaves
// at the end of its input, or, if hard, is stopped.
func (e *entry) terminate(hard bool) {
	service, logger := supervise.Terminate, supervise.Hangup
	if hard {
		logger = supervise.Terminate
	}
	if e.catchAll {
		service = logger
	}
	e.main.signal(service)
	if e.log != nil {
		e.log.signal(logger)
	}
}

// rescanAt makes the next scan due no later than at.
func (t *Tree) rescanAt(at time.Time) {
	if t.rescan.IsZero() || at.Before(t.rescan) {
		t.rescan = at
	}
}
