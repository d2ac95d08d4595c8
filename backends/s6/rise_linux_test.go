package s6

import (
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// What supervisors tell, and when somebody looks: only another process counts.
func TestRise(t *testing.T) {
	t.Parallel()
	at := func(state sm.State, pid, second int) sm.Status {
		return sm.Status{State: state, PID: pid, Since: time.Unix(int64(second), 0)}
	}
	up, down := at(sm.StateUp, 7, 1), at(sm.StateDown, 0, 2)
	type step struct {
		events string
		gone   bool
		sees   sm.Status
		risen  bool
	}
	for _, test := range []struct {
		name   string
		before sm.Status
		steps  []step
	}{
		{"it is still there", up, []step{{"u", false, up, false}}},
		{"another", up, []step{{"dDu", false, at(sm.StateUp, 8, 3), true}}},
		{"the same number", up, []step{{"dDu", false, at(sm.StateUp, 7, 3), true}}},
		{"its own word comes late, with its end", up, []step{{"", false, down, false}, {"udD", false, down, false}, {"u", false, at(sm.StateUp, 8, 3), true}}},
		{"its own word comes late, and it has ended before", down, []step{{"udD", false, down, false}, {"u", false, at(sm.StateUp, 8, 3), true}}},
		{"another that has died", up, []step{{"dD", false, down, false}, {"udD", false, at(sm.StateDown, 0, 4), true}}},
		{"another that has died, and its finish runs", down, []step{{"ud", false, at(sm.StateFinishing, 0, 4), true}}},
		{"one that failed", down, []step{{"udOD", false, at(sm.StateFailed, 0, 4), true}}},
		{"wanted, and not there", at(sm.StateFinishing, 0, 2), []step{{"D", false, at(sm.StateStarting, 0, 2), false}}},
		{"another supervisor starts anew", up, []step{{"", true, at(sm.StateDown, 0, 3), false}, {"s", false, at(sm.StateStarting, 0, 4), false}, {"", false, at(sm.StateUp, 8, 5), true}}},
		{"a word of the supervisor before", down, []step{{"us", false, at(sm.StateStarting, 0, 4), false}, {"", false, at(sm.StateStarting, 0, 4), false}}},
		{"nothing can be written", up, []step{{"dD", false, sm.Status{}, false}, {"u", false, sm.Status{}, true}}},
		{"its own word comes late, and then nobody tells", up, []step{{"u", false, up, false}, {"", true, sm.Status{}, false}}},
		{"its own word comes late, and nothing can be read", up, []step{{"u", false, sm.Status{}, false}, {"dDu", false, sm.Status{}, true}}},
		{"nothing is known", sm.Status{}, []step{{"s", false, down, false}, {"u", false, down, true}}},
	} {
		r := newRise(test.before)
		for i, s := range test.steps {
			r.hear(note{events: []byte(s.events), gone: s.gone})
			if got := r.look(s.sees); got != s.risen {
				t.Errorf("%s, step %d: %v", test.name, i, got)
			}
		}
	}
}
