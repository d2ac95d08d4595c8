package supervise

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// inBubbleWith is inBubble with another configuration.
func inBubbleWith(t *testing.T, w *fakeWorld, change func(*Config), test func(r *rig)) {
	t.Helper()
	inBubbleAfter(t, w, func(s *Service) { change(&s.cfg) }, test)
}

// What is held is wanted up, and waits for the command.
func TestHold(t *testing.T) {
	hold := func(c *Config) { c.Hold, c.Problem = true, "waits for db" }
	inBubbleWith(t, newWorld(nil), hold, func(r *rig) {
		r.pass(time.Hour)
		r.wantEvents("s")
		r.wantFlags("down want ready paused")
		if r.note.Problem != "waits for db" {
			t.Errorf("note %+v", r.note)
		}
		r.send("u")
		r.wantEvents("su")
		if r.note != (Note{}) {
			t.Errorf("note %+v", r.note)
		}
		r.dies(Exited(1)) // from now on it is like all others
		r.pass(restartDelay)
		r.wantEvents("sudDu")
	})
	inBubbleWith(t, newWorld(map[string]string{"down": ""}), hold, func(r *rig) { r.wantFlags("down ready paused") })
}

// What is run once is not started again by itself; it has failed if nobody has asked
// for another end than a good one.
func TestOnce(t *testing.T) {
	once := func(c *Config) { c.Once = true }
	for _, c := range []struct {
		exit   Exit
		asked  string
		failed bool
	}{{Exited(0), "", false}, {Exited(3), "", true}, {Killed(9), "", true}, {Exited(3), "d", false}} {
		inBubbleWith(t, newWorld(nil), once, func(r *rig) {
			r.send(c.asked)
			r.dies(c.exit)
			r.pass(time.Hour)
			r.wantEvents("sudD")
			if r.note.Failed != c.failed || r.status.WantUp {
				t.Errorf("%+v: note %+v, wanted up %v", c, r.note, r.status.WantUp)
			}
			r.send("u") // somebody has mended it
			r.wantEvents("sudDu")
			r.dies(Exited(0))
			r.pass(time.Hour)
			r.wantEvents("sudDudD")
		})
	}
	inBubbleWith(t, newWorld(nil), once, func(r *rig) {
		r.dies(Exit{Unknown: true}) // well or not: it is run again
		if r.note.Failed || !r.status.WantUp {
			t.Errorf("note %+v, wanted up %v", r.note, r.status.WantUp)
		}
		r.pass(restartDelay)
		r.wantEvents("sudDu")
	})
	inBubbleWith(t, newWorld(nil), func(c *Config) { c.Once, c.Down = true, true }, func(r *rig) {
		r.pass(time.Hour)
		r.wantEvents("s")
		r.wantFlags("down ready paused")
	})
}

// Who is told of changes hears of each after it is written, and of every death.
func TestChanged(t *testing.T) {
	w := newWorld(map[string]string{"notification-fd": "3\n", "finish": ""})
	var told []string
	tell := func(cfg *Config) {
		cfg.Changed = func(c Change) {
			told = append(told, fmt.Sprintf("%s up=%v deaths=%d exit=%d written=%v", flags(c.Status), c.Up(), c.Deaths, c.Exit().Code(), c.Status == w.status))
		}
	}
	inBubbleWith(t, w, tell, func(r *rig) {
		r.announces(true)
		r.dies(Exited(3)) // run
		r.dies(Exited(0)) // finish
		synctest.Wait()
		want := []string{
			"down want ready paused up=false deaths=0 exit=0", "up want up=false deaths=0 exit=0", "up want ready up=true deaths=0 exit=0",
			"finishing want up=false deaths=1 exit=3", "down want ready up=false deaths=1 exit=3",
		}
		for i, line := range want {
			want[i] = line + " written=true"
		}
		if got := strings.Join(told, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	})
}

// Another program in the place of run.
func TestRun(t *testing.T) {
	inBubbleWith(t, newWorld(nil), func(c *Config) { c.Run = "./undo" }, func(r *rig) {
		if got := r.happened(); !strings.Contains(got, "start ./undo web") {
			t.Error(got)
		}
	})
}
