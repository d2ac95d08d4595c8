package supervise

import (
	"errors"
	"io/fs"
	"testing"
	"time"
)

// The order of what others see, from the start of a supervisor to its end.
func TestLife(t *testing.T) {
	w := newWorld(map[string]string{"notification-fd": "3\n", "finish": "", "timeout-kill": "5000"}).obedient()
	inBubble(t, w, func(r *rig) {
		r.wantHappened("note ; status down want ready paused; event s; " +
			"instance starting up; start ./run web; instance run up; status up want; event u")
		r.announces(true)
		r.wantHappened("instance run up; status up want ready; event U")
		r.send("d")
		r.wantHappened("TERM to ./run; CONT to ./run; instance run stop; status up ready; tally; instance starting stop; " +
			"start finish 256 15 web 101; instance finish stop; status finishing; event d")
		r.dies(Exited(0))
		r.wantHappened("instance none down; status down ready; event D")
		r.pass(time.Hour)
		r.wantHappened("")
		r.send("x")
		r.wantHappened("event x")
		if err := r.left(); err != nil {
			t.Error(err)
		}
		if err := r.service.Control([]byte("u")); !errors.Is(err, ErrLeft) {
			t.Errorf("a command after the end: %v", err)
		}
		if err := r.service.Run(t.Context()); !errors.Is(err, ErrLeft) {
			t.Errorf("a second run after the end: %v", err)
		}
	})
}

func TestNoFinish(t *testing.T) {
	inBubble(t, newWorld(nil), func(r *rig) {
		r.happened()
		r.dies(Exited(3))
		r.wantHappened("tally; instance none up; status down want ready; event dD")
		if got := r.status.Wait; got != 0x0300 {
			t.Errorf("wait status %#x", got)
		}
		r.wantEvents("sudD")
	})
}

// A service that is normally down was never started, until anything is asked
// of it.
func TestNeverStarted(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"down": ""}), func(r *rig) {
		r.wantFlags("down ready paused")
		r.pass(time.Hour)
		if r.statuses != 1 {
			t.Errorf("%d records written", r.statuses)
		}
		r.send("pck1")
		if r.statuses != 1 {
			t.Errorf("%d records written: commands for a process that is not there change nothing", r.statuses)
		}
		r.send("d")
		r.wantFlags("down ready")
		r.wantEvents("s")
	})
}

// What was written before the first look at the clock comes before the first
// start.
func TestCommandsBeforeRun(t *testing.T) {
	for _, tc := range []struct{ send, events, record string }{
		{"d", "s", "down ready"},
		{"o", "su", "up"},
		{"x", "sx", "down want ready paused"},
		{"\n?Z", "su", "up want"},
	} {
		t.Run(tc.send, func(t *testing.T) {
			w := newWorld(nil)
			inBubbleAfter(t, w, func(s *Service) { s.Control([]byte(tc.send)) }, func(r *rig) {
				r.wantEvents(tc.events)
				r.wantFlags(tc.record)
				if tc.send == "x" {
					r.left()
				}
			})
		})
	}
}

func TestStatusFields(t *testing.T) {
	w := newWorld(map[string]string{"notification-fd": "3", "max-death-tally": "2"})
	inBubble(t, w, func(r *rig) {
		begun := r.status
		if !begun.Stamp.Equal(r.zero) || !begun.ReadyStamp.Equal(r.zero) {
			t.Errorf("begins with stamps %v and %v, want %v", begun.Stamp, begun.ReadyStamp, r.zero)
		}
		r.pass(10 * time.Second)
		r.announces(true)
		if s := r.status; at(s.Stamp, r.zero) != "0s" || at(s.ReadyStamp, r.zero) != "10s" || s.PID != 101 {
			t.Errorf("up since %s, ready since %s, pid %d", at(s.Stamp, r.zero), at(s.ReadyStamp, r.zero), s.PID)
		}
		r.pass(10 * time.Second)
		for i := range 3 {
			r.dies(Exited(i))
			r.send("u")
		}
		if s := r.status; at(s.Stamp, r.zero) != "20s" || at(s.ReadyStamp, r.zero) != "20s" || s.Wait != 0x200 {
			t.Errorf("up since %s, down ready since %s, wait %#x", at(s.Stamp, r.zero), at(s.ReadyStamp, r.zero), s.Wait)
		}
		if len(r.deaths) != 2 || r.deaths[0].Exit != Exited(1) || r.deaths[1].Exit != Exited(2) || at(r.deaths[1].At, r.zero) != "20s" {
			t.Errorf("tally %v, want the newest two", r.deaths)
		}
	})
}

