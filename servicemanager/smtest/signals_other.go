//go:build !unix

package smtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// The signals that tell a program to go on. Only the fake can deliver them
// here.
const (
	sigTell     = syscall.Signal(10)
	sigTellAlso = syscall.Signal(12)
)

// kill knows SIGKILL, and 0, which asks whether the process exists.
func kill(pid int, sig syscall.Signal) error {
	if sig != 0 && sig != syscall.SIGKILL {
		return fmt.Errorf("kill with signal %d: %w", int(sig), errors.ErrUnsupported)
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }() // frees a handle; there is nothing to do about a failure
	if sig == 0 {
		return nil
	}
	return p.Kill()
}

// Signals that act on a process whether it handles them or not; 0 where there
// is none of the kind.
const (
	sigStop = syscall.Signal(0)
	sigCont = syscall.Signal(0)
)

// harmless says whether the default action of a signal leaves the process
// alive.
func harmless(syscall.Signal) bool { return false }
