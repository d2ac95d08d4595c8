// Package superdir is a service directory as its supervisor has it: the lock and
// the control FIFO in supervise/, the listeners in event/, and the files that
// tell others of the service. It is the Files and the Store of internal/supervise.
//
// What it makes, in which order and with which modes, is what s6-supervise makes
// (s6 src/supervision/s6-supervise.c); our own are supervise/instance and
// supervise/note. No link is ever followed.
package superdir

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
)

var (
	// ErrRunning means that a supervisor, of s6 or of ours, has the directory.
	ErrRunning = errors.New("another instance of a supervisor is already running")
	// ErrUnfit means that something in the directory is not as a supervisor
	// needs it. The message says what to do.
	ErrUnfit = errors.New("cannot be used by a supervisor")
)

// NoGroup is a Config.Group that no group is meant by.
const NoGroup = -1

// Config is how a directory is taken.
type Config struct {
	// Group is the gid whose members may use s6's tools on the service, or
	// NoGroup. It is for what is made anew: what is there keeps its rights,
	// as s6-svperms has set them.
	Group int
	// Warn takes what is wrong but keeps nobody from supervising; nil: nobody
	// is told.
	Warn func(text string)
}

// Dir is a service directory that is held. It has three descriptors. Its methods
// are called by one goroutine at a time, ReadControl by another.
type Dir struct {
	dir       *fsat.Dir
	lockFD    int
	controlFD int
	spoken    bool // there is a status of ours
}

// Names of the directories.
const (
	eventDir     = "event"
	superviseDir = "supervise"
)

// Open takes a service directory. dir is owned from then on, also on error.
//
// Errors: ErrRunning, ErrUnfit, and what the file system says.
func Open(dir *fsat.Dir, cfg Config) (*Dir, error) {
	d := &Dir{dir: dir, lockFD: -1, controlFD: -1}
	if err := d.open(cfg); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Dir) open(cfg Config) error {
	modes := private
	if cfg.Group != NoGroup {
		modes = shared
	}
	event, err := subdirectory(d.dir, eventDir, modes.event, cfg.Group)
	if err != nil {
		return err
	}
	defer event.Close()
	sup, err := subdirectory(d.dir, superviseDir, modes.supervise, cfg.Group)
	if err != nil {
		return err
	}
	defer sup.Close()
	if err := trusted(sup); err != nil {
		return err
	}
	d.lockFD, err = lock.Take(sup, "lock", 0o644)
	if errors.Is(err, lock.ErrHeld) {
		return fmt.Errorf("%s: %w", d.dir.Path(), ErrRunning)
	}
	if err != nil {
		return err
	}
	if err := fitControl(sup); err != nil {
		return err
	}
	if d.controlFD, err = control.Listen(sup, controlFile, modes.control, cfg.Group); err != nil {
		return err
	}
	if err := fifodir.Clean(event); err != nil && cfg.Warn != nil {
		cfg.Warn(fmt.Sprintf("old listeners could not be removed: %v", err))
	}
	return nil
}

// Dir is the service directory.
func (d *Dir) Dir() *fsat.Dir { return d.dir }

// LockFD is supervise/lock, for processes that are being made.
func (d *Dir) LockFD() int { return d.lockFD }

// ControlFD is supervise/control: it does not block and never ends.
func (d *Dir) ControlFD() int { return d.controlFD }

// ReadControl reads commands that wait, and returns how many bytes; it does not
// wait.
func (d *Dir) ReadControl(buf []byte) int {
	for {
		n, err := unix.Read(d.controlFD, buf)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0)
		}
	}
}

// Close gives the directory back: first the FIFO, which clients try, then the
// lock.
func (d *Dir) Close() error {
	var errs []error
	if d.controlFD >= 0 {
		errs = append(errs, unix.Close(d.controlFD))
	}
	if d.lockFD >= 0 {
		errs = append(errs, unlock(d.lockFD), unix.Close(d.lockFD))
	}
	d.controlFD, d.lockFD = -1, -1
	return errors.Join(append(errs, d.dir.Close())...)
}

// unlock gives the lock back at once. Closing alone would leave it to a process
// that is being made just now, until that has executed its program.
func unlock(fd int) error {
	whole := unix.Flock_t{Type: unix.F_UNLCK}
	return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &whole)
}
