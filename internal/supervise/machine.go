package supervise

import "time"

// Times of s6-supervise 2.15.1 and of the file backoff.
const (
	restartDelay = time.Second      // from the end of a death, or from readiness
	retryDelay   = 60 * time.Second // after a start that failed
	killAgain    = 5 * time.Second  // between two KILLs
	stableTime   = 60 * time.Second // after so long up the backoff begins anew
	endSurvivor  = 10 * time.Second // timeout-kill of a survivor to be ended, where the file is absent
)

// permanent is the exit code with which finish says: not again.
const permanent = 125

// step answers what an event does to a service: its next state, and what is to
// be done for it, in order. It panics where the table says that the event
// cannot happen.
func step(s state, e event) (state, []action) {
	m := unlisted
	if e.kind < numEvents && s.phase < numPhases {
		m = table[e.kind][s.phase]
	}
	if m == ignore {
		return s, nil
	}
	t := turn{state: s, event: e}
	t.do(m)
	return t.state, t.actions
}

// begin is the first turn of a supervisor. found is what an earlier one left
// running, or nil; problem is shown until the next start. With hold the start
// waits for a command.
func begin(at time.Time, want, hold bool, found *Survivor, problem string) (state, []action) {
	t := turn{
		state: state{stamp: at, readyStamp: at, wantUp: want, ready: true, note: Note{Problem: problem}},
		event: event{at: at, found: found},
	}
	if found != nil {
		t.wantUp = found.Instance.WantUp
		if found.finishing() {
			t.takeFinish()
		} else {
			t.takeRun()
		}
		t.note.Problem = problem
		t.add(action{kind: doPublish})
		t.notify("s")
		t.settleSurvivor()
		return t.state, t.actions
	}
	t.neverStarted = true
	t.add(action{kind: doPublish})
	t.notify("s")
	if want && !hold {
		t.arm(restartDue, at)
	}
	return t.state, t.actions
}

// turn is one event in the making.
type turn struct {
	state
	event   event
	actions []action
}

func (t *turn) add(a action) { t.actions = append(t.actions, a) }

// publish makes the state visible. From the second time on it is known that
// something was started or asked for.
func (t *turn) publish() {
	t.neverStarted = false
	t.add(action{kind: doPublish})
}

func (t *turn) notify(events string)              { t.add(action{kind: doNotify, text: events}) }
func (t *turn) arm(what eventKind, due time.Time) { t.add(action{kind: doArm, what: what, due: due}) }
func (t *turn) disarm()                           { t.add(action{kind: doDisarm}) }

// waiting says whether there is no process.
func (t *turn) waiting() bool { return t.phase == phaseDown || t.phase == phaseBackoff }

// isLast says whether the supervisor leaves once the service is down.
func (t *turn) isLast() bool { return t.phase == phaseLastUp || t.phase == phaseLastFinish }
