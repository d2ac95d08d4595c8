package pid1

import (
	"fmt"
	"syscall"
	"time"
)

// The end: the program has had the signal, or has ended; the tree stops its
// services in order and ends; the last steps are run; then whoever is left is
// told to end. Each of these is over in the moment in which the last process that
// it is about has ended. One deadline holds for all.

// reapWithin is how long killed processes may take to end.
const reapWithin = time.Second

// asked is somebody's wish that the end begin. Who asks again is in a hurry.
func (i *initProcess) asked(sig syscall.Signal) {
	i.asks++
	if i.stopping && i.asks > 1 {
		i.hurry()
		return
	}
	i.stop(fmt.Sprintf("got %v", sig))
}

// stop begins the end. A second cause joins the first.
func (i *initProcess) stop(why string) {
	if i.stopping {
		return
	}
	i.o.log(2, "the end begins: "+why)
	i.stopping = true
	i.retry.Stop()
	now := time.Now()
	i.deadline = now.Add(i.o.StopWithin)
	i.passTo(i.tree, syscall.SIGTERM, false)
	i.endBoot()
	i.grace, i.treeEnd = i.graceEnd(now), i.deadline
	if i.o.TreeGrace > 0 && i.tree != absent {
		i.treeEnd = earlier(now.Add(i.o.TreeGrace), i.deadline)
	}
	i.killAt(earlier(i.grace, i.treeEnd))
	i.beginWaiting()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (i *initProcess) graceEnd(now time.Time) time.Time {
	end := now.Add(i.o.Grace)
	if i.o.Grace == 0 || end.After(i.deadline) {
		return i.deadline
	}
	return end
}

func (i *initProcess) killAt(at time.Time) {
	i.killTime = at
	i.kill.Reset(time.Until(at))
}

// hurry halves what time there is, for this step and for all, and the next time
// ends it.
func (i *initProcess) hurry() {
	now := time.Now()
	i.hurried++
	for _, at := range []*time.Time{&i.deadline, &i.killTime, &i.grace, &i.treeEnd} {
		if i.hurried > 1 {
			*at = now
		} else {
			*at = now.Add(at.Sub(now) / 2)
		}
	}
	i.o.log(1, fmt.Sprintf("asked again: %v are left", max(i.deadline.Sub(now), 0).Round(time.Millisecond)))
	if !i.late {
		i.killAt(i.killTime)
	}
}

// killLate kills who should have ended by now.
func (i *initProcess) killLate() {
	now := time.Now()
	switch {
	case i.resting && i.late: // killed, and not gone
		i.o.log(0, "some processes do not end even when killed; they are left to the kernel")
		i.givenUp = true
	case i.resting:
		i.o.log(1, "what is left is killed")
		signalRest(syscall.SIGKILL)
		i.late = true
		i.killAt(now.Add(reapWithin))
	default:
		if i.program > 0 && i.o.Grace > 0 && !now.Before(i.grace) {
			i.o.log(1, fmt.Sprintf("the program has not ended within %v, and is killed", i.o.Grace))
			i.pass(syscall.SIGKILL)
		}
		i.killStep(now)
		if i.tree > 0 && !now.Before(i.treeEnd) {
			i.o.log(0, "the supervision tree has not ended in time, and is killed")
			i.passTo(i.tree, syscall.SIGKILL, false)
			if len(i.o.Command) == 0 {
				i.decide(128 + int(syscall.SIGKILL))
			}
		}
		if now.Before(i.deadline) {
			i.killAt(i.nextKill(now))
			return
		}
		i.leaveUnborn()
	}
}

func (i *initProcess) nextKill(now time.Time) time.Time {
	next := i.deadline
	for _, at := range []time.Time{i.grace, i.treeEnd} {
		if now.Before(at) {
			next = earlier(at, next)
		}
	}
	return next
}

// leaveUnborn gives up what is being executed still, as from a file system that
// hangs: nobody can end it.
func (i *initProcess) leaveUnborn() {
	for _, pid := range []*int{&i.program, &i.tree, &i.steps.pid} {
		if *pid == starting {
			i.o.log(0, "a program has not been executed yet, and cannot be ended; it is left to the kernel")
			if pid == &i.program || len(i.o.Command) == 0 {
				i.decide(128 + int(syscall.SIGKILL))
			}
			*pid, i.givenUp = absent, true
			signalRest(syscall.SIGKILL)
		}
	}
}

// over takes the next step of the end where the one before is done, and says
// when there is none.
func (i *initProcess) over() bool {
	if !i.stopping || i.program != absent || i.tree != absent || i.steps.pid != absent || i.finish() {
		return false
	}
	if !i.resting {
		i.resting = true
		signalRest(syscall.SIGTERM, syscall.SIGCONT)
		i.killAt(i.graceEnd(time.Now()))
		if isFirst() && anybodyLeft() {
			go strangers(i.stopAll, i.kids.none)
		}
	}
	return i.givenUp || !anybodyLeft()
}
