package supervise

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What becomes of what an earlier supervisor left behind.
func TestAdopt(t *testing.T) {
	long := time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC) // before the bubble's clock
	last := Status{Stamp: long, ReadyStamp: long, Wait: 0x0100, WantUp: true, Ready: true}
	for _, tc := range []struct {
		name     string
		instance Instance
		last     Status
		files    map[string]string
		record   string // at once
		signals  string // within a second
		events   string // when it has died a minute later
	}{
		{
			name: "run", instance: Instance{Stage: StageRun, WantUp: true}, last: last,
			record: "up want", events: "sdD",
		},
		{
			name: "ready run", instance: Instance{Stage: StageRun, WantUp: true, Ready: Ready}, last: last,
			record: "up want ready", events: "sdDu", // it was ready: started again at once
		},
		{
			name: "wanted down, let be", instance: Instance{Stage: StageRun}, last: last,
			record: "up", events: "sdD",
		},
		{
			name: "the file down does not count", instance: Instance{Stage: StageRun, WantUp: true},
			files: map[string]string{"down": ""}, record: "up want", events: "sdD",
		},
		{
			name: "paused", instance: Instance{Stage: StageRun, WantUp: true}, last: Status{Paused: true, Stamp: long},
			record: "up want paused", events: "sdD",
		},
		{
			name: "run with finish", instance: Instance{Stage: StageRun, WantUp: true},
			files: map[string]string{"finish": ""}, record: "up want", events: "sd",
		},
		{
			name: "not ready yet: ended", instance: Instance{Stage: StageRun, WantUp: true, Ready: Unready}, last: last,
			record: "up want", signals: "TERM CONT", events: "sdD",
		},
		{
			name: "fork in flight: ended", instance: Instance{Stage: StageStarting, WantUp: true},
			record: "up want", signals: "TERM CONT", events: "sdD",
		},
		{
			name: "stop in flight: gone on with", instance: Instance{Stage: StageRun, Ending: true},
			files:  map[string]string{"down-signal": "SIGHUP"},
			record: "up", signals: "HUP CONT", events: "sdD",
		},
		{
			name: "restart in flight: gone on with", instance: Instance{Stage: StageRun, Ending: true, WantUp: true},
			record: "up want", signals: "TERM CONT", events: "sdD",
		},
		{
			name: "finish", instance: Instance{Stage: StageFinish, WantUp: true}, last: last,
			files: map[string]string{"timeout-finish": "0"}, record: "finishing want", events: "sD",
		},
		{
			name: "fork of finish in flight", instance: Instance{Stage: StageStarting, PID: 99, WantUp: true},
			files: map[string]string{"timeout-finish": "0"}, record: "finishing want", events: "sD",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(tc.files)
			w.deaths = []Death{{At: long}}
			c := w.leave(tc.instance, tc.last)
			inBubble(t, w, func(r *rig) {
				r.wantFlags(tc.record)
				r.wantEvents("s")
				if r.status.PID != c.pid || !r.note.Adopted || len(r.deaths) != 1 {
					t.Errorf("pid %d, note %+v, %d deaths", r.status.PID, r.note, len(r.deaths))
				}
				if tc.last.Stamp.Equal(long) && (!r.status.Stamp.Equal(long) || r.status.Wait != tc.last.Wait) {
					t.Errorf("the record %+v, want it as it was left", r.status)
				}
				r.pass(time.Second)
				if got := strings.Join(c.signals, " "); got != tc.signals {
					t.Errorf("signals %q, want %q", got, tc.signals)
				}
				r.pass(time.Minute)
				r.end1(c, Exit{Unknown: true})
				r.wantEvents(tc.events)
				if r.note.Adopted {
					t.Errorf("note %+v after the death", r.note)
				}
			})
		})
	}
}

// An end that nobody saw is told as such, and counts as a crash.
func TestUnknownExit(t *testing.T) {
	w := newWorld(map[string]string{"finish": "", "backoff": "1000 60000"})
	c := w.leave(Instance{Stage: StageRun, WantUp: true, Ready: Ready}, Status{})
	inBubble(t, w, func(r *rig) {
		r.end1(c, Exit{Unknown: true})
		if got := strings.Join(r.process().args, " "); got != "finish 256 0 web 101" {
			t.Errorf("finish is called as %q", got)
		}
		if r.status.Wait != WaitUnknown {
			t.Errorf("wait status %#x", r.status.Wait)
		}
		r.dies(Exited(0))
		if !strings.Contains(r.note.Problem, "exit status unknown") || !r.note.Backoff {
			t.Errorf("note %+v", r.note)
		}
		if code, sig := r.deaths[0].Bytes(); code != 255 || sig != 0 {
			t.Errorf("tally bytes %d %d", code, sig)
		}
		r.wantStartAfter(time.Second)
		r.dies(Exited(7))
		r.dies(Exited(0))
		if r.status.Wait != 0x0700 || strings.Contains(r.note.Problem, "unknown") {
			t.Errorf("after the next death: wait %#x, note %+v", r.status.Wait, r.note)
		}
		r.wantStartAfter(2 * time.Second)
	})
}

