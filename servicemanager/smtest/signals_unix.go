//go:build unix

package smtest

import "syscall"

// The signals that tell a program to go on.
const (
	sigTell     = syscall.SIGUSR1
	sigTellAlso = syscall.SIGUSR2
)

// kill sends a signal as kill(2) does.
func kill(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

// Signals that act on a process whether it handles them or not.
const (
	sigStop = syscall.SIGSTOP
	sigCont = syscall.SIGCONT
)

// harmless says whether the default action of a signal leaves the process
// alive.
func harmless(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		return true
	default:
		return false
	}
}
