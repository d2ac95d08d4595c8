// Package reaper starts processes, tells when they are dead, and signals them
// without ever hitting another that got the same id. It also does so for
// processes it has not started.
//
// It needs Linux 5.4, for pidfds and for waiting for them. There is no
// goroutine and no thread per process.
package reaper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
)

// ErrGone means that there is no such process any more: none has the id, or
// another has it.
var ErrGone = errors.New("no such process any more")

// Spec is a process to start.
//
// It leads a new session and process group. Its signal mask is empty. The
// dispositions are the default ones but for what the starter of this program
// ignored and Go leaves so (HUP, INT, TSTP, TTIN, TTOU, CONT), as it is under
// s6. Its limits are those of this program; of open files, those it had when it
// began, unless it has set others since.
type Spec struct {
	// Path is the file to execute, relative to Dir. It is not looked up.
	Path string
	// Args is the whole argv, not empty.
	Args []string
	// Env is the environment; nil: that of the caller.
	Env []string
	// Dir is a descriptor of the working directory, for which O_PATH is
	// enough; -1: the caller's working directory.
	Dir int
	// Files[i] becomes descriptor i; -1: closed. Nothing else is inherited.
	// The descriptors stay the caller's.
	Files []int
	// Hold are descriptors that the process has until it has executed the
	// program, and not after: what belongs to their open files, such as a
	// lock, lasts until then, even if this program is killed meanwhile. They
	// are closed on execution here as well.
	Hold []int
	// Exited is called once, from Run, when the process is dead and reaped,
	// which may be before Start has returned. It must not block. It may be
	// nil.
	Exited func(Exit)
}

// Exit is how a process ended.
type Exit struct {
	// Status is the wait status, where it is known.
	Status syscall.WaitStatus
	// Unknown says that nobody can tell the status.
	Unknown bool
}

// Reaper starts and watches processes. Its methods may be called from any
// goroutine.
type Reaper struct {
	mux   *mux.Mux
	forks *forks
	unfit error // why no process can be watched here

	patience time.Duration // see the constant

	mu  sync.Mutex    // guards own; no other lock is taken under it
	own map[int]*task // by pid, our children that are not reaped
}

// New makes a reaper. Its owner calls Run, and Close in the end.
//
// From then on no child of this process inherits what its starter left open
// above descriptor 2.
func New() (*Reaper, error) {
	closeOnExec()
	m, err := mux.New()
	if err != nil {
		return nil, err
	}
	return &Reaper{mux: m, forks: newForks(), unfit: fitness(), patience: patience, own: map[int]*task{}}, nil
}

// fitness says what the system lacks.
func fitness() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("processes cannot be watched: pidfd_open: %w (it needs Linux 5.4, and a sandbox that allows it)", err)
	}
	defer unix.Close(fd)
	if err := sendSignal(fd, 0, 0); err != nil {
		return fmt.Errorf("processes cannot be watched: pidfd_send_signal: %w (it needs Linux 5.4, and a sandbox that allows it)", err)
	}
	// Nobody is a child of its own.
	if err := waitable(fd); !errors.Is(err, unix.ECHILD) {
		return fmt.Errorf("processes cannot be watched: waitid of a pidfd: %w (it needs Linux 5.4, and a sandbox that allows it)", err)
	}
	return nil
}

// Run reaps until ctx ends, and returns its cause.
func (r *Reaper) Run(ctx context.Context) error { return r.mux.Run(ctx) }

// Close frees what the reaper holds; the processes live on. It is called after
// Run has returned, and waits for calls of Start.
func (r *Reaper) Close() error {
	r.forks.close()
	return r.mux.Close()
}

// forget takes a child that was reaped out of the list. Its pid may be that of
// the next one by now.
func (r *Reaper) forget(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.own[t.pid] == t {
		delete(r.own, t.pid)
	}
}

func (r *Reaper) remember(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own[t.pid] = t
}

func (r *Reaper) child(pid int) *task {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.own[pid]
}
