package svscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// pipe connects a service to its logger. The tree holds both ends, so that it
// survives the restart of either; each is closed when the supervisor on its
// side has left for good.
type pipe struct {
	read, write int // -1: closed
}

func newPipe() (*pipe, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	return &pipe{read: p[0], write: p[1]}, nil
}

// closePipe closes the end of a supervisor that has left for good.
func (e *entry) closePipe(s *supervisor) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pipe == nil {
		return
	}
	fd := &e.pipe.write
	if s.logger {
		fd = &e.pipe.read
	}
	if *fd >= 0 {
		unix.Close(*fd)
		*fd = -1
	}
}

// addLogger gives an entry the logger in its directory, if there is one.
func (t *Tree) addLogger(e *entry) {
	st, err := e.dir.Stat("log")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK:
		err = errors.New("it is a link, which is never followed in a service directory; put the directory itself there")
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return
	case err == nil:
		err = trusted(&st, serviceDirectory)
	}
	if err == nil && t.count >= t.opts.Max {
		err = fmt.Errorf("there are %d services and loggers already, the most allowed; raise the limit (option -C)", t.count)
	}
	if err == nil {
		err = t.startLogger(e)
	}
	if err != nil {
		t.warnf("%s is not supervised, its service has no logger: %v", e.dir.Path("log"), err)
		return
	}
	t.count++
}

// startLogger supervises a logger: the one that the log process is, or log/run
// with a pipe from the service.
func (t *Tree) startLogger(e *entry) error {
	pooled, err := t.isPooled(e)
	if err != nil {
		return err
	}
	log := newSupervisor(e, e.name+"/log")
	log.logger, log.isPooled = true, pooled
	var p *pipe
	if !pooled {
		if p, err = newPipe(); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pipe, e.logger, e.log = p, log, log
	return nil
}

// isPooled says whether the log process is to write the log of a service.
func (t *Tree) isPooled(e *entry) (bool, error) {
	if t.pool == nil {
		return false, nil
	}
	dir, err := e.dir.Sub("log")
	if err != nil {
		return false, err
	}
	defer dir.Close()
	return dir.Exists("directives")
}

// stdio is where descriptors 0 and 1 of a process come from.
func (s *supervisor) stdio() (in, out int, done func(), err error) {
	t, e := s.entry.tree, s.entry
	in, out = t.stdin, t.stdout
	e.mu.Lock()
	pipe, logger := e.pipe, e.logger
	e.mu.Unlock()
	// An end of the pipe stays open as long as the supervisor on its side runs.
	switch {
	case pipe != nil && s.logger:
		in = pipe.read
	case pipe != nil:
		out = pipe.write
	case logger != nil && !s.logger:
		fd, err := logger.pooledInput()
		return in, fd, closeFD(fd), err
	}
	return in, out, func() {}, nil
}
