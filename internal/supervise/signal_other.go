//go:build !unix

package supervise

import "syscall"

// Signals that this system does not have; 0 is sent to nobody.
const (
	sigUSR1  syscall.Signal = 0
	sigUSR2  syscall.Signal = 0
	sigWINCH syscall.Signal = 0
	sigSTOP  syscall.Signal = 0
	sigCONT  syscall.Signal = 0
)
