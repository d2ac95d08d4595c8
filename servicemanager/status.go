package servicemanager

import (
	"syscall"
	"time"
)

// State is where a service is in its life. The words of String are stable.
type State int

const (
	// StateUnknown means: the truth cannot be told; Status.Problem says why.
	StateUnknown State = iota
	// StateDown means: no process, and none is wanted.
	StateDown
	// StateStarting means: wanted up, and not yet up and ready.
	StateStarting
	// StateUp means: the process exists, and is ready where it announces that.
	StateUp
	// StateStopping means: wanted down, the process still exists.
	StateStopping
	// StateFinishing means: the process is gone, its cleanup runs.
	StateFinishing
	// StateBackoff means: it died and the next start is waiting for its delay.
	StateBackoff
	// StateFailed means: the manager has given up; Status.Problem says why.
	StateFailed
)

// States returns all states, in the order of their numbers.
func States() []State {
	return []State{
		StateUnknown, StateDown, StateStarting, StateUp,
		StateStopping, StateFinishing, StateBackoff, StateFailed,
	}
}

// String returns the stable word for the state: "up", "down", ...
func (s State) String() string {
	switch s {
	case StateDown:
		return "down"
	case StateStarting:
		return "starting"
	case StateUp:
		return "up"
	case StateStopping:
		return "stopping"
	case StateFinishing:
		return "finishing"
	case StateBackoff:
		return "backoff"
	case StateFailed:
		return "failed"
	default:
		return "unknown"
	}
}

// Status is a snapshot of one service. It is a value: nothing in it changes
// after it was returned.
type Status struct {
	Name       string
	State      State
	WantUp     bool      // what the manager will try to reach
	Ready      bool      // up, and readiness announced where the service does that
	Enabled    bool      // comes up by itself when the manager starts
	Paused     bool      // stopped by the manager with SIGSTOP
	Adopted    bool      // the process outlived its first supervisor
	PID        int       // the service's own process; 0 when there is none
	Since      time.Time // entry into up or down; zero if unknown
	ReadySince time.Time // zero unless Ready and known
	Restarts   int       // deaths nobody asked for, as far back as the manager remembers
	LastExit   *Exit     // nil if it never exited or that is unknown
	Problem    string    // one line when something needs attention, else empty
}

// Running says whether the service has a process of its own.
func (s Status) Running() bool { return s.PID > 0 }

// Exit tells how a process ended.
type Exit struct {
	Code   int            // 0-255; meaningless when Signal is not 0
	Signal syscall.Signal // 0 if the process exited by itself
	At     time.Time      // zero if unknown
}

// String says it in words: "exit code 3", "signal SIGKILL".
func (e Exit) String() string {
	if e.Signal != 0 {
		return "signal " + SignalName(e.Signal)
	}
	return "exit code " + itoa(e.Code)
}
