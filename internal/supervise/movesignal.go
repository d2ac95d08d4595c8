package supervise

import "syscall"

// Signals that every system has a name for.
const (
	sigINT  = syscall.SIGINT
	sigKILL = syscall.SIGKILL
)

// signal passes a signal on.
func (t *turn) signal(m move) {
	switch m {
	case pass:
		t.add(action{kind: doSend, sig: signalOf(t.event.kind)})
	case passDownSignal:
		t.add(action{kind: doSendDownSignal})
	case passReloadSignal:
		t.add(action{kind: doSendReloadSignal})
	case killGroup:
		t.add(action{kind: doSendGroup, sig: sigKILL})
	case pause, pauseGroup:
		t.paused = true
		t.stopOrContinue(m == pauseGroup, sigSTOP)
	default:
		t.paused = false
		t.stopOrContinue(m == resumeGroup, sigCONT)
	}
}

func (t *turn) stopOrContinue(group bool, sig syscall.Signal) {
	kind := doSend
	if group {
		kind = doSendGroup
	}
	t.add(action{kind: kind, sig: sig})
	t.publish()
}

// signalOf is the signal that a command byte stands for.
func signalOf(k eventKind) syscall.Signal {
	switch k {
	case cmdALRM:
		return syscall.SIGALRM
	case cmdABRT:
		return syscall.SIGABRT
	case cmdQUIT:
		return syscall.SIGQUIT
	case cmdHUP:
		return syscall.SIGHUP
	case cmdKILL:
		return sigKILL
	case cmdTERM:
		return syscall.SIGTERM
	case cmdINT:
		return sigINT
	case cmdUSR1:
		return sigUSR1
	case cmdUSR2:
		return sigUSR2
	case cmdWINCH:
		return sigWINCH
	default:
		return 0
	}
}
