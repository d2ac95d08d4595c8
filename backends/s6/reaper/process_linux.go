package reaper

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
)

// task is a process that is watched. It outlives its handle where it is a child
// of ours.
type task struct {
	r     *Reaper
	pid   int
	ticks uint64

	// mu guards what follows. It is held while the process is reaped and
	// while it is signalled, so that its id cannot become another's between
	// the look and the signal.
	mu    sync.Mutex
	fd    int      // its pidfd, owned by the mux; -1: dead, or no longer watched
	owner *Process // nil: nobody is told
	watch *mux.Watch
	grace *mux.Watch // the time limit for its parent to reap it; nil: not running
}

// Process is a handle of a process, started or adopted.
type Process struct {
	t *task
	// mu is held while exited runs.
	mu     sync.Mutex
	exited func(Exit) // nil: called, or released
}

// PID is the process id.
func (p *Process) PID() int { return p.t.pid }

// Ticks is when the process was started, see [Ticks]; 0 where /proc does not
// tell.
func (p *Process) Ticks() uint64 { return p.t.ticks }

// Signal sends a signal to the process. When it has been reaped, and after
// Release, the error is os.ErrProcessDone.
func (p *Process) Signal(sig syscall.Signal) error { return p.signal(sig, false) }

// SignalGroup sends a signal to all processes of the group that this process
// leads. When it has been reaped, and after Release, the error is
// os.ErrProcessDone.
//
// Before Linux 6.9, and only for a process that is not our child, the group is
// found by its id: if its parent reaps it and the whole group ends within the
// microsecond between the look and the signal, the id may be another's.
func (p *Process) SignalGroup(sig syscall.Signal) error { return p.signal(sig, true) }

// signalGroup is PIDFD_SIGNAL_PROCESS_GROUP of linux/pidfd.h (Linux 6.9), which
// golang.org/x/sys does not have.
const signalGroup = 1 << 2

func (p *Process) signal(sig syscall.Signal, group bool) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 || t.owner != p {
		return os.ErrProcessDone
	}
	if !group {
		return signalled(sendSignal(t.fd, sig, 0))
	}
	err := sendSignal(t.fd, sig, signalGroup)
	if !errors.Is(err, unix.EINVAL) {
		return signalled(err)
	}
	if err := sendSignal(t.fd, 0, 0); err != nil && !errors.Is(err, unix.EPERM) {
		return signalled(err) // somebody else has reaped it
	}
	return signalled(unix.Kill(-t.pid, sig))
}

func signalled(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", err)
}

// Release gives up the handle: exited is not running and will not be called any
// more. The process lives on, and if it is a child of ours it is reaped when it
// ends. Release is called any number of times, but not by exited, nor under a
// lock that exited takes.
func (p *Process) Release() {
	p.mu.Lock()
	p.exited = nil
	p.mu.Unlock()

	t := p.t
	t.mu.Lock()
	if t.fd < 0 || t.owner != p {
		t.mu.Unlock()
		return
	}
	t.owner = nil
	// Where orphans come to us, an adopted process may have become our child.
	if !errors.Is(waitable(t.fd), unix.ECHILD) {
		t.r.remember(t)
		t.mu.Unlock()
		return
	}
	t.fd = -1
	watch, grace := t.watch, t.grace
	t.mu.Unlock()
	watch.Remove()
	if grace != nil {
		grace.Remove()
	}
}

// tell calls exited, unless the handle was released.
func (p *Process) tell(e Exit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exited != nil {
		p.exited(e)
	}
	p.exited = nil
}

// track begins to watch a process. On error the pidfd stays the caller's.
func (r *Reaper) track(pid, fd int, ticks uint64, child bool, exited func(Exit)) (*Process, error) {
	t := &task{r: r, pid: pid, ticks: ticks, fd: fd}
	p := &Process{t: t, exited: exited}
	t.owner = p
	t.mu.Lock() // its end is not looked at before it is complete
	defer t.mu.Unlock()
	if child {
		r.remember(t)
	}
	w, err := r.mux.Own(fd, t.ready)
	if err != nil {
		t.fd = -1
		r.forget(t)
		return nil, err
	}
	t.watch = w
	return p, nil
}
