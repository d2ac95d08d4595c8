package procs

import (
	"bytes"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// child is supervise.Child.
type child struct {
	process *reaper.Process
	exit    chan supervise.Exit
	ready   chan bool // nil: it announces no readiness
	pipe    int       // where it does; -1: closed
	watch   *mux.Watch
	heard   bool // the pipe has said what it has to; guarded by the watch
}

// Adopt takes a process that is there already. Errors are those of
// reaper.Adopt.
func Adopt(r *reaper.Reaper, pid int, ticks uint64) (supervise.Child, error) {
	c := &child{exit: make(chan supervise.Exit, 1), pipe: -1}
	var err error
	c.process, err = r.Adopt(pid, ticks, c.exited)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *child) exited(e reaper.Exit) {
	c.exit <- supervise.Exit{Wait: uint16(e.Status), Unknown: e.Unknown}
}

func (c *child) PID() int                    { return c.process.PID() }
func (c *child) Ticks() uint64               { return c.process.Ticks() }
func (c *child) Exit() <-chan supervise.Exit { return c.exit }
func (c *child) Ready() <-chan bool          { return c.ready }

func (c *child) Signal(sig syscall.Signal, group bool) error {
	if group {
		return c.process.SignalGroup(sig)
	}
	return c.process.Signal(sig)
}

// Release ends the watching.
func (c *child) Release() {
	c.CloseReady()
	c.process.Release()
}

// listen makes the pipe for readiness and watches it until the first newline or
// the end. It returns the end for the process; as long as that is held here,
// too, there is no end to see.
func (c *child) listen(m *mux.Mux) (write int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, os.NewSyscallError("pipe2", err)
	}
	// The process's end blocks, as a pipe from s6 does.
	if err = unix.SetNonblock(p[0], true); err == nil {
		c.pipe, c.ready = p[0], make(chan bool, 1)
		c.watch, err = m.Add(p[0], func(uint32) bool { c.hear(); return !c.heard })
	}
	if err != nil {
		unix.Close(p[0])
		unix.Close(p[1])
		return -1, err
	}
	return p[1], nil
}

// hear reads once, and returns how much.
func (c *child) hear() int {
	var buf [512]byte
	n, err := unix.Read(c.pipe, buf[:])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return 0
	case err != nil || n == 0:
		c.tell(false)
	case bytes.IndexByte(buf[:n], '\n') >= 0:
		c.tell(true)
	}
	return max(n, 0)
}

func (c *child) tell(line bool) {
	c.heard = true
	c.ready <- line
}

// CloseReady closes the pipe. What was written into it before is heard.
func (c *child) CloseReady() {
	if c.pipe < 0 {
		return
	}
	c.watch.Remove()
	// Not more than there is now (TIOCINQ is FIONREAD): whoever goes on writing
	// cannot hold us up.
	there, err := unix.IoctlGetInt(c.pipe, unix.TIOCINQ)
	for err == nil && there > 0 && !c.heard {
		n := c.hear()
		if n == 0 {
			break
		}
		there -= n
	}
	unix.Close(c.pipe)
	c.pipe = -1
}
