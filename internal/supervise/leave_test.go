package supervise

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Each way to leave, in each state.
func TestLeave(t *testing.T) {
	x := func(r *rig) { r.send("x") }
	sig := func(s Signal) func(r *rig) { return func(r *rig) { r.signal(s) } }
	for _, tc := range []struct {
		name    string
		leave   func(r *rig)
		at      string // where the service is: down, up, finish
		events  string // until it has left
		signals string // to the process
		stays   bool   // until the process is dead
		alive   bool   // the process is left behind
		stdio   bool   // released
	}{
		{name: "x", leave: x, at: "down", events: "sx"},
		{name: "x", leave: x, at: "up", events: "sudDx", stays: true, stdio: true},
		{name: "x", leave: x, at: "finish", events: "sudDx", stays: true, stdio: true},
		{name: "HUP", leave: sig(Hangup), at: "down", events: "sx"},
		{name: "HUP", leave: sig(Hangup), at: "up", events: "sudDx", stays: true, stdio: true},
		{name: "HUP", leave: sig(Hangup), at: "finish", events: "sudDx", stays: true, stdio: true},
		{name: "TERM", leave: sig(Terminate), at: "down", events: "sx"},
		{name: "TERM", leave: sig(Terminate), at: "up", events: "sudDx", signals: "TERM CONT", stays: true},
		{name: "TERM", leave: sig(Terminate), at: "finish", events: "sudDx", stays: true, stdio: true},
		{name: "QUIT", leave: sig(Quit), at: "down", events: "sx"},
		{name: "QUIT", leave: sig(Quit), at: "up", events: "sux", alive: true},
		{name: "QUIT", leave: sig(Quit), at: "finish", events: "sudx", alive: true},
		{name: "INT", leave: sig(Interrupt), at: "down", events: "sx"},
		{name: "INT", leave: sig(Interrupt), at: "up", events: "sux", signals: "INT group", alive: true},
		{name: "INT", leave: sig(Interrupt), at: "finish", events: "sudx", signals: "INT group", alive: true},
	} {
		t.Run(tc.name+" "+tc.at, func(t *testing.T) {
			files := map[string]string{}
			if tc.at == "down" {
				files["down"] = ""
			}
			if tc.at == "finish" {
				files["finish"], files["timeout-finish"] = "", "0"
			}
			inBubble(t, newWorld(files), func(r *rig) {
				if tc.at == "finish" {
					r.dies(Exited(0))
				}
				record, instance := r.status, r.instance
				tc.leave(r)
				if tc.stays {
					r.pass(time.Minute)
					r.dies(Exited(0))
				}
				if err := r.left(); err != nil {
					t.Error(err)
				}
				r.wantEvents(tc.events)
				if r.stdio != tc.stdio {
					t.Errorf("stdio released: %v", r.stdio)
				}
				c := r.process()
				if c != nil && strings.Join(c.signals, " ") != tc.signals {
					t.Errorf("signals %q, want %q", c.signals, tc.signals)
				}
				if c != nil && (!c.released || c.dead == tc.alive) {
					t.Errorf("process let go: %v, dead: %v", c.released, c.dead)
				}
				if tc.alive && (r.status != record || r.instance != instance) {
					t.Error("the records of a process that lives on have changed")
				}
			})
		})
	}
}

// What else comes to a supervisor that is about to leave.
func TestLeavingGoesOn(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     func(r *rig)
		events string
	}{
		{"up after x", func(r *rig) { r.send("x"); r.send("u"); r.dies(Exited(0)) }, "sudDx"},
		{"burst", func(r *rig) { r.send("xuoU"); r.dies(Exited(0)) }, "sudDx"},
		{"stop after x", func(r *rig) { r.send("xd"); r.dies(Exited(0)) }, "sudDx"},
		{"TERM after x", func(r *rig) { r.send("x"); r.signal(Terminate); r.dies(Exited(0)) }, "sudDx"},
		{"TERM twice", func(r *rig) { r.signal(Terminate); r.signal(Terminate); r.dies(Exited(0)) }, "sudDx"},
		{"readiness", func(r *rig) { r.send("x"); r.announces(true); r.dies(Exited(0)) }, "suUdDx"},
		{"HUP after TERM", func(r *rig) { r.signal(Terminate); r.signal(Hangup); r.dies(Exited(0)) }, "sudDx"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, newWorld(map[string]string{"finish": "", "notification-fd": "4"}), func(r *rig) {
				tc.do(r)
				r.send("ux")
				r.signal(Terminate)
				r.dies(Exited(0))
				r.left()
				r.wantEvents(tc.events)
				if !r.status.WantUp {
					t.Error("u was not taken")
				}
			})
		})
	}
}

// Commands that come in one burst with x in DOWN do not start anything.
func TestNoStartAfterExit(t *testing.T) {
	for _, burst := range []string{"xu", "xo", "xU", "dxu", "Oxo"} {
		t.Run(burst, func(t *testing.T) {
			inBubble(t, newWorld(map[string]string{"down": ""}), func(r *rig) {
				r.send(burst)
				r.left()
				r.wantEvents("sx")
				if r.starts() != 0 {
					t.Error("started after x")
				}
			})
		})
	}
}

// The end of the context leaves the process as it is.
func TestContextEnds(t *testing.T) {
	inBubble(t, newWorld(nil), func(r *rig) {
		r.cancel()
		if err := r.left(); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		r.wantEvents("sux")
		if c := r.process(); c.dead || !c.released || len(c.signals) > 0 {
			t.Errorf("process %+v", c)
		}
		if r.instance.Stage != StageRun || r.instance.PID != r.process().pid {
			t.Errorf("instance %v", r.instance)
		}
	})
}

// A flood of commands does not keep a supervisor from leaving.
func TestContextEndsInFlood(t *testing.T) {
	inBubble(t, newWorld(nil), func(r *rig) {
		w := r.fakeWorld
		n := 0
		w.onSignal = nil
		flood := func() { n++; r.service.Control([]byte("1")) }
		r.mu.Lock()
		c := r.children[0]
		r.mu.Unlock()
		c.onSignal = flood // each command brings the next
		r.service.Control([]byte("1"))
		r.cancel()
		r.left()
		r.wantEvents("sux")
	})
}
