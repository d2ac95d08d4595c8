package pid1

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// A tree that dies is started again after a pause that doubles, from the first to
// the last; one that has lived for long enough had nothing wrong with it.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
	longLife   = time.Minute
	// manyDeaths in a row end an init that has nothing but the tree.
	manyDeaths = 10
	// final is the exit code of a tree that it is of no use to start again.
	final = 100
)

type treeTries struct {
	began  time.Time
	deaths int // in a row
	pause  time.Duration
}

// next is how long to wait after another death.
func (t *treeTries) next(now time.Time) time.Duration {
	if now.Sub(t.began) >= longLife {
		t.deaths, t.pause = 0, 0
	}
	t.deaths++
	t.pause = min(max(2*t.pause, firstPause), lastPause)
	return t.pause
}

// spawnTrees starts a tree each time it is asked to. It keeps its thread: the
// tree gets TERM when that ends.
func (i *initProcess) spawnTrees() {
	runtime.LockOSThread()
	settle()
	for {
		select {
		case <-i.treeSpawn:
			pid, reports, err := i.startTree()
			i.started <- start{who: theTree, pid: pid, err: err, reports: reports}
		case <-i.stopAll:
			return
		}
	}
}

func (i *initProcess) spawnTree() {
	if i.stopping {
		return
	}
	i.tree = starting
	i.trees.began = time.Now()
	i.treeSpawn <- struct{}{}
}

func (i *initProcess) treeStarted(s start) {
	i.tree = s.pid
	if s.err == nil {
		i.reports.ready, i.reports.pipe = false, s.reports
		go i.readReports(s.pid, s.reports)
	}
	switch {
	case s.err != nil:
		i.tree = absent
		i.treeFailed(fmt.Sprintf("cannot be started: %v", s.err))
	case i.stopping: // meanwhile
		i.passTo(i.tree, syscall.SIGTERM, false)
	}
}

func (i *initProcess) treeDied(status syscall.WaitStatus) {
	i.tree, i.reports.ready = absent, false
	switch {
	case i.stopping:
		i.o.log(1, "the supervision tree has ended: "+describe(status))
	case status.Exited() && status.ExitStatus() == 0 && len(i.o.Command) == 0: // somebody told it to end
		i.stop("the supervision tree has ended")
	case status.Exited() && status.ExitStatus() == final:
		i.o.log(0, "the supervision tree cannot run; its own message says why")
		switch {
		case len(i.o.Command) == 0:
			i.fail(ExitOwn, ErrTree)
			i.stop("there is no supervision tree")
		case i.reports.waiting:
			i.unready("there is no supervision tree")
			if i.reports.waiting {
				i.waitedEnough()
			}
		}
	default:
		i.treeFailed("died: " + describe(status))
	}
}

func (i *initProcess) treeFailed(how string) {
	pause := i.trees.next(time.Now())
	if len(i.o.Command) == 0 && i.trees.deaths >= manyDeaths {
		i.o.log(0, fmt.Sprintf("the supervision tree %s; that was the %dth time in a row", how, i.trees.deaths))
		i.fail(ExitOwn, ErrTree)
		i.stop("there is no supervision tree")
		return
	}
	i.o.log(0, fmt.Sprintf("the supervision tree %s; it is started again in %v, and its services live on", how, pause))
	i.retry.Reset(pause)
}
