package supervise

import "time"

// Status is the record that s6-supervise keeps of its service, field by field
// (s6 src/libs6/s6_svstatus_pack.c).
type Status struct {
	Stamp      time.Time // when run was last started or died, or the supervisor began
	ReadyStamp time.Time // when it last became ready, or was last completely down
	PID        int       // of run; of finish while Finishing; 0 when there is neither
	Wait       uint16    // wait status of the last run that ended, see [Exit]; 0 before
	Paused     bool      // run was stopped; with no process: nothing was ever started
	Finishing  bool      // run has ended, finish is at work
	WantUp     bool      // run is started again when it ends
	Ready      bool      // the last transition, up or down, is complete
}

// Note is what the record has no room for. The zero value is: nothing to say.
type Note struct {
	Adopted   bool      // the process outlived its first supervisor
	Backoff   bool      // the next start waits for its backoff
	Failed    bool      // given up; Problem says why
	NextStart time.Time // the next start, where Backoff or a retry is waited for
	Problem   string    // one line, what needs attention
}

// WaitUnknown is the wait status of a run whose end nobody saw. It is none that
// a process can have: real s6 tools show it as neither exited nor killed.
const WaitUnknown = 0xffff

// Exit is how a process ended. The zero value is exit code 0.
type Exit struct {
	// Wait holds the low 16 bits of the wait status: the exit code in the
	// upper byte, or the number of the signal in the lower seven bits.
	Wait uint16
	// Unknown: it ended and nobody can tell how. Wait means nothing.
	Unknown bool
}

// Exited returns the [Exit] of a process that ended with an exit code.
func Exited(code int) Exit { return Exit{Wait: uint16(code&0xff) << 8} }

// Killed returns the [Exit] of a process that a signal killed.
func Killed(signal int) Exit { return Exit{Wait: uint16(signal & 0x7f)} }

// Status is the wait status to keep: Wait, or [WaitUnknown].
func (e Exit) Status() uint16 {
	if e.Unknown {
		return WaitUnknown
	}
	return e.Wait
}

// Code is what finish is told: the exit code, 256 for a death by signal or an
// unknown one.
func (e Exit) Code() int {
	if e.Unknown || e.Signal() != 0 {
		return 256
	}
	return int(e.Wait >> 8)
}

// Signal is the number of the signal that killed it, 0 for none or unknown.
func (e Exit) Signal() int {
	if e.Unknown {
		return 0
	}
	return int(e.Wait & 0x7f)
}

// exitOf is the reverse of Exit.Status.
func exitOf(wait uint16) Exit {
	if wait == WaitUnknown {
		return Exit{Unknown: true}
	}
	return Exit{Wait: wait}
}

// Death is an entry of the death tally.
type Death struct {
	At   time.Time
	Exit Exit
}

// Bytes are the last two bytes of the entry in supervise/death_tally: exit code
// and signal; 128+N and N for a death by signal N, 255 and 0 for an unknown
// one.
func (d Death) Bytes() (code, signal byte) {
	switch n := d.Exit.Signal(); {
	case d.Exit.Unknown:
		return 255, 0
	case n != 0:
		return byte(128 + n), byte(n)
	default:
		return byte(d.Exit.Code()), 0
	}
}