// Where the kernel can tell how an adopted process ended, nothing is different.
func TestKnownExitOfAdopted(t *testing.T) {
	w := newWorld(map[string]string{"finish": ""})
	c := w.leave(Instance{Stage: StageRun, WantUp: true, Ready: Ready}, Status{})
	inBubble(t, w, func(r *rig) {
		r.end1(c, Exited(3))
		if got := strings.Join(r.process().args, " "); got != "finish 3 0 web 101" {
			t.Errorf("finish is called as %q", got)
		}
		r.dies(Exited(125))
		r.wantEvents("sdOD")
	})
}

// A survivor that does not end by itself is killed; one is kept from a finish
// that hangs.
func TestEndOfSurvivors(t *testing.T) {
	for _, tc := range []struct {
		name     string
		instance Instance
		files    map[string]string
		after    time.Duration
		events   string
	}{
		{"no timeout-kill", Instance{Stage: StageRun, WantUp: true, Ready: Unready}, nil, 10 * time.Second, "sdD"},
		{"timeout-kill", Instance{Stage: StageStarting, WantUp: true}, map[string]string{"timeout-kill": "2000"}, 2 * time.Second, "sdD"},
		{"stop in flight", Instance{Stage: StageRun, Ending: true}, map[string]string{"timeout-kill": "2000"}, 2 * time.Second, "sdD"},
		{"finish", Instance{Stage: StageFinish}, nil, 5 * time.Second, "sD"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(tc.files).stubborn()
			c := w.leave(tc.instance, Status{})
			inBubble(t, w, func(r *rig) {
				r.pass(tc.after - time.Nanosecond)
				r.wantEvents("s")
				r.pass(time.Nanosecond)
				r.wantEvents(tc.events)
				if !c.dead {
					t.Error("still alive")
				}
			})
		})
	}
}

// Who cannot tell whether something survives starts nothing, says so, and asks
// again.
func TestUnsure(t *testing.T) {
	w := newWorld(nil)
	w.broken["find"] = errors.New("no /proc here")
	w.deaths = []Death{{}}
	inBubble(t, w, func(r *rig) {
		r.wantEvents("s")
		r.wantFlags("down want ready paused")
		if !strings.Contains(r.note.Problem, "no /proc here") || at(r.note.NextStart, r.zero) != "1m0s" {
			t.Errorf("note %+v", r.note)
		}
		r.send("u")
		r.wantEvents("s")
		delete(r.broken, "find")
		r.send("o")
		r.wantEvents("su")
		if len(r.deaths) != 0 {
			t.Error("the tally of an earlier supervisor is kept")
		}
	})
	// What is found then is adopted.
	for _, tc := range []struct {
		stage          Stage
		events, record string
	}{{StageRun, "s", "up want"}, {StageFinish, "s", "finishing want"}} {
		w = newWorld(nil)
		w.broken["find"] = errors.New("no /proc here")
		inBubble(t, w, func(r *rig) {
			r.mu.Lock()
			delete(r.broken, "find")
			r.leave(Instance{Stage: tc.stage, WantUp: true}, Status{})
			r.mu.Unlock()
			r.pass(time.Minute)
			r.wantEvents(tc.events)
			r.wantFlags(tc.record)
			if !r.note.Adopted {
				t.Errorf("note %+v", r.note)
			}
		})
	}
}

// A record that was not understood, or that cannot be read, is not overwritten
// by a supervisor that does not know better.
func TestUnsureKeepsTheRecord(t *testing.T) {
	w := newWorld(map[string]string{"down": ""})
	w.broken["find"] = errors.New("no /proc here")
	w.instance = Instance{Stage: StageRun, PID: 4711}
	inBubble(t, w, func(r *rig) {
		r.send("uddO")
		r.pass(time.Hour)
		if r.instance.PID != 4711 {
			t.Errorf("the record is %v", r.instance)
		}
	})
}

// An adopted process is commanded as any other.
func TestCommandsToAdopted(t *testing.T) {
	w := newWorld(nil)
	c := w.leave(Instance{Stage: StageRun, WantUp: true, Ready: Ready}, Status{})
	w.onSignal = func(c *fakeChild, sig syscall.Signal) {
		if sig == syscall.SIGTERM {
			w.end(c, Exit{Unknown: true})
		}
	}
	inBubble(t, w, func(r *rig) {
		r.send("pc1")
		r.send("du")
		if got := strings.Join(c.signals, " "); got != "STOP CONT USR1 TERM CONT" {
			t.Errorf("signals %s", got)
		}
		r.pass(time.Second)
		r.wantEvents("sdDu")
		r.wantFlags("up want")
	})
}
