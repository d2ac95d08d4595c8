package reaper

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var (
	errWatched = errors.New("it is watched already")
	errNoPID   = errors.New("that is no process id")
	errNoTicks = errors.New("its start time was not recorded")
)

// Adopt watches a process by its id and by when it was started, see [Ticks]. It
// may be any process: one that is not our child, or a child that was released,
// whose exit status then is known still. That of others is known on Linux 6.15
// or newer, if their parent reaps them within a fifth of a second.
//
// exited is called as that of [Spec].
//
// ErrGone says for certain that it is not there any more; any other error,
// that this cannot be told: no usable /proc, no pidfd, or ticks that are 0.
func (r *Reaper) Adopt(pid int, ticks uint64, exited func(Exit)) (*Process, error) {
	p, err := r.adopt(pid, ticks, exited)
	if err != nil && !errors.Is(err, ErrGone) {
		return nil, fmt.Errorf("adopt process %d: %w", pid, err)
	}
	return p, err
}

func (r *Reaper) adopt(pid int, ticks uint64, exited func(Exit)) (*Process, error) {
	if r.unfit != nil {
		return nil, r.unfit
	}
	if pid <= 0 {
		return nil, errNoPID
	}
	if t := r.child(pid); t != nil {
		if p, err := t.handOver(ticks, exited); p != nil || err != nil {
			return p, err
		}
	}
	// First the descriptor, then the comparison: what the descriptor means
	// cannot change any more.
	fd, err := unix.PidfdOpen(pid, 0)
	switch {
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
		// The latter two, older and newer, when the id is that of a thread.
		return nil, ErrGone
	case err != nil:
		return nil, fmt.Errorf("pidfd_open: %w", err)
	}
	err = same(pid, fd, ticks)
	if err == nil {
		var p *Process
		child := !errors.Is(waitable(fd), unix.ECHILD)
		if p, err = r.track(pid, fd, ticks, child, exited); err == nil {
			return p, nil
		}
	}
	unix.Close(fd)
	return nil, err
}

// same says whether the process behind a pidfd was started at ticks.
func same(pid, fd int, ticks uint64) error {
	now, err := Ticks(pid)
	switch {
	case errors.Is(sendSignal(fd, 0, 0), unix.ESRCH):
		return ErrGone
	case err != nil:
		return err
	case ticks == 0:
		return errNoTicks
	case now != ticks:
		return ErrGone
	}
	return nil
}

// handOver gives a child that was released a new handle. Both results are nil
// when the child is dead by now.
func (t *task) handOver(ticks uint64, exited func(Exit)) (*Process, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.fd < 0:
		return nil, nil
	case ticks == 0 || t.ticks == 0:
		return nil, errNoTicks
	case t.ticks != ticks:
		return nil, ErrGone
	case t.owner != nil:
		return nil, errWatched
	}
	t.owner = &Process{t: t, exited: exited}
	return t.owner, nil
}
