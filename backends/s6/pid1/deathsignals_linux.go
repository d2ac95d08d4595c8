package pid1

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deathSignals decides whether SIGCHLD is taken. Go's runtime takes every signal,
// so each death wakes a thread of it, and that costs more than to reap. While a
// wait blocks nobody needs the signal, and the kernel drops it where its action is
// the default one, which, unlike SIG_IGN, leaves the dead to be waited for.
//
// Source: wait(2), NOTES; signal(7); the runtime's handler is installed at the
// start of a program and by nothing later, runtime/signal_unix.go.
type deathSignals struct {
	handler kernelAction // the runtime's, while it is not installed
	dropped bool
}

// kernelAction has room for the kernel's struct sigaction. All zero it is SIG_DFL.
type kernelAction [4]uint64

// drop has the kernel drop the signal. Where it cannot, as where its sets of
// signals have another size, everything is as before but for the cost.
func (d *deathSignals) drop() {
	if !d.dropped {
		d.dropped = setAction(syscall.SIGCHLD, &kernelAction{}, &d.handler)
	}
}

// take has the signal taken again.
func (d *deathSignals) take() {
	if d.dropped {
		d.dropped = !setAction(syscall.SIGCHLD, &d.handler, nil)
	}
}

func setAction(sig syscall.Signal, action, before *kernelAction) bool {
	const sizeOfSet = 8
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(action)), uintptr(unsafe.Pointer(before)), sizeOfSet, 0, 0)
	return errno == 0
}
