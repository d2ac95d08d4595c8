package supervise

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A supervisor that is killed at any instant, between any two things it does,
// leaves records by which the next one finds the process: never are two alive,
// never does an event contradict the record, and in the end the service obeys.
func TestCrashAnywhere(t *testing.T) {
	first := seed(t)
	synctest.Test(t, func(t *testing.T) {
		crashes := 0
		for i := range sequences(20_000) {
			p := newPlayer(t, first+uint64(i))
			p.rand = rand.New(rand.NewPCG(first+uint64(i), 2))
			crashes += p.playWithCrashes()
			if len(p.world.wrong) > 0 {
				t.Fatalf("sequence %d: %s: %s", i, strings.Join(p.moves, ", "), strings.Join(p.world.wrong, "\n"))
			}
			p.e.end()
		}
		if crashes == 0 {
			t.Error("no crash at all")
		}
	})
}

// playWithCrashes returns how many faults were met.
func (p *player) playWithCrashes() (crashes int) {
	p.try(p.start)
	for range 5 + p.rand.IntN(20) {
		method := []string{"status", "note", "instance", "notify", "tally", "clear", "start", "down", "find", "read", "exists"}[p.rand.IntN(11)]
		if p.rand.IntN(3) == 0 {
			p.note("fault in %s", method)
			p.world.faults[method] = 1 + p.rand.IntN(3)
		}
		if p.try(p.stir) {
			crashes++
		}
		clear(p.world.faults)
	}
	// Whatever happened, the service is now stopped and starts again.
	for _, name := range []string{"lock-fd", "backoff"} {
		delete(p.world.files, name)
	}
	clear(p.world.broken)
	p.revive()
	p.e.mail.put([]byte("d"))
	p.drain()
	for range 3 { // run, finish
		if c := p.alive(); c != nil {
			p.finish(c, Exited(0))
		}
	}
	if s := flags(p.world.status); s != "down ready" {
		p.world.fail("stopped at last, and the record is %s", s)
	}
	p.e.mail.put([]byte("u"))
	p.drain()
	if p.alive() == nil || p.world.status.PID != p.alive().pid {
		p.world.fail("started at last, and the record is %s", flags(p.world.status))
	}
	return crashes
}

// try does something; a fault in it is the death of the supervisor.
func (p *player) try(do func()) (crashed bool) {
	defer func() {
		if v := recover(); v != nil {
			if text, ok := v.(string); !ok || !strings.HasPrefix(text, "fault in ") {
				panic(v)
			}
			crashed = true
			p.note("crash")
			clear(p.world.faults)
			p.revive()
		}
	}()
	do()
	return false
}

// revive begins a new supervisor on what the last one left.
func (p *player) revive() {
	p.e.end()
	p.world.inherit()
	p.start()
}

// start is begin without the second opinion.
func (p *player) start() {
	p.mail = mailbox{wake: make(chan struct{}, 1)}
	cfg := p.world.config()
	p.e = &engine{Config: &cfg, mail: &p.mail}
	p.e.settings = settings{files: p.world, warn: p.e.warnf}
	if err := p.e.begin(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	p.drain()
}

func (p *player) drain() {
	for !p.e.left && p.e.poll(p.t.Context()) {
	}
}

func (p *player) finish(c *fakeChild, exit Exit) {
	p.note("%s dies", c.path)
	p.world.end(c, exit)
	p.drain()
}

// stir is one random event.
func (p *player) stir() {
	if p.e.left {
		p.revive()
	}
	c := p.alive()
	switch n := p.rand.IntN(10); {
	case n < 4:
		const often = "udoUDOQpcx"
		b := often[p.rand.IntN(len(often))]
		p.note("%c", b)
		p.e.mail.put([]byte{b})
	case n < 7 && c != nil:
		p.finish(c, Exited(p.rand.IntN(2)*125))
	case n < 8 && c != nil && c.ready != nil && !c.closed && len(c.ready) == 0:
		c.ready <- true
	case n < 9:
		p.note("time")
		<-time.After(time.Duration(p.rand.IntN(70)) * time.Second)
	default:
		p.toggle([]string{"finish", "notification-fd", "backoff", "timeout-kill"}[p.rand.IntN(4)])
	}
	p.drain()
}
