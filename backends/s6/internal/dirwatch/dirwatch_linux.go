// Package dirwatch tells when a file of a given name is renamed into a
// directory: how s6 replaces its status, and our own tree its note as well.
// Changes of the wanted state and pauses have no event in the event directory,
// only a new status file. One inotify instance serves any number of directories,
// as users have few of them.
package dirwatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

const mask = unix.IN_MOVED_TO | unix.IN_ONLYDIR

// Hub is one inotify instance and the goroutine that reads it.
type Hub struct {
	f    *os.File
	done chan struct{} // closed when the reader has ended

	mu      sync.Mutex // guards watches
	watches map[int32]map[*Watch]bool
}

// Watch is one listener on one name in one directory.
type Watch struct {
	// C receives after a change; several changes may come as one.
	C    <-chan struct{}
	c    chan struct{}
	wd   int32
	name string
	hub  *Hub
}

// New makes a hub. Its owner calls Close.
func New() (*Hub, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	h := &Hub{f: os.NewFile(uintptr(fd), "inotify"), done: make(chan struct{}), watches: map[int32]map[*Watch]bool{}}
	go h.read()
	return h, nil
}

// Close ends the hub and its goroutine; watches receive nothing more.
func (h *Hub) Close() error {
	err := h.f.Close()
	<-h.done
	return err
}

// Add listens on a directory, which the caller must be allowed to read, for new
// files called name. Other files are replaced there too, and before the one that
// matters: to look then is to see one without the other.
func (h *Hub) Add(d *fsat.Dir, name string) (*Watch, error) {
	h.mu.Lock() // an event must not be dispatched before its watch is in the map
	defer h.mu.Unlock()
	var wd int
	err := h.control(func(fd int) (err error) {
		wd, err = unix.InotifyAddWatch(fd, "/proc/self/fd/"+strconv.Itoa(d.FD()), mask)
		if errors.Is(err, unix.ENOENT) { // no /proc
			wd, err = unix.InotifyAddWatch(fd, d.Path(), mask|unix.IN_DONT_FOLLOW)
		}
		return err
	})
	if err != nil {
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	c := make(chan struct{}, 1)
	w := &Watch{C: c, c: c, wd: int32(wd), name: name, hub: h}
	if h.watches[w.wd] == nil {
		h.watches[w.wd] = map[*Watch]bool{}
	}
	h.watches[w.wd][w] = true
	return w, nil
}

// Close ends the watch.
func (w *Watch) Close() {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watches[w.wd], w)
	if len(h.watches[w.wd]) == 0 {
		delete(h.watches, w.wd)
		// It fails when the directory is gone already, and the watch with it.
		_ = h.control(func(fd int) error {
			_, err := unix.InotifyRmWatch(fd, uint32(w.wd))
			return err
		})
	}
}

// control keeps the descriptor from being closed and reused during the call.
func (h *Hub) control(call func(fd int) error) error {
	rc, err := h.f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := rc.Control(func(fd uintptr) { inner = call(int(fd)) }); err != nil {
		return err
	}
	return inner
}

func (h *Hub) read() {
	defer close(h.done)
	buf := make([]byte, 16<<10)
	for {
		n, err := h.f.Read(buf)
		if err != nil {
			return
		}
		h.dispatch(buf[:n])
	}
}

// dispatch walks struct inotify_event: wd, mask, cookie, len, name[len].
func (h *Hub) dispatch(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(b) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(b))
		flags := binary.NativeEndian.Uint32(b[4:])
		name := b[unix.SizeofInotifyEvent : unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))]
		b = b[unix.SizeofInotifyEvent+len(name):]
		switch {
		case flags&unix.IN_Q_OVERFLOW != 0:
			for _, set := range h.watches {
				tell(set, "")
			}
		case flags&unix.IN_IGNORED != 0: // the directory was removed
			tell(h.watches[wd], "")
		default:
			tell(h.watches[wd], string(bytes.TrimRight(name, "\x00")))
		}
	}
}

// tell wakes those that listen for a name; with none, all.
func tell(set map[*Watch]bool, name string) {
	for w := range set {
		if name != "" && name != w.name {
			continue
		}
		select {
		case w.c <- struct{}{}:
		default:
		}
	}
}
