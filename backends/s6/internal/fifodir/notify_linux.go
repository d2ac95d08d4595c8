package fifodir

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// Notify writes events to every listener in one write each, so that they come
// together. A FIFO that nobody reads is removed; a listener whose FIFO is full
// misses these events, as the protocol says. The error is that of the
// directory, never a listener's.
func Notify(dir *fsat.Dir, events []byte) error { return each(dir, events) }

// Clean removes the FIFOs that nobody reads, without an event: what a
// supervisor does before its first one.
func Clean(dir *fsat.Dir) error { return each(dir, nil) }

func each(dir *fsat.Dir, events []byte) error {
	names, err := dir.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, prefix) && len(name) == NameLen {
			notifyOne(dir, name, events)
		}
	}
	return nil
}

func notifyOne(dir *fsat.Dir, name string, events []byte) {
	fd, err := dir.OpenFD(name, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ENXIO) {
		_ = dir.Remove(name)
		return
	}
	if err != nil {
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if len(events) == 0 || unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return
	}
	if _, err := unix.Write(fd, events); errors.Is(err, unix.EPIPE) {
		_ = dir.Remove(name)
	}
}
