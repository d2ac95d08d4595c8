package servicemanager

import (
	"syscall"
	"time"
)

// Defaults of a Spec, the same on every manager.
const (
	DefaultStopTimeout     = 10 * time.Second
	DefaultRestartDelay    = time.Second
	DefaultRestartMaxDelay = 5 * time.Minute
	DefaultLogFiles        = 10
	DefaultLogBytes        = 1_000_000
)

// Spec describes a service. Only Name and Command are required; the zero value
// of every other field means the documented default, the same on every
// manager. A field that a manager cannot honour is a *SpecError when the
// service is registered or installed; nothing is silently ignored.
type Spec struct {
	// Name is the service's name on the manager; see ValidName.
	Name string
	// Description is one line for people. Default: none.
	Description string

	// Command is the argv, executed as it is, never through a shell's
	// parsing. A Command[0] without a slash is looked up in the PATH of the
	// caller and stored absolute; one with a relative path is taken from the
	// caller's working directory.
	Command []string
	// Env is added to the manager's own environment. Values reach the
	// process byte for byte; they are stored readable by the service's
	// supervisor only and never appear in an argv.
	Env map[string]string
	// EnvFile is an absolute path, read at every start: lines KEY=VALUE, the
	// value verbatim to the end of the line, blank lines and lines that
	// begin with # ignored. Env wins over it. The file must not be readable
	// by others. Default: none.
	EnvFile string
	// Dir is the working directory, absolute. Default: "/".
	Dir string
	// User is the account to run as: a name, a name:group, uid or uid:gid.
	// Default: the account the supervisor runs as.
	User string
	// Limits are resource limits set before the program starts.
	Limits Limits

	// Down registers the service without starting it. It is a wish of the
	// moment, not part of what the service is: Ensure does not compare it.
	// Whether such a service is Enabled is the manager's nature: under s6 it
	// is not, elsewhere Boot decides.
	Down bool
	// Boot says whether the manager starts the service by itself when the
	// machine or the manager starts. Default: BootAuto.
	Boot BootPolicy
	// After names services that are started before this one and stopped
	// after it. Default: none.
	After []string

	// Restart says after which deaths the service is started again. Deaths
	// that Stop or Restart asked for never count. Default: RestartAlways.
	Restart RestartPolicy
	// RestartDelay is the pause before the first restart, doubled with every
	// death up to RestartMaxDelay, reset after 60 s up. Defaults: 1 s, 5 min.
	RestartDelay    time.Duration
	RestartMaxDelay time.Duration
	// FatalExitCodes are exit codes (1-255) after which the service has
	// failed and is not started again. Default: none.
	FatalExitCodes []int

	// StopSignal asks the process to end. Default: SIGTERM.
	StopSignal syscall.Signal
	// StopTimeout is how long the process may take to end before SIGKILL.
	// Default: 10 s.
	StopTimeout time.Duration

	// Ready says how the program announces readiness. Default: ReadyNone,
	// it is ready as soon as it is up.
	Ready ReadyMode
	// ReadyFD is for programs written for s6: the descriptor on which they
	// write a newline when ready. 0 means none; 1 and 2 are refused. Use it
	// instead of Ready, not with it.
	ReadyFD int

	// Log says where the output goes.
	Log LogSpec
}

// Limits are resource limits of the process (setrlimit(2)); 0 leaves the
// manager's own.
type Limits struct {
	NoFile uint64 // RLIMIT_NOFILE, soft and hard
}

// RestartPolicy says after which deaths a service is started again.
type RestartPolicy int

// The restart policies.
const (
	RestartAlways    RestartPolicy = iota // after every death
	RestartOnFailure                      // unless it exited 0
	RestartNever                          // after none
)

// String returns the word the command uses: "always", "on-failure", "never".
func (p RestartPolicy) String() string {
	switch p {
	case RestartAlways:
		return "always"
	case RestartOnFailure:
		return "on-failure"
	case RestartNever:
		return "never"
	default:
		return "unknown policy"
	}
}

// BootPolicy says whether a service starts by itself.
type BootPolicy int

// The boot policies.
const (
	BootAuto   BootPolicy = iota // started by the manager
	BootManual                   // started on request only
)

// ReadyMode says how a program announces that it is ready.
type ReadyMode int

// The ways to announce readiness.
const (
	ReadyNone   ReadyMode = iota // ready as soon as it is up
	ReadyNotify                  // by package notify, or the manager's own protocol
)

// LogSpec says where a service's output goes.
type LogSpec struct {
	// Dir is the log directory, absolute. Default: none, the output goes
	// where the manager's own output goes (or its journal).
	Dir string
	// MaxFiles is the number of rotated files kept. Default: 10.
	MaxFiles int
	// MaxBytes is the size in bytes at which the current file is rotated,
	// 4096 to 268435455. Default: 1,000,000.
	MaxBytes int64
	// Timestamps is what each line is prefixed with. Default: TimestampISO.
	Timestamps Timestamps
	// Tee also passes each line, unstamped, to the manager's own output.
	Tee bool
}

// Timestamps is the form of the stamps in a log.
type Timestamps int

// The forms of stamps.
const (
	TimestampISO  Timestamps = iota // 2006-01-02 15:04:05.000000000, local time
	TimestampTAI                    // @ and 24 hex digits, TAI64N
	TimestampNone                   // lines as they are written
)
