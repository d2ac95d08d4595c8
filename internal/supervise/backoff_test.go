package supervise

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"backoff": "1000 10000\n"}), func(r *rig) {
		for _, want := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
			r.dies(Exited(1))
			r.wantFlags("down want ready")
			if !r.note.Backoff || time.Until(r.note.NextStart) != want*time.Second {
				t.Fatalf("note %+v, want a start in %v", r.note, want*time.Second)
			}
			r.wantStartAfter(want * time.Second)
			if r.note != (Note{}) {
				t.Errorf("note %+v while up", r.note)
			}
		}
		r.pass(60*time.Second - time.Nanosecond)
		r.dies(Exited(1))
		r.wantStartAfter(10 * time.Second)
		r.pass(60 * time.Second)
		r.dies(Exited(1))
		r.wantStartAfter(time.Second) // after 60 s up it begins anew
		r.dies(Exited(1))
		r.wantStartAfter(2 * time.Second)
	})
}

// A start that was asked for begins anew, and so do the pauses.
func TestBackoffEndsByCommand(t *testing.T) {
	for _, tc := range []struct {
		send, record string
		starts       int
	}{
		{"u", "up want", 1},
		{"U", "up want", 1},
		{"o", "up", 1},
		{"d", "down ready", 0},
		{"D", "down ready", 0},
		{"O", "down ready", 0},
		{"Q", "down ready", 0},
	} {
		t.Run(tc.send, func(t *testing.T) {
			inBubble(t, newWorld(map[string]string{"backoff": "1000 300000"}), func(r *rig) {
				for _, want := range []time.Duration{1, 2, 4} {
					r.dies(Killed(11))
					r.wantStartAfter(want * time.Second)
				}
				r.dies(Killed(11))
				n := r.starts()
				r.send(tc.send)
				if got := r.starts() - n; got != tc.starts {
					t.Fatalf("%d starts, want %d", got, tc.starts)
				}
				r.wantFlags(tc.record)
				if r.note != (Note{}) {
					t.Errorf("note %+v", r.note)
				}
				if tc.starts == 0 {
					r.pass(time.Hour)
					if r.starts() != n {
						t.Error("started by itself although wanted down")
					}
					r.send("u")
				} else {
					r.send("u")
				}
				r.dies(Killed(11))
				r.wantStartAfter(time.Second)
			})
		})
	}
}

// Deaths that were asked for are no crashes: no backoff, no doubling.
func TestBackoffDoesNotCountRestarts(t *testing.T) {
	inBubble(t, newWorld(map[string]string{"backoff": "5000 300000"}).obedient(), func(r *rig) {
		r.dies(Exited(1))
		r.wantStartAfter(5 * time.Second)
		for range 10 {
			r.send("du")
			r.wantFlags("down want ready")
			if r.note.Backoff {
				t.Error("a restart is shown as backoff")
			}
			r.wantStartAfter(time.Second) // s6's own delay, which u ends
		}
		r.dies(Exited(1))
		r.wantStartAfter(10 * time.Second)
	})
}

// The file is read at each death. Nonsense counts as absent: s6's timing.
func TestBackoffFile(t *testing.T) {
	for _, tc := range []struct {
		file string
		want time.Duration
		warn bool
	}{
		{"250 300000\n", 250 * time.Millisecond, false},
		{"250 300000\nmore", 250 * time.Millisecond, false},
		{"4000 1000", 4 * time.Second, false}, // a cap below the base is the base
		{"2000 0", 2 * time.Second, false},
		{"0 0", time.Second, true},
		{"1000", time.Second, true},
		{"1000  2000", time.Second, true},
		{"1s 2s", time.Second, true},
		{"", time.Second, true},
		{"1000 99999999999", time.Second, true},
	} {
		t.Run(tc.file, func(t *testing.T) {
			inBubble(t, newWorld(nil), func(r *rig) {
				r.dies(Exited(0))
				r.wantStartAfter(time.Second)
				r.files["backoff"] = tc.file
				r.dies(Exited(0))
				r.wantStartAfter(tc.want)
				if warned := len(r.warnings) > 0; warned != tc.warn {
					t.Errorf("warnings %q", r.warnings)
				}
			})
		})
	}
}
