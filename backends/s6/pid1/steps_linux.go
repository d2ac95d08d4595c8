package pid1

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// steps are those of the boot or of the end, one after the other.
type steps struct {
	left    []Step
	now     Step // while pid is not absent
	pid     int
	began   time.Time
	timeout *time.Timer
	late    bool // it was killed
	last    bool // these are those of the end
}

func newSteps(boot []Step) steps {
	return steps{left: slices.Clone(boot), timeout: stoppedTimer()}
}

// booting says whether a step of the boot is under way, or the program waits for
// services. Nobody else is there then
// whom a signal could be for.
func (i *initProcess) booting() bool {
	return i.steps.pid != absent && !i.steps.last || i.reports.waiting
}

// nextStep starts the next step; after the last one of the boot begins what it
// was for.
func (i *initProcess) nextStep() {
	s := &i.steps
	s.pid = absent
	s.timeout.Stop()
	if len(s.left) == 0 {
		if !s.last && !i.stopping {
			i.begun()
		}
		return
	}
	s.now, s.left = s.left[0], s.left[1:]
	s.pid, s.late, s.began = starting, false, time.Now()
	step := s.now
	if step.Timeout > 0 {
		s.timeout.Reset(step.Timeout)
	}
	if s.last {
		step.Command = append(slices.Clone(step.Command), strconv.Itoa(i.status()))
	}
	apart(func() {
		settle()
		pid, err := i.startStep(step)
		i.started <- start{who: theStep, pid: pid, err: err}
	})
}

func (i *initProcess) startStep(step Step) (int, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	attr := &syscall.SysProcAttr{Setpgid: true}
	if step.AsProgram {
		attr.Credential = i.credential()
	}
	return i.forkIn("/", i.sideEnv(), step.Command[0], step.Command, attr, null.Fd(), 2, 2)
}

func (i *initProcess) stepStarted(s start) {
	i.steps.pid = s.pid
	switch {
	case s.err != nil:
		i.steps.pid = absent
		i.stepFailed(fmt.Sprintf("cannot be run: %v", s.err))
		i.nextStep()
	case i.steps.late: // meanwhile
		i.passTo(s.pid, syscall.SIGKILL, true)
	case i.stopping && !i.steps.last:
		i.tellStep()
	}
}

func (i *initProcess) stepDied(status syscall.WaitStatus) {
	s := &i.steps
	s.pid = absent
	took := time.Since(s.began).Round(time.Millisecond)
	switch {
	case s.late:
		i.stepFailed(fmt.Sprintf("was killed after %v", took))
	case status != 0:
		i.stepFailed(fmt.Sprintf("failed after %v: %s", took, describe(status)))
	default:
		i.o.log(1, fmt.Sprintf("%s took %v", s.now.Name, took))
	}
	i.nextStep()
}

// stepFailed stops the boot, unless it may go on without.
func (i *initProcess) stepFailed(how string) {
	s := &i.steps
	text := s.now.Name + " " + how
	if s.last || s.now.MayFail || i.stopping {
		level := 0
		if s.now.Quiet {
			level = 1
		}
		i.o.log(level, text)
		return
	}
	s.left = nil
	i.program = absent
	i.fail(ExitOwn, fmt.Errorf("%w: %s", ErrStep, text))
	i.stop("a step of the boot failed")
}

func (i *initProcess) stepLate() {
	i.steps.late = true
	i.passTo(i.steps.pid, syscall.SIGKILL, true)
}

// endBoot has a boot end that is under way. The program has never been there,
// and its exit code is that of one whom the signal killed.
func (i *initProcess) endBoot() {
	if !i.booting() {
		return
	}
	i.steps.left = nil
	i.program = absent
	i.dropWaiting()
	if len(i.o.Command) > 0 {
		i.decide(128 + int(syscall.SIGTERM))
	}
	i.tellStep()
}

func (i *initProcess) tellStep() {
	i.passTo(i.steps.pid, syscall.SIGTERM, true)
	i.passTo(i.steps.pid, syscall.SIGCONT, true)
}

// killStep kills a step that does not end. Those of the end have the time that
// is left for all.
func (i *initProcess) killStep(now time.Time) {
	if i.steps.pid == absent || i.steps.last && now.Before(i.deadline) || i.o.Grace == 0 && now.Before(i.deadline) {
		return
	}
	i.steps.left = nil
	i.stepLate()
}

// finish begins the steps of the end, once, and says whether one runs.
func (i *initProcess) finish() bool {
	s := &i.steps
	if s.last || i.resting || i.givenUp || !time.Now().Before(i.deadline) {
		return s.pid != absent
	}
	s.last, s.left = true, slices.Clone(i.o.FinishSteps)
	i.nextStep()
	if s.pid != absent {
		i.killAt(i.deadline)
	}
	return s.pid != absent
}
