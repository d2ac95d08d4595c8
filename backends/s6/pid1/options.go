package pid1

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// The exit codes of an init that could not run its program, as of env(1).
const (
	ExitOwn       = 125
	ExitCannotRun = 126
	ExitNotFound  = 127
)

// TreeReports is the descriptor on which a tree reports.
const TreeReports = 3

// Errors of Run; the exit code that comes with them is the init's.
var (
	// ErrNothing says that there is neither a program nor a tree to run.
	ErrNothing = errors.New("nothing to run")
	// ErrTree says that the tree cannot run and that there was nothing else.
	ErrTree = errors.New("the supervision tree cannot run")
	// ErrStep says that a step of the boot failed.
	ErrStep = errors.New("boot stopped")
)

// Options say what to run and how to end it.
type Options struct {
	// Command is the argv of the main program. Empty: there is none, and the
	// tree is all there is.
	Command []string
	// Env is the environment of the program and of the tree, entry by entry as
	// it shall be; nil: that which this process was started with, to the byte.
	Env []string
	// SideEnv is that of the tree and of all steps; nil: the same as Env.
	SideEnv []string
	// Tree is the argv of the supervision tree, whose first word is the path of
	// the executable. Empty: there is none. It must end when it gets TERM,
	// rescan on HUP, and exit 100 when it is of no use to start it again. On
	// descriptor TreeReports it writes the lines of svscan.Options.Report; until
	// the line ready, HUP and ALRM wait.
	Tree []string
	// WaitReady has the program wait until all services of the tree are ready:
	// one that is given up, or ReadyWithin, fails the boot, unless UnreadyMayFail
	// says that the program is started nevertheless.
	WaitReady      bool
	ReadyWithin    time.Duration // 0: for ever
	UnreadyMayFail bool

	// BootSteps are run one after the other before the tree and the program
	// begin, and FinishSteps when both have ended, with the exit code as their
	// last argument. What a FinishStep does changes that code no more.
	BootSteps, FinishSteps []Step

	// ListenRelay is the argv of a program that sets LISTEN_PID to its own number,
	// where it names this process, and becomes the program: its first word after
	// these is the path, the others are the argv (sd_listen_fds(3)). Empty: the
	// variable stays as it is.
	ListenRelay []string
	// Signals are those that were taken since the process began, see package
	// intake; nil: Run takes them itself.
	Signals <-chan os.Signal
	// Rewrite has other signals than those that come; 0 drops one.
	Rewrite map[syscall.Signal]syscall.Signal
	// StopSignals are those that begin the end, next to TERM, PWR and RTMIN+3.
	StopSignals []syscall.Signal
	// Group has signals go to the process group of the program.
	Group bool

	// Grace is how long the program, and in the end everything that is left, may
	// take after TERM; 0: the program is never killed.
	Grace time.Duration
	// TreeGrace is how long the tree may take to stop its services before it is
	// killed, and these are dealt with as whoever else is left; 0: as long as
	// StopWithin.
	TreeGrace time.Duration
	// StopWithin bounds the whole end; 0 means 9 s, below what container
	// engines give by default.
	StopWithin time.Duration
	// NameWaited is after what time, again and again, the log names at level 1 whom
	// the end waits for; 0: never.
	NameWaited time.Duration
	// Status has other exit codes than those of the program.
	Status map[int]int

	// Identity is who the program and the tree run as; nil: as this process.
	Identity *Identity
	// NoNewPrivs keeps the program and the tree from ever gaining privileges.
	NoNewPrivs bool

	// Log takes what happens, one line each: level 0 is what went wrong, higher
	// ones tell more. It must not block; nil drops all.
	Log func(level int, text string)
	// Orphan takes the number of each process that was reaped and not started by
	// Run. It is called from another goroutine, and must not block; nil drops all.
	Orphan func(pid int)
}

// Step is a program that is run to its end, in the root directory, with nothing
// to read, and with standard error for all that it prints: standard output is
// the main program's.
type Step struct {
	// Name is how messages call it.
	Name string
	// Command is its argv; the first word is a path.
	Command []string
	// AsProgram has it run as Options.Identity; otherwise as this process.
	AsProgram bool
	// Timeout is after what time it is killed, with its process group; 0: never.
	Timeout time.Duration
	// MayFail has the boot go on when it fails. A FinishStep always may.
	MayFail bool
	// Quiet has a failure that it may have told as little as a success.
	Quiet bool
}

// Identity is who a process is to be, all of it.
type Identity struct {
	UID, GID uint32
	Groups   []uint32 // all supplementary ones
}

// defaultStopWithin is below docker's ten seconds.
const defaultStopWithin = 9 * time.Second

func (o *Options) log(level int, text string) {
	if o.Log != nil {
		o.Log(level, text)
	}
}
