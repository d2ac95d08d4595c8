package supervise

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// A fault stays with the service: it is shown, the process is let be, and the
// next Run begins from what is written.
func TestPanic(t *testing.T) {
	for _, method := range []string{"status", "notify", "tally", "instance", "note", "read", "exists"} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(map[string]string{"backoff": "1000 2000"})
			inBubble(t, w, func(r *rig) {
				r.mu.Lock()
				r.faults[method] = 1
				c := r.children[0]
				r.mu.Unlock()
				r.dies(Exited(1)) // the turn that meets the fault
				var fault *PanicError
				if err := r.left(); !errors.As(err, &fault) || !strings.Contains(string(fault.Stack), "fakeWorld") {
					t.Fatalf("ended with %v", err)
				}
				if !r.note.Failed || !strings.Contains(r.note.Problem, "fault in "+method) {
					t.Errorf("note %+v", r.note)
				}
				if !c.released {
					t.Error("the process is not let go")
				}
				if err := r.service.Control([]byte("d")); err != nil {
					t.Errorf("a command between two runs: %v", err)
				}
				r.run()
				r.wantFlags("down ready")
				r.send("u")
				r.wantFlags("up want")
				r.pass(time.Minute)
				if r.note != (Note{}) {
					t.Errorf("note %+v", r.note)
				}
			})
		})
	}
}

// What failed is shown on, until the next start, by whoever runs it again.
func TestProblemOfEarlierRun(t *testing.T) {
	w := newWorld(map[string]string{"down": ""})
	inBubbleAfter(t, w, func(s *Service) { s.cfg.Problem = "internal fault" }, func(r *rig) {
		if r.note.Problem != "internal fault" {
			t.Errorf("note %+v", r.note)
		}
		r.send("u")
		if r.note != (Note{}) {
			t.Errorf("note %+v after a start", r.note)
		}
	})
}

// A directory that cannot be read at all ends the run, and says so.
func TestDirectoryUnreadable(t *testing.T) {
	w := newWorld(nil)
	w.broken["down"] = fs.ErrPermission
	inBubble(t, w, func(r *rig) {
		if err := r.left(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("ended with %v", err)
		}
		if !r.note.Failed || r.events != "" {
			t.Errorf("note %+v, events %q", r.note, r.events)
		}
	})
}

// A store that fails is told in the log and does not stop the service.
func TestStoreFails(t *testing.T) {
	for _, what := range []string{"status", "note", "tally"} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(map[string]string{"finish": "", "backoff": "1000 2000"})
			w.broken[what] = errBroken
			inBubble(t, w, func(r *rig) {
				r.dies(Exited(1))
				r.dies(Exited(0))
				r.wantStartAfter(time.Second)
				r.wantEvents("sudDu")
				if len(r.warnings) == 0 {
					t.Error("nothing is told")
				}
				delete(r.broken, what)
				r.send("d")
				r.dies(Exited(1))
				r.dies(Exited(0))
				if r.note != (Note{}) || r.status.PID != 0 || len(r.deaths) == 0 {
					t.Errorf("the store works again, and has note %+v, record %+v, %d deaths", r.note, r.status, len(r.deaths))
				}
			})
		})
	}
}

func TestDownFileFails(t *testing.T) {
	inBubble(t, newWorld(nil), func(r *rig) {
		r.mu.Lock()
		r.broken["down"] = errBroken
		r.mu.Unlock()
		r.send("Q")
		r.wantFlags("up")
		if len(r.warnings) != 1 {
			t.Errorf("warnings %q", r.warnings)
		}
	})
}

// What a crash now would make of it is asked before a fork: without a record
// nothing is started, or it could run twice.
func TestNoRecordNoStart(t *testing.T) {
	w := newWorld(map[string]string{"finish": ""})
	w.broken["instance"] = errBroken
	inBubble(t, w, func(r *rig) {
		r.wantEvents("s")
		if !strings.Contains(r.note.Problem, "instance record") {
			t.Errorf("note %+v", r.note)
		}
		delete(r.broken, "instance")
		r.wantStartAfter(time.Minute)
		// The death of a process needs no record; finish has to run.
		r.broken["instance"] = errBroken
		r.dies(Exited(1))
		r.dies(Exited(0))
		r.wantEvents("sudD")
		if r.pass(time.Second); r.starts() != 1 {
			t.Error("started without a record")
		}
	})
}

// Signals that cannot be sent are told; a process that is just gone is not.
func TestSignalFails(t *testing.T) {
	inBubble(t, newWorld(nil), func(r *rig) {
		r.mu.Lock()
		r.children[0].refuse = fs.ErrPermission
		r.mu.Unlock()
		r.send("t")
		if len(r.warnings) != 1 {
			t.Errorf("warnings %q", r.warnings)
		}
		r.mu.Lock()
		c := r.children[0]
		c.refuse = nil
		c.dead = true // and its exit is not delivered yet
		r.mu.Unlock()
		r.send("t")
		if len(r.warnings) != 1 {
			t.Errorf("warnings %q", r.warnings)
		}
		c.exit <- Exited(0)
		r.pass(0)
		r.wantEvents("sudD")
	})
}
