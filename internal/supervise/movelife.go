package supervise

import "time"

// noTime is no time at all.
var noTime = time.Time{}

// goUp is a start that worked.
func (t *turn) goUp() {
	t.phase = phaseUp
	t.pid = t.event.pid
	t.announces = t.event.announces
	t.ready, t.paused, t.asked = false, false, false
	t.stamp, t.started, t.notBefore = t.event.at, t.event.at, noTime
	t.note = Note{}
	t.disarm()
	t.publish()
	t.notify("u")
}

// retryLater is a start that did not work. As in s6 no event tells of it and
// the record does not change.
func (t *turn) retryLater() {
	t.phase = phaseDown
	t.note = Note{Problem: t.event.problem}
	if t.wantUp && t.event.retry {
		due := t.event.at.Add(retryDelay)
		t.note.NextStart = due
		t.arm(retryDue, due)
	} else {
		t.disarm()
	}
	t.add(action{kind: doShowNote})
	t.add(action{kind: doWarn, text: t.event.problem})
}

func (t *turn) becomeReady() {
	t.ready = true
	t.readyStamp = t.event.at
	t.notBefore = t.event.at.Add(restartDelay)
	t.publish()
	t.notify("U")
}

// buryRun takes note of the death of run. Nothing of it is shown before it is
// known whether there is a finish.
func (t *turn) buryRun() {
	t.last = t.event.exit
	t.deaths++
	t.paused, t.ready, t.announces = false, false, false
	t.stamp = t.event.at
	t.note = Note{}
	if t.event.at.Sub(t.started) >= stableTime {
		t.level = 0
	}
	t.add(action{kind: doRecordDeath})
	t.add(action{kind: doTryFinish})
}

func (t *turn) goFinish() {
	if t.phase == phaseLastUp {
		t.phase = phaseLastFinish
	} else {
		t.phase = phaseFinish
	}
	t.pid = t.event.pid
	t.publish()
	t.notify("d")
	t.add(action{kind: doArmFinish})
}

// buryFinish is the end of finish. A finish that exits 125 keeps the service
// down, unless somebody stopped it and wanted it up again meanwhile.
func (t *turn) buryFinish() {
	exited := t.event.exit
	forGood := !exited.Unknown && exited.Signal() == 0 && exited.Code() == permanent
	pardoned := t.asked && t.wantUp
	if forGood && !pardoned {
		t.goDown("OD", true)
		return
	}
	t.goDown("D", false)
}

// goDown is the end of a death: nothing is left of the service.
func (t *turn) goDown(events string, forGood bool) {
	last := t.isLast()
	t.pid = 0
	t.ready = true
	t.readyStamp = t.event.at
	t.note = Note{}
	if t.last.Unknown {
		t.note.Problem = "exit status unknown: it outlived its supervisor"
	}
	once := t.once && !t.last.Unknown // where nobody knows how it ended it is run again
	if forGood || once {
		t.wantUp = false
	}
	if once && !forGood && !t.asked && t.last != Exited(0) {
		t.note.Failed, t.note.Problem = true, "it has failed, and is started once only: mend it, and give the command u"
	}
	if forGood && !t.asked { // asked for, it is down and no failure
		t.note.Failed, t.note.Problem = true, "finish exited 125: it is not to be started again by itself"
	}
	t.phase = phaseDown
	if last {
		t.phase = phaseGone
	}
	what, due := t.nextStart()
	t.publish()
	t.notify(events)
	switch {
	case last:
		t.quit()
	case due.IsZero():
		t.disarm()
	default:
		t.arm(what, due)
	}
}

// nextStart says when the service is started again by itself; the zero time:
// never.
func (t *turn) nextStart() (eventKind, time.Time) {
	switch {
	case !t.wantUp || t.phase == phaseGone:
		return restartDue, noTime
	case t.event.pace.base > 0 && !t.asked:
		t.phase = phaseBackoff
		t.note.Backoff, t.note.NextStart = true, t.event.at.Add(t.backoff())
		return backoffDue, t.note.NextStart
	case !t.notBefore.IsZero():
		return restartDue, t.notBefore
	default:
		return restartDue, t.event.at.Add(restartDelay)
	}
}

// backoff is the pause after this death; the next one is twice as long.
func (t *turn) backoff() time.Duration {
	p := t.event.pace
	wait := p.base
	for i := uint8(0); i < t.level && wait < p.cap; i++ {
		wait *= 2
	}
	if wait >= p.cap {
		return p.cap
	}
	t.level++
	return wait
}