// The tally is of this supervisor, and off where the file says 0.
func TestTally(t *testing.T) {
	w := newWorld(map[string]string{"max-death-tally": "0"})
	w.deaths = []Death{{}}
	inBubble(t, w, func(r *rig) {
		r.dies(Exited(1))
		if len(r.deaths) != 0 {
			t.Errorf("tally %v", r.deaths)
		}
		r.happened()
		r.files["max-death-tally"] = "1"
		r.wantStartAfter(time.Second)
		r.dies(Killed(11))
		if code, sig := r.deaths[0].Bytes(); len(r.deaths) != 1 || code != 139 || sig != 11 {
			t.Errorf("tally %v", r.deaths)
		}
		if code, sig := (Death{Exit: Exited(7)}).Bytes(); code != 7 || sig != 0 {
			t.Errorf("bytes %d %d", code, sig)
		}
	})
}

// A death and what was written before it may arrive together: s6 hears first
// what was said.
func TestReadinessBeforeDeath(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"notification-fd": "3"}), func(r *rig) {
		c := r.process()
		r.mu.Lock()
		c.dead = true
		c.ready <- true // first what was written: the engine may look in between
		c.exit <- Exited(0)
		r.mu.Unlock()
		r.pass(0)
		r.wantEvents("suUdD")
		r.pass(time.Second)
		r.dies(Exited(0))
		r.wantEvents("suUdDudD")
	})
}

// The end of the pipe without a newline is no readiness, and no event.
func TestReadinessPipeClosed(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"notification-fd": "3"}), func(r *rig) {
		r.announces(false)
		r.wantEvents("su")
		r.wantFlags("up want")
		if !r.process().closed {
			t.Error("the pipe is left open")
		}
	})
}

func TestPermanentFailure(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"finish": ""}), func(r *rig) {
		r.dies(Exited(1))
		r.dies(Exited(125))
		r.wantEvents("sudOD")
		r.wantFlags("down ready")
		if !r.note.Failed || r.note.Problem == "" {
			t.Errorf("note %+v", r.note)
		}
		r.pass(time.Hour)
		r.send("u")
		r.wantEvents("sudODu")
		if r.note != (Note{}) {
			t.Errorf("note %+v after a start", r.note)
		}
		r.dies(Exited(1))
		r.dies(Killed(9)) // a finish that was killed says nothing
		r.wantEvents("sudODudD")
		r.wantFlags("down want ready")
	})
}

// Between d and u an exit code 125 does not count; after d alone it does, as
// in s6.
func TestPardon(t *testing.T) {
	for _, tc := range []struct {
		name, before, during string
		events, record       string
	}{
		{"unasked", "", "", "sudOD", "down ready"},
		{"stopped", "d", "", "sudOD", "down ready"},
		{"restarted", "du", "", "sudD", "down want ready"},
		{"restarted with the file", "DU", "", "sudD", "down want ready"},
		{"wanted up while finish runs", "d", "u", "sudD", "down want ready"},
		{"restarted while finish runs", "", "du", "sudD", "down want ready"},
		{"wanted up, not restarted", "", "u", "sudOD", "down ready"},
		{"let be and wanted up", "", "Ou", "sudOD", "down ready"},
		{"signal only", "t", "", "sudOD", "down ready"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, newWorld(map[string]string{"finish": ""}), func(r *rig) {
				r.send(tc.before)
				r.dies(Exited(1))
				r.send(tc.during)
				r.dies(Exited(125))
				r.wantEvents(tc.events)
				r.wantFlags(tc.record)
				r.send("u")
				r.dies(Exited(1))
				r.dies(Exited(125))
				r.wantEvents(tc.events + "udOD") // the pardon is used up
			})
		})
	}
}

func TestFinishThatCannotStart(t *testing.T) {
	w := newWorld(map[string]string{"finish": ""})
	w.broken["start ./finish"] = fs.ErrPermission
	inBubble(t, w, func(r *rig) {
		r.happened()
		r.dies(Killed(11))
		r.wantHappened("tally; instance starting up; fail ./finish; instance none up; status down want ready; event dD")
		if len(r.warnings) != 1 {
			t.Errorf("warnings %q", r.warnings)
		}
	})
}
