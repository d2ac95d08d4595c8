package pid1

import (
	"golang.org/x/sys/unix"
)

// ownsTerminal says whether descriptor 0 is our terminal, and our process group
// the one that reads from it.
func ownsTerminal() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// takeTerminal makes our group that of the terminal again. The calling goroutine
// must own its thread.
func takeTerminal() {
	if BlockTTOU() == nil {
		_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, unix.Getpgrp()) // hung up, maybe
	}
}

// BlockTTOU lets the calling thread write to a terminal, and take it, that belongs
// to another process group: a handler would have the call tried for ever. Source:
// tcsetpgrp(3), termios(3) TOSTOP.
func BlockTTOU() error {
	var ttou unix.Sigset_t
	ttou.Val[0] = 1 << (unix.SIGTTOU - 1)
	return unix.PthreadSigmask(unix.SIG_BLOCK, &ttou, nil)
}
