package pid1

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
)

// rtmin3 asks an init to stop, as systemd has it.
const rtmin3 = syscall.Signal(34 + 3)

// take obeys a signal.
func (i *initProcess) take(s os.Signal) {
	sig, ok := s.(syscall.Signal)
	if !ok {
		return
	}
	if to, listed := i.o.Rewrite[sig]; listed {
		if to == 0 {
			return
		}
		sig = to
	}
	switch {
	case sig == syscall.SIGPIPE || sig == syscall.SIGTTIN || sig == syscall.SIGTTOU:
	case len(i.o.Command) == 0:
		i.takeAlone(sig)
	default:
		i.tellProgram(sig)
		if i.stops(sig) {
			i.asked(sig)
		}
	}
}

// stops says whether a signal begins the end. Where nothing is to be stopped but
// a program that is never killed, all it means is for the program to know.
func (i *initProcess) stops(sig syscall.Signal) bool {
	if i.booting() && (sig == syscall.SIGINT || sig == syscall.SIGQUIT || sig == syscall.SIGTERM) {
		return true
	}
	if len(i.o.Tree) == 0 && i.o.Grace == 0 {
		return false
	}
	if i.stopping && sig == syscall.SIGINT {
		return true
	}
	return sig == syscall.SIGTERM || sig == syscall.SIGPWR || sig == rtmin3 || slices.Contains(i.o.StopSignals, sig)
}

// takeAlone obeys where there is no program.
func (i *initProcess) takeAlone(sig syscall.Signal) {
	switch {
	case sig == syscall.SIGHUP || sig == syscall.SIGALRM:
		i.tellTree(sig)
	case slices.Contains([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPWR, syscall.SIGUSR1, syscall.SIGUSR2, rtmin3}, sig),
		slices.Contains(i.o.StopSignals, sig):
		i.asked(sig)
	}
}

// tellProgram is pass, for one that is still being started as well.
func (i *initProcess) tellProgram(sig syscall.Signal) {
	if i.program == starting { // it gets them when it is there
		i.pending = append(i.pending, sig)
	}
	i.pass(sig)
}

// pass sends a signal to the program, if it is still there.
func (i *initProcess) pass(sig syscall.Signal) { i.passTo(i.program, sig, i.o.Group) }

func (i *initProcess) passTo(pid int, sig syscall.Signal, group bool) {
	if pid <= 0 {
		return
	}
	if err := i.kids.signal(pid, sig, group); err != nil && !errors.Is(err, os.ErrProcessDone) {
		i.o.log(1, fmt.Sprintf("%v cannot be sent to process %d: %v", sig, pid, err))
	}
}
