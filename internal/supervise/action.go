package supervise

import (
	"fmt"
	"syscall"
	"time"
)

// actionKind is something the table wants done.
type actionKind uint8

const (
	// doPublish: instance, note and status are written, in this order, where
	// they changed; the status always.
	doPublish actionKind = iota
	// doShowNote: the note is written.
	doShowNote
	// doNotify: text is sent to the listeners in one write.
	doNotify
	// doSend: sig goes to the process.
	doSend
	// doSendGroup: sig goes to the process group.
	doSendGroup
	// doSendDownSignal: what the file down-signal names, else TERM.
	doSendDownSignal
	// doSendReloadSignal: what the file reload-signal names, else HUP.
	doSendReloadSignal
	// doKillHard: KILL and CONT, to the group where flag-timeout-killpg exists.
	doKillHard
	// doArm: the event kind what happens at due. One timer runs at most.
	doArm
	// doArmKill: killDue after timeout-kill, or after wait where that is
	// absent or 0; 0 there too: never.
	doArmKill
	// doArmFinish: finishDue after timeout-finish, 5 s where absent, 0: never.
	doArmFinish
	// doDisarm: no timer runs.
	doDisarm
	// doRecordDeath: the death goes into the tally, as far as max-death-tally
	// has room.
	doRecordDeath
	// createDown, removeDown: the file down.
	doCreateDown
	doRemoveDown
	// doReleaseStdio: the supervisor's stdin and stdout become /dev/null.
	doReleaseStdio
	// doTryStart: run is started; the answer is an event.
	doTryStart
	// doTryFinish: finish is started; the answer is an event.
	doTryFinish
	// doWarn: text goes to the log.
	doWarn
	// doLeave: the supervisor ends.
	doLeave
)

// action is one thing to do. Those with an answer are the last of their turn.
type action struct {
	kind actionKind
	sig  syscall.Signal // send, sendGroup
	text string         // notify, warn
	what eventKind      // arm
	due  time.Time      // arm
	wait time.Duration  // armKill
}

// String is the form in which tests compare actions.
func (a action) String() string {
	switch a.kind {
	case doPublish:
		return "publish"
	case doShowNote:
		return "note"
	case doNotify:
		return "notify " + a.text
	case doSend:
		return fmt.Sprintf("send %d", int(a.sig))
	case doSendGroup:
		return fmt.Sprintf("send group %d", int(a.sig))
	case doSendDownSignal:
		return "send down-signal"
	case doSendReloadSignal:
		return "send reload-signal"
	case doKillHard:
		return "kill"
	case doArm:
		return "arm " + a.what.String()
	case doArmKill:
		return "arm timeout-kill"
	case doArmFinish:
		return "arm timeout-finish"
	case doDisarm:
		return "disarm"
	case doRecordDeath:
		return "tally"
	case doCreateDown:
		return "create down"
	case doRemoveDown:
		return "remove down"
	case doReleaseStdio:
		return "release stdio"
	case doTryStart:
		return "start"
	case doTryFinish:
		return "start finish"
	case doWarn:
		return "warn"
	case doLeave:
		return "leave"
	default:
		return "unknown action"
	}
}
