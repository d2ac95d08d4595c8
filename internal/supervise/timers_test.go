package supervise

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// starts is how many runs there were.
func (w *fakeWorld) starts() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.children {
		if c.path == "./run" {
			n++
		}
	}
	return n
}

// wantStartAfter checks that the next run begins exactly d from now.
func (r *rig) wantStartAfter(d time.Duration) {
	r.t.Helper()
	n := r.starts()
	if d > 0 {
		r.pass(d - time.Nanosecond)
		if r.starts() != n {
			r.t.Fatalf("started before %v were over", d)
		}
	}
	r.pass(time.Nanosecond)
	if r.starts() != n+1 {
		r.t.Fatalf("not started after %v", d)
	}
}

func TestRestartDelay(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		life  func(r *rig)
		want  time.Duration
	}{
		{"no readiness", nil, func(r *rig) { r.pass(time.Hour) }, time.Second},
		{"not ready", map[string]string{"notification-fd": "3"}, func(r *rig) { r.pass(time.Hour) }, time.Second},
		{"ready for long", map[string]string{"notification-fd": "3"}, func(r *rig) { r.announces(true); r.pass(time.Hour) }, 0},
		{"ready for 300 ms", map[string]string{"notification-fd": "3"}, func(r *rig) {
			r.pass(time.Hour)
			r.announces(true)
			r.pass(300 * time.Millisecond)
		}, 700 * time.Millisecond},
		{"dies at once", nil, func(*rig) {}, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, newWorld(tc.files), func(r *rig) {
				tc.life(r)
				n := r.starts()
				r.dies(Exited(0))
				if tc.want == 0 {
					if r.starts() != n+1 {
						t.Error("not started at once")
					}
					return
				}
				r.wantStartAfter(tc.want)
			})
		})
	}
}

// The delay counts from the end of finish, not from the death.
func TestRestartDelayAfterFinish(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"finish": "", "timeout-finish": "0"}), func(r *rig) {
		r.dies(Exited(0))
		r.pass(time.Hour)
		r.dies(Exited(0))
		r.wantStartAfter(time.Second)
	})
}

// u and o start at once; wanting down forgets the delay.
func TestCommandsInRestartDelay(t *testing.T) {
	for _, tc := range []struct {
		send   string
		starts int // at once
		later  int // after the delay
		record string
	}{
		{"u", 2, 2, "up want"},
		{"U", 2, 2, "up want"},
		{"o", 2, 2, "up"},
		{"d", 1, 1, "down ready"},
		{"O", 1, 1, "down ready"},
		{"Q", 1, 1, "down ready"},
		{"D", 1, 1, "down ready"},
		{"du", 2, 2, "up want"},
		{"dud", 2, 2, "up"},
		{"a", 1, 2, "up want"},
	} {
		t.Run(tc.send, func(t *testing.T) {
			inBubble(t, newWorld(nil), func(r *rig) {
				r.dies(Exited(0))
				r.pass(500 * time.Millisecond)
				r.send(tc.send)
				if n := r.starts(); n != tc.starts {
					t.Errorf("%d starts at once, want %d", n, tc.starts)
				}
				r.pass(time.Second)
				if n := r.starts(); n != tc.later {
					t.Errorf("%d starts after the delay, want %d", n, tc.later)
				}
				r.wantFlags(tc.record)
			})
		})
	}
}

func TestTimeoutKill(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"absent", nil, "never"},
		{"zero", map[string]string{"timeout-kill": "0"}, "never"},
		{"nonsense", map[string]string{"timeout-kill": "5s"}, "never"},
		{"set", map[string]string{"timeout-kill": "3000\n"}, "3s KILL, CONT; 8s KILL, CONT"},
		{"group", map[string]string{"timeout-kill": "3000", "flag-timeout-killpg": ""}, "3s KILL group, CONT group; 8s KILL group, CONT group"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, newWorld(tc.files), func(r *rig) {
				c := r.process()
				r.send("d")
				asked := time.Now()
				if got := strings.Join(c.signals, " "); got != "TERM CONT" {
					t.Fatalf("signals %s", got)
				}
				var kills []string
				for range 100 {
					n := len(c.signals)
					r.pass(100 * time.Millisecond)
					if news := c.signals[n:]; len(news) > 0 {
						kills = append(kills, fmt.Sprintf("%v %s", time.Since(asked), strings.Join(news, ", ")))
					}
				}
				if kills == nil {
					kills = []string{"never"}
				}
				if got := strings.Join(kills, "; "); got != tc.want {
					t.Errorf("killed: %s, want %s", got, tc.want)
				}
				r.end1(c, Killed(9))
				r.pass(time.Hour)
				r.wantEvents("sudD")
			})
		})
	}
}

