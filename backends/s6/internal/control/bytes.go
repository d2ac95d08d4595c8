// Package control speaks to the control FIFOs of the s6 protocol: single bytes
// without framing or answer, to a supervisor (s6-supervise) or to a scanner
// (s6-svscan). Source: the pages s6-svc and s6-svscanctl of the s6
// documentation, src/supervision/s6-supervise.c.
package control

import "syscall"

// Commands of a supervisor.
const (
	Up          = 'u' // want up, start now
	Down        = 'd' // want down, send the down signal and SIGCONT, arm timeout-kill
	UpAndFile   = 'U' // remove the down file, then as Up (2.11.2)
	DownAndFile = 'D' // create the down file, then as Down (2.11.2)
	OnceAtMost  = 'O' // want down, but let the process be
	DownSignal  = 'r' // only the down signal: wanted state and timeout-kill untouched
	Continue    = 'c'
	Kill        = 'k'
	Exit        = 'x' // leave once the process is gone
)

// Commands of a scanner. A terminating command must never be sent together
// with Rescan: s6-svscan 2.15.1 then waits for ever.
const (
	Rescan = 'a'
	Nuke   = 'n' // end the supervisors of services that are gone
)

var signalBytes = map[syscall.Signal]byte{
	syscall.SIGALRM: 'a', syscall.SIGABRT: 'b', syscall.SIGQUIT: 'q', syscall.SIGHUP: 'h',
	syscall.SIGKILL: 'k', syscall.SIGTERM: 't', syscall.SIGINT: 'i',
}

// SignalByte returns the command that makes a supervisor send sig to its
// process; most signals have none.
func SignalByte(sig syscall.Signal) (byte, bool) {
	if b, ok := signalBytes[sig]; ok {
		return b, true
	}
	b, ok := unixSignalBytes[sig]
	return b, ok
}
