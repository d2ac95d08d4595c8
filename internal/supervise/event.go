package supervise

import (
	"time"
)

// eventKind is a column of s6-supervise's table, one for everything that can
// happen to a service.
type eventKind uint8

// Commands, in the order of the string commands.
const (
	cmdALRM eventKind = iota
	cmdABRT
	cmdQUIT
	cmdHUP
	cmdKILL
	cmdTERM
	cmdINT
	cmdUSR1
	cmdUSR2
	cmdWINCH
	cmdPause
	cmdResume
	cmdPauseGroup
	cmdResumeGroup
	cmdKillGroup
	cmdDownSignal
	cmdReloadSignal
	cmdOnce
	cmdDown
	cmdUp
	cmdDownFile
	cmdUpFile
	cmdExit
	cmdAtMostOnce
	cmdStayDownFile

	// Signals that s6-supervise takes.
	supTERM
	supHUP
	supQUIT
	supINT

	// What the processes do.
	runDied
	finishDied
	readyLine
	readyEOF

	// Timers.
	restartDue
	backoffDue
	retryDue
	killDue
	finishDue

	// Answers to the actions tryStart and tryFinish.
	runStarted
	startFailed
	runAdopted
	finishAdopted
	finishStarted
	finishMissing

	numEvents
)

// commands are the bytes of supervise/control that mean something.
const commands = "abqhkti12ypcPCKrloduDUxOQ"

// commandEvent returns the event of a command byte; every other byte means
// nothing, as in s6.
func commandEvent(b byte) (eventKind, bool) {
	for i := range len(commands) {
		if commands[i] == b {
			return eventKind(i), true
		}
	}
	return 0, false
}

// event is one thing that happens.
type event struct {
	kind eventKind
	at   time.Time // wall clock and monotonic

	exit      Exit      // runDied, finishDied
	pid       int       // runStarted, finishStarted
	announces bool      // runStarted: a newline will tell that it is ready
	pace      pace      // finishDied, finishMissing: the file backoff
	problem   string    // startFailed
	retry     bool      // startFailed: worth another try by itself
	found     *Survivor // runAdopted, finishAdopted
}

// pace is the content of the file backoff; zero where there is none.
type pace struct{ base, cap time.Duration }

// String returns the name used in the documentation.
func (k eventKind) String() string {
	if int(k) < len(commands) {
		return "command `" + commands[k:k+1] + "`"
	}
	switch k {
	case supTERM:
		return "supervisor gets TERM"
	case supHUP:
		return "supervisor gets HUP"
	case supQUIT:
		return "supervisor gets QUIT"
	case supINT:
		return "supervisor gets INT"
	case runDied:
		return "run dies"
	case finishDied:
		return "finish dies"
	case readyLine:
		return "readiness newline"
	case readyEOF:
		return "readiness pipe closed"
	case restartDue:
		return "restart delay over"
	case backoffDue:
		return "backoff over"
	case retryDue:
		return "retry due"
	case killDue:
		return "timeout-kill expires"
	case finishDue:
		return "timeout-finish expires"
	case runStarted:
		return "run started"
	case startFailed:
		return "run not started"
	case runAdopted:
		return "run found alive"
	case finishAdopted:
		return "finish found alive"
	case finishStarted:
		return "finish started"
	case finishMissing:
		return "no finish"
	default:
		return "unknown event"
	}
}