// A second d arms anew, u changes nothing, the death disarms.
func TestTimeoutKillAgain(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"timeout-kill": "3000"}), func(r *rig) {
		c := r.process()
		r.send("d")
		r.pass(2 * time.Second)
		r.send("du")
		r.pass(2 * time.Second)
		if got := strings.Join(c.signals, " "); got != "TERM CONT TERM CONT" {
			t.Fatalf("signals %s", got)
		}
		r.pass(time.Second)
		if got := strings.Join(c.signals, " "); got != "TERM CONT TERM CONT KILL CONT" {
			t.Fatalf("signals %s", got)
		}
		r.dies(Killed(9))
		r.wantStartAfter(time.Second)
		r.pass(time.Hour)
		if got := r.process().signals; len(got) > 0 {
			t.Errorf("the next run is killed: %s", got)
		}
	})
}

// The file is read when d comes: a changed one counts, and a removed one
// disarms.
func TestTimeoutKillIsReadWhenUsed(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"timeout-kill": "3000"}), func(r *rig) {
		c := r.process()
		r.send("d")
		delete(r.files, "timeout-kill")
		r.send("d")
		r.pass(time.Hour)
		if got := strings.Join(c.signals, " "); got != "TERM CONT TERM CONT" {
			t.Errorf("signals %s", got)
		}
	})
}

func TestTimeoutFinish(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"absent", "", "5s CONT, KILL; 10s CONT, KILL"},
		{"set", "1500", "1.5s CONT, KILL; 6.5s CONT, KILL"},
		{"nonsense", "-1", "5s CONT, KILL; 10s CONT, KILL"},
		{"unlimited", "0", "never"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string]string{"finish": ""}
			if tc.file != "" {
				files["timeout-finish"] = tc.file
			}
			inBubble(t, newWorld(files), func(r *rig) {
				r.dies(Exited(0))
				c, died := r.process(), time.Now()
				r.send("kt1c") // nothing but the timer ends a finish
				var kills []string
				for range 110 {
					n := len(c.signals)
					r.pass(100 * time.Millisecond)
					if news := c.signals[n:]; len(news) > 0 {
						kills = append(kills, fmt.Sprintf("%v %s", time.Since(died), strings.Join(news, ", ")))
					}
				}
				if kills == nil {
					kills = []string{"never"}
				}
				if got := strings.Join(kills, "; "); got != tc.want {
					t.Errorf("killed: %s, want %s", got, tc.want)
				}
				r.end1(c, Killed(9))
				r.wantStartAfter(time.Second)
			})
		})
	}
}

// A start that fails has no event and changes no record; it is tried again
// after a minute, or when it is asked for.
func TestStartFails(t *testing.T) {
	w := newWorld(nil)
	w.broken["start ./run"] = fs.ErrNotExist
	inBubble(t, w, func(r *rig) {
		r.wantEvents("s")
		r.wantFlags("down want ready paused")
		if r.note.Problem == "" || at(r.note.NextStart, r.zero) != "1m0s" || r.instance.Stage != StageNone {
			t.Errorf("note %+v, instance %v", r.note, r.instance)
		}
		delete(r.broken, "start ./run")
		r.wantStartAfter(time.Minute)
		if r.note != (Note{}) {
			t.Errorf("note %+v after a start", r.note)
		}
	})
	w = newWorld(nil)
	w.broken["start ./run"] = fs.ErrNotExist
	inBubble(t, w, func(r *rig) {
		r.pass(10 * time.Second)
		r.send("u")
		r.wantFlags("down want ready")
		if at(r.note.NextStart, r.zero) != "1m10s" {
			t.Errorf("next try at %s", at(r.note.NextStart, r.zero))
		}
		r.send("o") // fails as well, and is not tried again
		r.wantFlags("down ready")
		if !r.note.NextStart.IsZero() || r.note.Problem == "" {
			t.Errorf("note %+v", r.note)
		}
		r.pass(time.Hour)
		r.wantEvents("s")
		r.send("d")
		delete(r.broken, "start ./run")
		r.send("u")
		r.wantEvents("su")
	})
}

// What this supervisor does not do is not done by halves.
func TestPostponedFiles(t *testing.T) {
	for _, name := range []string{"lock-fd", "flag-newpidns"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, newWorld(map[string]string{name: "4"}), func(r *rig) {
				r.wantEvents("s")
				r.pass(time.Hour)
				if !strings.Contains(r.note.Problem, name) || !r.note.NextStart.IsZero() || len(r.warnings) != 1 {
					t.Errorf("note %+v, warnings %q", r.note, r.warnings)
				}
				delete(r.files, name)
				r.send("u")
				r.wantEvents("su")
			})
		})
	}
}
