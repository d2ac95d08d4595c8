package pid1

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// children is the one owner of wait: it reaps whatever dies, and tells of the
// few that somebody started here.
type children struct {
	deaths chan death    // of known ones; never more than there is room for
	none   chan struct{} // there was no child for a moment; ask again

	stop  chan struct{}
	begun chan struct{}

	signals deathSignals // reap's alone

	mu       sync.Mutex // held over each wait, never over a start
	known    map[int]bool
	starting int
	// early are the deaths of unknown ones while something is being started: one
	// of them may be its.
	early map[int]syscall.WaitStatus

	orphan func(pid int)
}

type death struct {
	pid    int
	status syscall.WaitStatus
}

// mostKnown is more than anybody starts at a time.
const mostKnown = 16

func newChildren(orphan func(pid int)) *children {
	if orphan == nil {
		orphan = func(int) {}
	}
	return &children{
		deaths: make(chan death, mostKnown),
		none:   make(chan struct{}, 1),
		stop:   make(chan struct{}),
		begun:  make(chan struct{}, 1),
		known:  map[int]bool{},
		early:  map[int]syscall.WaitStatus{},
		orphan: orphan,
	}
}

// reap works until stop and until the last child is dead. A wait that blocks
// costs less for each of many deaths than a signal through Go's runtime.
func (c *children) reap() {
	c.signals.drop()
	defer c.signals.take()
	for waits := 1; ; waits++ {
		switch err := anyDead(0); {
		case err == nil:
			c.drain()
			if waits%manyWaits == 0 {
				runtime.Gosched()
			}
		case errors.Is(err, unix.ECHILD):
			if !c.idle() {
				return
			}
		}
	}
}

// manyWaits is after how many of them this goroutine lets others run. Go's runtime
// looks every 20 µs at one that has not for 10 ms and calls the kernel all the time,
// and where deaths come fast that costs as much as to reap. Where they do not, it
// costs nothing to speak of. Source: runtime/proc.go, sysmon and retake.
const manyWaits = 32

// anyDead looks whether a child is dead, and leaves it so.
func anyDead(options int) error {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT|options, nil)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT|options, nil)
	}
	return err
}

func childless() bool { return errors.Is(anyDead(unix.WNOHANG), unix.ECHILD) }

// idle waits for a child where there is none: one that is started here, or an
// orphan, whose death is a signal.
func (c *children) idle() bool {
	c.signals.take()
	defer c.signals.drop()
	dead := make(chan os.Signal, 1)
	signal.Notify(dead, syscall.SIGCHLD)
	defer signal.Stop(dead)
	if !childless() {
		return true
	}
	select {
	case c.none <- struct{}{}:
	default:
	}
	select {
	case <-dead:
	case <-c.begun:
	case <-c.stop:
		return false
	}
	return true
}

func (c *children) drain() {
	for c.reapOne() {
	}
}

func (c *children) reapOne() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
	switch {
	case errors.Is(err, syscall.EINTR):
		return true
	case err != nil || pid == 0:
		return false
	case c.known[pid]:
		delete(c.known, pid)
		c.deaths <- death{pid, status}
	case c.starting > 0:
		c.early[pid] = status
	default:
		c.orphan(pid)
	}
	return true
}

// start makes a child known that start makes. Nobody waits for it meanwhile:
// an exec on a file system that hangs holds up no reaping.
func (c *children) start(start func() (pid, pidfd int, err error)) (int, error) {
	c.mu.Lock()
	c.starting++
	c.mu.Unlock()

	pid, pidfd, err := start()

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.starting--; c.starting == 0 {
		defer c.forget()
	}
	if err != nil {
		return 0, err
	}
	defer unix.Close(pidfd)
	status, early := c.early[pid]
	delete(c.early, pid)
	if early && gone(pidfd) {
		c.deaths <- death{pid, status}
		return pid, nil
	}
	c.known[pid] = true // an earlier one may have had the same number
	select {
	case c.begun <- struct{}{}:
	default:
	}
	return pid, nil
}

// forget gives up those who died early and were nobody's.
func (c *children) forget() {
	for pid := range c.early {
		c.orphan(pid)
	}
	clear(c.early)
}

// pidfds says why there are none, as on an old kernel or in a sandbox: without
// them a child that dies at once could not be told from one that lives.
func pidfds() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("pidfds are needed, Linux 5.4 has them: %w", err)
	}
	defer unix.Close(fd)
	err = unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if !errors.Is(err, unix.ECHILD) { // this process is not its own child
		return fmt.Errorf("waiting for pidfds is needed, Linux 5.4 can: %w", err)
	}
	return nil
}

// gone says whether a process has been reaped.
func gone(pidfd int) bool {
	return errors.Is(unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil), unix.ECHILD)
}

// signal sends to a child that has not been reaped, or to the group it leads.
func (c *children) signal(pid int, sig syscall.Signal, group bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.known[pid]:
		return os.ErrProcessDone
	case group:
		return syscall.Kill(-pid, sig)
	}
	return syscall.Kill(pid, sig)
}
