package supervise

import "fmt"

// do makes one move.
func (t *turn) do(m move) {
	switch m {
	case tryRun:
		t.add(action{kind: doTryStart})
	case wantUp, wantUpNow, wantUpFile, wantUpFileNow, once:
		t.wish(m)
	case wantDown, wantDownFile, cancelPolicy, cancelPolicyFile:
		t.stayDown(m)
	case stop, stopFile:
		t.stop(m == stopFile)
	case pass, pause, resume, pauseGroup, resumeGroup, killGroup, passDownSignal, passReloadSignal:
		t.signal(m)
	case exit, interrupt, exitAfter, stopAndExit, closeStdio:
		t.leave(m)
	case buryRun:
		t.buryRun()
	case buryFinish:
		t.buryFinish()
	case becomeReady:
		t.becomeReady()
	case escalate:
		t.paused = false
		t.add(action{kind: doKillHard})
		t.publish()
		t.arm(killDue, t.event.at.Add(killAgain))
	case endFinish:
		t.add(action{kind: doWarn, text: "finish is at work for longer than timeout-finish allows: killing it"})
		t.add(action{kind: doSend, sig: sigCONT})
		t.add(action{kind: doSend, sig: sigKILL})
		t.publish()
		t.arm(finishDue, t.event.at.Add(killAgain))
	case goUp:
		t.goUp()
	case retryLater:
		t.retryLater()
	case adoptRun:
		t.takeRun()
		t.publish()
		t.settleSurvivor()
	case adoptFinish:
		t.takeFinish()
		t.publish()
		t.settleSurvivor()
	case goFinish:
		t.goFinish()
	case goDown:
		t.goDown("dD", false)
	default:
		panic(fmt.Sprintf("%v in state %v cannot happen", t.event.kind, t.phase))
	}
}

// wish makes the service wanted up, or once, and starts it where that is part
// of the command. A start that was asked for begins with a clean slate.
func (t *turn) wish(m move) {
	if m == wantUpFile || m == wantUpFileNow {
		t.add(action{kind: doRemoveDown})
	}
	t.wantUp = m != once
	t.publish()
	if t.waiting() {
		t.level = 0
		t.add(action{kind: doTryStart})
	}
}

// stayDown makes the service wanted down and lets a process be.
func (t *turn) stayDown(m move) {
	if m == wantDownFile || m == cancelPolicyFile {
		t.add(action{kind: doCreateDown})
	}
	if m == cancelPolicy || m == cancelPolicyFile {
		t.asked = true
	}
	t.wantUp = false
	if t.waiting() {
		t.phase = phaseDown
		if !t.note.Backoff && !t.note.NextStart.IsZero() {
			t.note.Problem = "" // a retry that no longer matters
		}
		t.note.Backoff, t.note.NextStart = false, noTime
		t.disarm()
	}
	t.publish()
}

// stop asks the process to end.
func (t *turn) stop(file bool) {
	if file {
		t.add(action{kind: doCreateDown})
	}
	t.wantUp, t.asked = false, true
	t.ask()
	t.publish()
	t.add(action{kind: doArmKill})
}

// ask sends what makes a process end.
func (t *turn) ask() {
	t.paused = false
	t.add(action{kind: doSendDownSignal})
	t.add(action{kind: doSend, sig: sigCONT})
}

// leave ends the supervisor, now or once the service is down.
func (t *turn) leave(m move) {
	switch m {
	case interrupt:
		t.add(action{kind: doSendGroup, sig: sigINT})
		t.quit()
	case exit:
		t.quit()
	case exitAfter:
		t.makeLast()
		t.add(action{kind: doReleaseStdio})
	case stopAndExit:
		t.makeLast()
		t.stop(false)
	default:
		t.add(action{kind: doReleaseStdio})
	}
}

func (t *turn) makeLast() {
	if t.phase == phaseFinish {
		t.phase = phaseLastFinish
	} else {
		t.phase = phaseLastUp
	}
}

// quit is the end. The records stay as they are: a process that lives on is
// found by them.
func (t *turn) quit() {
	t.phase = phaseGone
	t.disarm()
	t.add(action{kind: doLeave})
	t.notify("x")
}
