package reaper

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNoPidfd = errors.New("the kernel gave no pidfd for a new process, which cannot be watched without: Linux 5.4 is needed")

// Start executes a program, and returns when that has succeeded. Errors of the
// execution match those of package fs: ErrNotExist also where it is the
// interpreter that is missing. It cannot be cancelled, and takes as long as it
// takes to read the program: this may be for ever, if it is on a file system
// that hangs.
func (r *Reaper) Start(spec Spec) (*Process, error) {
	if r.unfit != nil {
		return nil, r.unfit
	}
	if len(spec.Args) == 0 {
		return nil, &fs.PathError{Op: "execute", Path: spec.Path, Err: errors.New("its argv is empty")}
	}
	if spec.Dir < 0 {
		dir, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: ".", Err: err}
		}
		defer unix.Close(dir)
		spec.Dir = dir
	}
	missing := touch(spec.Dir, spec.Path)
	c, err := r.forks.do(&spec)
	switch {
	case errors.Is(err, unix.ENOENT) && missing != "":
		return nil, fmt.Errorf("execute %s: its interpreter %s: %w", spec.Path, missing, err)
	case err != nil:
		return nil, err
	case c.pidfd < 0:
		c.end()
		return nil, errNoPidfd
	}
	ticks, err := Ticks(c.pid)
	if err != nil {
		ticks = 0 // it can be watched, but not be found again later
	}
	p, err := r.track(c.pid, c.pidfd, ticks, true, spec.Exited)
	if err != nil {
		c.end()
		unix.Close(c.pidfd)
		return nil, err
	}
	return p, nil
}

// end kills a child that cannot be watched, and reaps it.
func (c *child) end() {
	_ = unix.Kill(-c.pid, unix.SIGKILL) // our child, not reaped: the id is its own
	for {
		_, err := syscall.Wait4(c.pid, nil, 0, nil)
		if !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// child is a process that was just made.
type child struct {
	pid   int
	pidfd int // -1: the kernel gave none
}

// forkExec makes a process. The thread's working directory and mask are its.
func forkExec(spec *Spec, dir string) (child, error) {
	attr := syscall.ProcAttr{Dir: dir, Env: spec.Env, Files: make([]uintptr, len(spec.Files))}
	if attr.Env == nil {
		attr.Env = os.Environ()
	}
	for i, fd := range spec.Files {
		attr.Files[i] = uintptr(fd) // -1 means closed there, too
	}
	c := child{pidfd: -1}
	attr.Sys = &syscall.SysProcAttr{Setsid: true, PidFD: &c.pidfd}
	pid, err := syscall.ForkExec(spec.Path, spec.Args, &attr)
	if err != nil {
		return c, &fs.PathError{Op: "execute", Path: spec.Path, Err: err}
	}
	c.pid = pid
	return c, nil
}

// closeOnExec marks all descriptors that the starter of this program has left
// open: Go marks all others.
func closeOnExec() {
	if unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Before Linux 5.11. The table is looked through as far as a starter
	// reasonably goes.
	for fd := 3; fd < 1<<12; fd++ {
		unix.CloseOnExec(fd)
	}
}
