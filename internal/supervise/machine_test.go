package supervise

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Every cell is decided, and everything that has a name has one of its own.
func TestTableIsComplete(t *testing.T) {
	for k := range numEvents {
		for p := range numPhases {
			if table[k][p] == unlisted {
				t.Errorf("%v in %v: nobody decided what happens", k, p)
			}
		}
		if table[k][phaseGone] != ignore {
			t.Errorf("%v after the supervisor left: %v, want nothing to happen", k, table[k][phaseGone])
		}
	}
	names := map[string]bool{"": true, "?": true}
	unique := func(kind, name string) {
		if names[kind+name] || strings.HasPrefix(name, "unknown") {
			t.Errorf("%s %q is missing or there twice", kind, name)
		}
		names[kind+name] = true
	}
	for k := range numEvents {
		unique("event", k.String())
	}
	for p := range numPhases {
		unique("phase", p.String())
	}
	for m := ignore; m < numMoves; m++ {
		unique("move", m.String())
		if m.explain() == "" {
			t.Errorf("move %v is not explained", m)
		}
	}
}

func TestUnlistedCellPanics(t *testing.T) {
	for _, tc := range []struct {
		name  string
		state state
		event event
	}{
		{"unknown event", state{phase: phaseUp}, event{kind: numEvents}},
		{"unknown phase", state{phase: numPhases}, event{kind: cmdUp}},
		{"impossible", state{phase: phaseDown}, event{kind: runDied}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "cannot happen") {
					t.Errorf("recovered %v, want a panic that says it cannot happen", v)
				}
			}()
			step(tc.state, tc.event)
		})
	}
}

var cellTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// cellState is a typical state of each phase.
func cellState(p phase) state {
	s := state{phase: p, wantUp: true, ready: true, stamp: cellTime, readyStamp: cellTime, level: 1}
	switch p {
	case phaseUp, phaseLastUp:
		s.pid, s.started, s.paused, s.announces, s.ready = 100, cellTime, true, true, false
	case phaseFinish, phaseLastFinish:
		s.pid, s.ready = 200, false
	case phaseBackoff:
		s.note = Note{Backoff: true, NextStart: cellTime}
	}
	return s
}

// cellEvent is a typical event of each kind.
func cellEvent(k eventKind) event {
	e := event{kind: k, at: cellTime.Add(10 * time.Second)}
	switch k {
	case runDied:
		e.exit = Exited(3)
	case runStarted:
		e.pid = 100
	case finishStarted:
		e.pid = 200
	case startFailed:
		e.problem, e.retry = "no such file", true
	case runAdopted:
		e.found = &Survivor{Instance: Instance{Stage: StageRun, PID: 100, WantUp: true}, Child: &fakeChild{pid: 100}}
	case finishAdopted:
		e.found = &Survivor{Instance: Instance{Stage: StageFinish, PID: 200, WantUp: true}, Child: &fakeChild{pid: 200}}
	}
	return e
}

// What every cell does, in full, is a file that is reviewed when it changes.
func TestCells(t *testing.T) {
	if sigSTOP == 0 {
		t.Skip("the file names signals that this system does not have")
	}
	var b strings.Builder
	for k := range numEvents {
		for p := range numPhases {
			switch table[k][p] {
			case ignore, impossible:
				fmt.Fprintf(&b, "%v, %v: %v\n", p, k, table[k][p])
			default:
				after, actions := step(cellState(p), cellEvent(k))
				fmt.Fprintf(&b, "%v, %v: %s\n", p, k, describe(after, actions))
			}
		}
	}
	golden(t, "testdata/cells.golden", b.String())
}

// describe is a state and actions in one line.
func describe(s state, actions []action) string {
	words := []string{s.phase.String()}
	for _, w := range []struct {
		on   bool
		word string
	}{
		{s.pid != 0, fmt.Sprintf("pid %d", s.pid)},
		{s.wantUp, "want"},
		{s.ready, "ready"},
		{s.paused, "paused"},
		{s.asked, "asked"},
		{s.note.Adopted, "adopted"},
		{s.note.Backoff, "backoff"},
		{s.note.Problem != "", "problem"},
	} {
		if w.on {
			words = append(words, w.word)
		}
	}
	var done []string
	for _, a := range actions {
		text := a.String()
		switch a.kind {
		case doSend, doSendGroup:
			text = strings.TrimRight(text, "0123456789") + servicemanager.SignalName(a.sig)
		case doArm:
			text += " after " + a.due.Sub(cellTime.Add(10*time.Second)).String()
		}
		done = append(done, text)
	}
	return strings.Join(words, " ") + " | " + strings.Join(done, "; ")
}

// An action with an answer ends its turn: nothing that was decided before the
// answer may be done after it.
func TestAnswersComeLast(t *testing.T) {
	for k := range numEvents {
		for p := range numPhases {
			if table[k][p] == ignore || table[k][p] == impossible {
				continue
			}
			_, actions := step(cellState(p), cellEvent(k))
			for i, a := range actions {
				if (a.kind == doTryStart || a.kind == doTryFinish) && i != len(actions)-1 {
					t.Errorf("%v in %v: %v is followed by %v", k, p, a, actions[i+1:])
				}
			}
		}
	}
}

// Whatever is notified, the record was written in the same turn, but for x,
// which tells nothing of the record.
func TestStatusBeforeEvent(t *testing.T) {
	for k := range numEvents {
		for p := range numPhases {
			if table[k][p] == ignore || table[k][p] == impossible {
				continue
			}
			_, actions := step(cellState(p), cellEvent(k))
			published := false
			for _, a := range actions {
				published = published || a.kind == doPublish
				if a.kind == doNotify && a.text != "x" && !published {
					t.Errorf("%v in %v: %v before the record is written", k, p, a)
				}
			}
		}
	}
}
