// Package fifodir subscribes to the events of a supervisor. Every listener
// makes a FIFO of its own in the event directory; the notifier writes each
// event to all of them and removes those that nobody reads any more. Source:
// s6 documentation, page fifodir; src/libs6/ftrig1_make.c, ftrigw_notifyb.c.
package fifodir

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// Events of a supervisor.
const (
	Supervised = 's' // ready to take commands, first status written
	Up         = 'u' // the process was spawned
	Ready      = 'U' // it announced readiness
	Died       = 'd' // it died, finish runs
	Down       = 'D' // finish is done
	GivenUp    = 'O' // permanent failure, directly before Down
	Exiting    = 'x' // the supervisor is about to exit; not sent when it is killed
)

// Name is the shape of a listener's FIFO: this prefix, 24 hex digits, a colon
// and six more characters. Notifiers ignore names of any other length.
const (
	prefix  = "ftrig1:@"
	NameLen = 39
)

// mode of a listener's FIFO: any supervisor may write, only we read.
const mode = 0o622

// Sub is a subscription. It is meant for one reader.
type Sub struct {
	dir  *fsat.Dir
	name string
	r, w *os.File
}

// Subscribe listens in an event directory. From its return on no event is
// missed; read the status afterwards, never before. The caller keeps dir open
// until Close.
func Subscribe(dir *fsat.Dir) (*Sub, error) {
	name := prefix + tai.Format(time.Now())[1:] + ":" + suffix()
	hidden := "." + name
	rfd, err := dir.Mkfifo(hidden, mode)
	if err != nil {
		if rfd == -1 && !errors.Is(err, os.ErrPermission) && !errors.Is(err, os.ErrNotExist) {
			_ = dir.Remove(hidden)
		}
		return nil, err
	}
	// A writer of our own keeps the FIFO from reporting its end between two
	// notifications.
	wfd, err := dir.OpenFD(hidden, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		unix.Close(rfd)
		return nil, errors.Join(err, dir.Remove(hidden))
	}
	s := &Sub{
		dir: dir, name: name,
		r: os.NewFile(uintptr(rfd), dir.Path(name)), w: os.NewFile(uintptr(wfd), dir.Path(name)),
	}
	if err := dir.Rename(hidden, name); err != nil {
		s.name = hidden
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Next waits for events and returns those that have come, at least one. It
// ends with the context's error when ctx ends and with os.ErrClosed after
// Close.
func (s *Sub) Next(ctx context.Context) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { s.r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 256)
	n, err := s.r.Read(buf)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return buf[:n], err
}

// Close ends the subscription and removes the FIFO.
func (s *Sub) Close() error {
	err := s.dir.Remove(s.name)
	if errors.Is(err, os.ErrNotExist) {
		err = nil // the service was removed, its event directory with it
	}
	return errors.Join(err, s.r.Close(), s.w.Close())
}

func suffix() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, 6)
	rand.Read(b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}
