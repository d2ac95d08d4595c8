package initcmd

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
)

const initName = "hermes-gateway init"

// Main runs an init, and returns its exit code. args are the words after "init",
// signals those that were taken since the process began.
func Main(args []string, signals <-chan os.Signal, stdout io.Writer) int {
	return runInit(args, os.Getenv, false, signals, stdout)
}

func runInit(args []string, getenv func(string) string, past bool, signals <-chan os.Signal, stdout io.Writer) int {
	o, err := parse(args, getenv)
	o.past.called = past
	if err == nil && o.help {
		_, _ = io.WriteString(stdout, Help)
		return 0
	}
	keepRunning()
	log := newLogger(initName, o.verbosity, os.Stderr)
	defer log.close()
	var opts pid1.Options
	if err == nil {
		opts, err = o.forPid1()
		o.warnOfPast(os.Environ(), log.log)
	}
	if err != nil {
		log.log(0, err.Error())
		return pid1.ExitOwn
	}
	if len(opts.Command) == 0 && len(opts.Tree) == 0 {
		log.log(0, "there is neither a COMMAND nor a scan directory: name one of them; "+seeHelp)
		return pid1.ExitOwn
	}
	opts.Signals = signals
	code, _ := runWith(log, opts)
	return code
}

// Run runs another kind of init than Main with what every init needs, and returns
// what package pid1 does. name is what messages begin with; orphans has them tell of
// each that is reaped.
func Run(name string, verbosity int, orphans bool, opts pid1.Options) (int, error) {
	keepRunning()
	log := newLogger(name, verbosity, os.Stderr)
	defer log.close()
	if orphans {
		opts.Orphan = func(pid int) { log.log(0, fmt.Sprintf("reaped orphan %d", pid)) }
	}
	return runWith(log, opts)
}

func runWith(log *logger, opts pid1.Options) (int, error) {
	opts.Log = log.log
	code, err := pid1.Run(opts)
	if err != nil {
		log.log(0, err.Error())
	}
	return code, err
}

// Go's collector of garbage stops all threads, and one that executes a program
// from a file system that hangs cannot be stopped: so there are processors for the
// others, and nothing is collected while memory is small. It hardly grows.
const (
	processors = 4
	smallSize  = 12 << 20
)

func keepRunning() {
	runtime.GOMAXPROCS(processors)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(smallSize)
}

func (o *options) forPid1() (pid1.Options, error) {
	opts := pid1.Options{
		Command: o.command, Rewrite: o.rewrite, StopSignals: o.stopSignals, Group: o.group,
		Grace: o.grace, StopWithin: o.stopWithin, Status: o.status, NoNewPrivs: o.noNewPrivs,
		WaitReady: o.waitReady, ReadyWithin: o.readyWithin, UnreadyMayFail: o.hooks.goOn,
	}
	if o.verbosity > 0 {
		opts.NameWaited = time.Second
	}
	var err error
	if opts.Tree, err = o.tree(); err != nil {
		return opts, err
	}
	if err := o.become(&opts); err != nil {
		return opts, err
	}
	if os.Getenv("LISTEN_PID") != "" { // else there is nobody to find, as without /proc
		if opts.ListenRelay, err = program("exec-listening"); err != nil {
			return opts, err
		}
	}
	opts.SideEnv = sideEnvironment(opts.Env)
	if opts.BootSteps, opts.FinishSteps, err = o.hooks.steps(); err != nil {
		return opts, err
	}
	return opts, o.ofPast(&opts)
}
