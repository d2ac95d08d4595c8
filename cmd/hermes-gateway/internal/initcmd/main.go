package initcmd

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
)

// Main runs an init, and returns its exit code. args are the words after "init",
// signals those that were taken since the process began.
func Main(args []string, signals <-chan os.Signal, stdout io.Writer) int {
	o, err := parse(args, os.Getenv)
	if err == nil && o.help {
		_, _ = io.WriteString(stdout, Help)
		return 0
	}
	keepRunning()
	log := newLogger(o.verbosity, os.Stderr)
	defer log.close()
	var opts pid1.Options
	if err == nil {
		opts, err = o.forPid1()
	}
	if err != nil {
		log.log(0, err.Error())
		return pid1.ExitOwn
	}
	if len(opts.Command) == 0 && len(opts.Tree) == 0 {
		log.log(0, "there is neither a COMMAND nor a scan directory: name one of them; "+seeHelp)
		return pid1.ExitOwn
	}
	opts.Signals, opts.Log = signals, log.log
	code, err := pid1.Run(opts)
	if err != nil {
		log.log(0, err.Error())
	}
	return code
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
	opts.BootSteps, opts.FinishSteps, err = o.hooks.steps()
	return opts, err
}
