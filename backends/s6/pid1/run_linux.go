package pid1

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1/intake"
	"golang.org/x/sys/unix"
)

// A program or a tree is one of these, or has a pid.
const (
	absent   = 0
	starting = -1
)

// initProcess is what Run knows. Only its loop touches it.
type initProcess struct {
	o    Options
	env  []string
	kids *children

	program, tree int
	steps         steps
	started       chan start // what has been started, or not
	ours          bool       // the terminal was, so it is the program's
	pending       []syscall.Signal
	unclaimed     map[int]syscall.WaitStatus // died before the loop knew their number

	trees     treeTries
	retry     *time.Timer // when the tree is started again
	treeSpawn chan struct{}
	reports   reports

	code    int
	decided bool // the first failure has it
	err     error

	stopping bool
	resting  bool // the program and the tree have ended; now the rest
	asks     int  // somebody asked for it
	hurried  int
	deadline time.Time   // of all
	waited   *time.Timer // when they are named again
	grace    time.Time   // of the program
	treeEnd  time.Time   // of the tree
	kill     *time.Timer // when who should have ended is killed
	killTime time.Time   // the same
	late     bool        // the rest was
	givenUp  bool        // and did not end
	stopAll  chan struct{}
}

type start struct {
	who     who
	pid     int
	err     error
	reports *os.File // of a tree
}

// who is what a start is about.
type who uint8

const (
	theProgram who = iota
	theTree
	theStep
)

// Run runs the program, and the tree beside it, until everything has ended, and
// returns the exit code for this process. The error says what Run itself failed
// of. It is for the main package of a process that does nothing else: it reaps
// every child of the process, and moves it to the root directory.
//
// Source: the requirements are those that tini, dumb-init and s6-svscan meet
// together; signal(7), credentials(7), prctl(2) PR_SET_CHILD_SUBREAPER,
// pid_namespaces(7).
func Run(o Options) (int, error) {
	if len(o.Command) == 0 && len(o.Tree) == 0 {
		return ExitOwn, ErrNothing
	}
	if o.StopWithin == 0 {
		o.StopWithin = defaultStopWithin
	}
	i := &initProcess{
		o: o, env: o.Env, kids: newChildren(o.Orphan),
		started: make(chan start, 3), treeSpawn: make(chan struct{}, 1), stopAll: make(chan struct{}),
		retry: stoppedTimer(), kill: stoppedTimer(), waited: stoppedTimer(), unclaimed: map[int]syscall.WaitStatus{},
		steps: newSteps(o.BootSteps), reports: newReports(),
	}
	if i.env == nil {
		i.env = Environment()
	}
	if err := pidfds(); err != nil {
		return ExitOwn, err
	}
	signals := o.Signals
	if signals == nil {
		c := intake.Take()
		defer signal.Stop(c)
		signals = c
	}
	if !isFirst() {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			o.log(0, fmt.Sprintf("what a child leaves behind goes to another: this is not PID 1, and it cannot be a subreaper: %v", err))
		}
	}
	defer close(i.stopAll)
	go i.kids.reap()
	defer close(i.kids.stop)
	i.begin()
	i.loop(signals)
	if i.reports.pipe != nil {
		i.reports.pipe.Close()
	}
	return i.status(), i.err
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// begin starts the first step, or where there is none all that there is.
func (i *initProcess) begin() {
	if len(i.o.Command) > 0 {
		i.program = starting // signals are kept for it
	}
	i.nextStep()
}

// begun starts what there is, after the boot. No start is waited for, as an exec
// may hang.
func (i *initProcess) begun() {
	if len(i.o.Tree) > 0 {
		go i.spawnTrees()
		i.spawnTree()
	}
	switch {
	case len(i.o.Command) == 0:
	case len(i.o.Tree) > 0 && i.o.WaitReady:
		i.waitReady()
	default:
		i.beginProgram()
	}
}

func (i *initProcess) beginProgram() {
	i.ours = ownsTerminal()
	apart(func() {
		settle()
		pid, err := i.startProgram(i.ours)
		i.started <- start{who: theProgram, pid: pid, err: err}
	})
}

func (i *initProcess) loop(signals <-chan os.Signal) {
	for !i.over() {
		select {
		case s := <-signals:
			i.take(s)
		case s := <-i.started:
			i.hasStarted(s)
		case d := <-i.kids.deaths:
			i.hasDied(d)
		case <-i.retry.C:
			i.spawnTree()
		case <-i.kill.C:
			i.killLate()
		case <-i.waited.C:
			i.nameWaited()
		case <-i.steps.timeout.C:
			i.stepLate()
		case t := <-i.reports.lines:
			i.hear(t)
		case <-i.reports.late.C:
			i.lateReady()
		case <-i.kids.none: // over looks
		}
	}
}

func (i *initProcess) hasStarted(s start) {
	switch s.who {
	case theProgram:
		i.programStarted(s)
	case theTree:
		i.treeStarted(s)
	case theStep:
		i.stepStarted(s)
	}
	if status, dead := i.unclaimed[s.pid]; dead && s.err == nil {
		delete(i.unclaimed, s.pid)
		i.hasDied(death{s.pid, status})
	}
}

func (i *initProcess) programStarted(s start) {
	i.program = s.pid
	_ = os.Chdir("/") // holds up no mount; where it cannot, no harm is done
	if s.err != nil {
		i.program = absent
		i.fail(i.exitOf(s.err), s.err)
		if i.ours { // it may have had the terminal
			i.takeTerminalBack()
		}
		i.stop("there is no program")
	}
	for _, sig := range i.pending {
		i.pass(sig)
	}
	i.pending = nil
}

func (i *initProcess) hasDied(d death) {
	switch d.pid {
	case i.program:
		i.program = absent
		i.o.log(1, fmt.Sprintf("the program has ended: %s", describe(d.status)))
		i.decide(codeOf(d.status))
		if i.ours {
			i.takeTerminalBack()
		}
		i.stop("the program has ended")
	case i.tree:
		i.treeDied(d.status)
	case i.steps.pid:
		i.stepDied(d.status)
	default:
		i.unclaimed[d.pid] = d.status
	}
}

// takeTerminalBack is done before anything is printed.
func (i *initProcess) takeTerminalBack() {
	done := make(chan struct{})
	apart(func() {
		defer close(done)
		takeTerminal()
	})
	<-done
}

// decide fixes the exit code, if nothing has yet.
func (i *initProcess) decide(code int) {
	if !i.decided {
		i.code, i.decided = code, true
	}
}

func (i *initProcess) fail(code int, err error) {
	i.decide(code)
	if i.err == nil {
		i.err = err
	}
}

func (i *initProcess) status() int {
	if to, ok := i.o.Status[i.code]; ok && i.err == nil {
		return to
	}
	return i.code
}

func codeOf(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return fmt.Sprintf("killed by %v", status.Signal())
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}
