// Package lock asks who holds the locks of the s6 protocol, and takes them for
// supervisors of ours. Asking never takes one: taking, even for an instant,
// could make a starting supervisor believe that it is the second.
package lock

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// State is what the kernel tells of a lock.
type State struct {
	// Held says that somebody has it.
	Held bool
	// PID is who, or 0 where that cannot be known: a process of another pid
	// namespace, or a lock that belongs to no process.
	PID int
	// OpenFile says that it belongs to an open file and not to a process.
	// Supervisors of ours take such locks, s6-supervise and s6-svscan never do.
	OpenFile bool
	// Silent says that a supervisor of ours has only just begun: what there is
	// to read is from the one before. See [Speak].
	Silent bool
}

// Query asks who holds the lock name, a whole-file write lock as s6-supervise
// and s6-svscan take it (skalibs src/libstddjb/fd_lock.c). A file that does not
// exist is a lock that nobody holds.
//
// A process never sees its own POSIX locks here.
func Query(d *fsat.Dir, name string) (State, error) {
	fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	defer unix.Close(fd)
	query := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &query); err != nil {
		return State{}, &fs.PathError{Op: "query lock", Path: d.Path(name), Err: err}
	}
	if query.Type == unix.F_UNLCK {
		return State{}, nil
	}
	st := State{Held: true, PID: max(int(query.Pid), 0), OpenFile: query.Pid == -1}
	st.Silent = st.OpenFile && query.Start == 0 && query.Len == 0
	return st, nil
}

// Holder is Query for those who need no more than the process.
func Holder(d *fsat.Dir, name string) (held bool, pid int, err error) {
	st, err := Query(d, name)
	return st.Held, st.PID, err
}
