//go:build unix

// Package intake takes the signals of a process as early as a Go program can. It
// imports next to nothing, so that a program's first package initialises it
// before anything slow: until then a TERM ends the program, even as PID 1.
package intake

import (
	"os"
	"os/signal"
	"syscall"
)

// depth is more than there are kinds of signals, so that a burst of all of them
// is not lost.
const depth = 256

// Take starts to take every signal that means something to an init, and drops
// none of them.
func Take() chan os.Signal {
	c := make(chan os.Signal, depth)
	signal.Notify(c, taken()...)
	return c
}

// last is the highest signal of Linux.
const last = 64

func taken() []os.Signal {
	var all []os.Signal
	for n := syscall.Signal(1); n <= last; n++ {
		switch n {
		case syscall.SIGKILL, syscall.SIGSTOP: // nobody can
		case syscall.SIGCHLD: // waited for without it
		case syscall.SIGURG, syscall.SIGPROF: // the runtime sends them to itself
		case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGSYS: // our own faults
		case 32, 33, 34: // a Go program cannot see them
		default:
			all = append(all, n)
		}
	}
	return all
}
