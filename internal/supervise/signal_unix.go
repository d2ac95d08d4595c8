//go:build unix

package supervise

import "syscall"

// Signals that not every system has.
const (
	sigUSR1  = syscall.SIGUSR1
	sigUSR2  = syscall.SIGUSR2
	sigWINCH = syscall.SIGWINCH
	sigSTOP  = syscall.SIGSTOP
	sigCONT  = syscall.SIGCONT
)
