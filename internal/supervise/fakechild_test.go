package supervise

import (
	"fmt"
	"syscall"
)

// fakeChild is a process that lives in memory and ends when it is told to.
type fakeChild struct {
	pid      int
	path     string
	args     []string
	exit     chan Exit
	ready    chan bool
	world    *fakeWorld
	dead     bool
	closed   bool // the readiness pipe
	released bool
	signals  []string
	onSignal func()
	refuse   error
	adopted  bool
}

func (c *fakeChild) PID() int           { return c.pid }
func (c *fakeChild) Ticks() uint64      { return uint64(c.pid) * 10 }
func (c *fakeChild) Exit() <-chan Exit  { return c.exit }
func (c *fakeChild) Ready() <-chan bool { return c.ready }

func (c *fakeChild) CloseReady() { c.closed = true }

func (c *fakeChild) Signal(sig syscall.Signal, group bool) error {
	if c.released {
		panic(fmt.Sprintf("signal %d to process %d, which was let go", sig, c.pid))
	}
	if c.refuse != nil {
		return c.refuse
	}
	if c.onSignal != nil {
		c.onSignal()
	}
	if c.world != nil {
		return c.world.signalled(c, sig, group)
	}
	return nil
}

func (c *fakeChild) Release() {
	if c.released {
		panic(fmt.Sprintf("process %d is let go twice", c.pid))
	}
	c.released = true
}
