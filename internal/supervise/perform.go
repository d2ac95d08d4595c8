package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// perform does what a turn asks for, in order. Where that has an answer it is
// the next event.
func (e *engine) perform(ctx context.Context, actions []action) (next event, again bool) {
	for _, a := range actions {
		switch a.kind {
		case doTryStart:
			next, again = e.tryStart(ctx), true
		case doTryFinish:
			next, again = e.tryFinish(), true
		case doPublish:
			e.publish()
		case doShowNote:
			e.showNote()
			e.tell()
		case doNotify:
			e.Store.Notify(a.text)
		case doSend, doSendGroup, doSendDownSignal, doSendReloadSignal, doKillHard:
			e.send(a)
		case doArm, doArmKill, doArmFinish, doDisarm:
			e.setTimer(a)
		case doRecordDeath:
			e.recordDeath()
		case doCreateDown, doRemoveDown:
			if err := e.Store.SetDown(a.kind == doCreateDown); err != nil {
				e.warnf("the file down could not be changed: %v", err)
			}
		case doReleaseStdio:
			e.Processes.ReleaseStdio()
		case doWarn:
			e.warnf("%s", a.text)
		case doLeave:
			e.left = true
			e.mail.close()
		default:
			panic(fmt.Sprintf("nobody does action %d", a.kind))
		}
	}
	return next, again
}

// publish makes the state visible: first what a successor needs, then what is
// read beside the record, then the record itself.
func (e *engine) publish() {
	if in := e.instance(); in.Stage != StageNone || e.written.Stage != StageNone {
		if err := e.writeInstance(in); err != nil {
			e.warnf("the instance record could not be written, after a crash of the supervisor it will be wrong: %v", err)
		}
	}
	e.showNote()
	if err := e.Store.WriteStatus(e.state.status()); err != nil {
		e.warnf("the status could not be written: %v", err)
	}
	e.tell()
}

func (e *engine) tell() {
	if e.Changed != nil {
		e.Changed(Change{Status: e.state.status(), Note: e.state.note, Announces: e.state.announces, Deaths: e.state.deaths})
	}
}

// instance is the record as it is to be now.
func (e *engine) instance() Instance {
	in := e.state.instance()
	in.Host = e.Host
	if e.child != nil && in.Stage != StageNone {
		in.PID, in.Ticks = e.child.PID(), e.child.Ticks()
	}
	return in
}

func (e *engine) writeInstance(in Instance) error {
	if in == e.written {
		return nil
	}
	if err := e.Store.WriteInstance(in); err != nil {
		return err
	}
	e.written = in
	return nil
}

func (e *engine) showNote() {
	if e.noted && e.state.note == e.shown {
		return
	}
	if err := e.Store.WriteNote(e.state.note); err != nil {
		e.warnf("the note could not be written: %v", err)
		return
	}
	e.shown, e.noted = e.state.note, true
}

func (e *engine) send(a action) {
	switch a.kind {
	case doSend:
		e.signal(a.sig, false)
	case doSendGroup:
		e.signal(a.sig, true)
	case doSendDownSignal:
		e.signal(e.settings.signal("down-signal", syscall.SIGTERM), false)
	case doSendReloadSignal:
		e.signal(e.settings.signal("reload-signal", syscall.SIGHUP), false)
	default:
		group := e.settings.exists("flag-timeout-killpg")
		e.signal(sigKILL, group)
		e.signal(sigCONT, group)
	}
}

func (e *engine) signal(sig syscall.Signal, group bool) {
	if sig == 0 {
		return // one that this system does not have
	}
	err := e.child.Signal(sig, group)
	if err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
		e.warnf("signal %d could not be sent to process %d: %v", int(sig), e.child.PID(), err)
	}
}

func (e *engine) setTimer(a action) {
	switch a.kind {
	case doArm:
		e.arm(a.what, a.due)
	case doArmKill:
		wait := e.settings.millis("timeout-kill", 0)
		if wait == 0 {
			wait = a.wait
		}
		e.armAfter(killDue, wait)
	case doArmFinish:
		e.armAfter(finishDue, e.settings.millis("timeout-finish", defaultFinish))
	default:
		e.disarm()
	}
}

// armAfter arms, or with no time disarms.
func (e *engine) armAfter(what eventKind, wait time.Duration) {
	if wait == 0 {
		e.disarm()
		return
	}
	e.arm(what, time.Now().Add(wait))
}

func (e *engine) recordDeath() {
	keep := e.settings.tally()
	if keep == 0 {
		return
	}
	if err := e.Store.AddDeath(Death{At: e.state.stamp, Exit: e.state.last}, keep); err != nil {
		e.warnf("the death tally could not be written: %v", err)
	}
}

func (e *engine) forgetDeaths() {
	if err := e.Store.ClearDeaths(); err != nil {
		e.warnf("the death tally could not be emptied: %v", err)
	}
}
