package tinicmd

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalOf knows the names that tini knows.
func signalOf(name string) (syscall.Signal, bool) {
	sig := unix.SignalNum(name)
	unknown := []string{"SIGIO", "SIGIOT", "SIGPOLL", "SIGCLD", "SIGPWR", "SIGSTKFLT"}
	return sig, sig != 0 && !slices.Contains(unknown, name)
}

// endWithParent has this process get a signal when its parent ends. The kernel
// forgets that with the thread that asked for it, which therefore stays until end.
// Source: prctl(2), PR_SET_PDEATHSIG.
func endWithParent(sig syscall.Signal) (end func(), err error) {
	asked, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		asked <- unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(sig), 0, 0, 0)
		<-done
	}()
	if err := <-asked; err != nil {
		close(done)
		return nil, fmt.Errorf("-p %v: %w", sig, err)
	}
	return func() { close(done) }, nil
}
