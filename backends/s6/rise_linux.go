package s6

import (
	"bytes"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// rise finds out that a process other than the one before came up, even where
// that has died again before anybody looked. An event alone does not tell: that
// of the process before may come late, as a supervisor writes its status first
// and tells afterwards, and then comes together with the process' end. So it
// counts only where the status has changed since the service was at rest.
type rise struct {
	before sm.Status // zero: whatever comes up is another
	rest   sm.Status // as it was when first seen without a process
	rested bool
	told   bool // an event said so
	ended  bool // an event said that a process had ended
	anew   bool // and one after it that another came up
}

func newRise(before sm.Status) *rise {
	r := &rise{before: before}
	r.look(before)
	return r
}

// hear takes note of what a supervisor told.
func (r *rise) hear(n note) {
	events := n.events
	if i := bytes.LastIndexByte(events, fifodir.Supervised); i >= 0 {
		events, r.told, r.ended = events[i+1:], false, true // what came before is about others
	}
	if n.gone {
		r.told, r.anew = false, false
	}
	for _, e := range events {
		switch e {
		case fifodir.Died, fifodir.Down:
			r.ended = true
		case fifodir.Up:
			r.told, r.anew = true, r.anew || r.ended
		}
	}
	if n.gone || len(events) < len(n.events) {
		r.rested = false // another supervisor has another idea of when that was
	}
}

// look says whether, as a status shows, another process has come up.
func (r *rise) look(st sm.Status) bool {
	switch {
	case st.Running():
		return another(st, r.before)
	case r.before.State == sm.StateUnknown:
		return r.told
	case st.State == sm.StateUnknown: // not written, as on a full disk
		return r.told && (r.anew || !r.before.Running())
	case r.rested:
		return r.told && !st.Since.Equal(r.rest.Since)
	}
	r.rest, r.rested = st, true
	return false
}
