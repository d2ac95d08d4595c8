// Package mux calls functions when descriptors become readable: one epoll
// instance, which the runtime's poller watches, and one goroutine for all.
package mux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Next is what a ready of [Mux.Own] wants to hear of from now on.
type Next uint8

const (
	// Done ends the watch; the descriptor is closed.
	Done Next = iota
	// Readable waits for something to read, an error or a hangup.
	Readable
	// Hangup waits for an error or a hangup only.
	Hangup
)

// Mux watches descriptors.
type Mux struct {
	f *os.File // the epoll instance

	mu      sync.Mutex // guards what follows; no other lock is taken under it
	last    uint64     // the id given last; ids are never given twice
	watches map[uint64]*Watch
	closed  bool
}

// Watch is a descriptor that is watched.
type Watch struct {
	mux *Mux
	id  uint64
	// ready and what it reads are guarded by mu, which is held while ready
	// runs: so nobody can take the descriptor away from under it.
	mu      sync.Mutex
	ready   func(events uint32) Next // nil: removed
	fd      int32
	owned   bool
	waiting Next
}

// New makes a mux. Its owner calls Run, and Close in the end.
func New() (*Mux, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// os.NewFile gives only what does not block to the runtime's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return &Mux{f: os.NewFile(uintptr(fd), "epoll"), watches: map[uint64]*Watch{}}, nil
}

// Add calls ready whenever fd is readable, at its end or in error (level
// triggered). events are those of epoll. ready runs on Run's goroutine, may do
// so before Add has returned, must not block, and ends its own watch only by
// returning false; others it may add and remove. The descriptor stays the
// caller's, and open as long as the watch lasts.
func (m *Mux) Add(fd int, ready func(events uint32) (keep bool)) (*Watch, error) {
	return m.add(fd, false, func(events uint32) Next {
		if ready(events) {
			return Readable
		}
		return Done
	})
}

// Own is Add for a descriptor that the mux closes: when ready returns Done, in
// Remove or in Close. On error it stays the caller's.
func (m *Mux) Own(fd int, ready func(events uint32) Next) (*Watch, error) {
	return m.add(fd, true, ready)
}

func (m *Mux) add(fd int, owned bool, ready func(uint32) Next) (*Watch, error) {
	m.mu.Lock() // an event must find its watch in the map
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("watch descriptor %d: %w", fd, os.ErrClosed)
	}
	m.last++
	w := &Watch{mux: m, id: m.last, ready: ready, fd: int32(fd), owned: owned, waiting: Readable}
	if err := w.epoll(unix.EPOLL_CTL_ADD, unix.EPOLLIN); err != nil {
		return nil, fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	m.watches[w.id] = w
	return w, nil
}

// epoll changes the registration of a watch. Events carry the id instead of
// the descriptor, as that may mean another file by the time they are seen.
func (w *Watch) epoll(op int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(w.id)), Pad: int32(uint32(w.id >> 32))}
	rc, err := w.mux.f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := rc.Control(func(epfd uintptr) {
		inner = os.NewSyscallError("epoll_ctl", unix.EpollCtl(int(epfd), op, int(w.fd), &ev))
	}); err != nil {
		return err
	}
	return inner
}

// Remove ends the watch. When it returns, ready is not running and will not be
// called again, and the caller may close the descriptor. It is called any
// number of times, but not by ready itself, nor under a lock that ready takes.
func (w *Watch) Remove() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove()
}

func (w *Watch) remove() {
	if w.ready == nil {
		return
	}
	w.ready = nil
	// It cannot fail but for a closed mux, which watches nothing.
	_ = w.epoll(unix.EPOLL_CTL_DEL, 0)
	if w.owned {
		unix.Close(int(w.fd))
	}
	w.mux.mu.Lock()
	defer w.mux.mu.Unlock()
	delete(w.mux.watches, w.id)
}

// Run calls the handlers until ctx ends, and returns its cause. Another error
// means that the mux has failed. There is one Run at a time.
func (m *Mux) Run(ctx context.Context) error {
	if err := m.f.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		m.f.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() {
			<-ended // or it would end the next Run
		}
	}()
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := m.wait(events)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		for i := range events[:n] {
			m.dispatch(&events[i])
		}
	}
}

// wait returns what is ready, at least one, or an error of the deadline.
func (m *Mux) wait(events []unix.EpollEvent) (n int, err error) {
	rc, err := m.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var inner error
	err = rc.Read(func(epfd uintptr) bool {
		n, inner = unix.EpollWait(int(epfd), events, 0)
		if errors.Is(inner, unix.EINTR) {
			n, inner = 0, nil
		}
		// The runtime's poller waits for an edge. With nothing ready at this
		// moment there will be one.
		return n > 0 || inner != nil
	})
	if err != nil {
		return 0, err
	}
	return max(n, 0), os.NewSyscallError("epoll_wait", inner)
}

func (m *Mux) dispatch(ev *unix.EpollEvent) {
	m.mu.Lock()
	w := m.watches[uint64(uint32(ev.Fd))|uint64(uint32(ev.Pad))<<32]
	m.mu.Unlock()
	if w == nil {
		return // removed since
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ready == nil {
		return
	}
	next := w.ready(ev.Events)
	switch {
	case next == Done:
		w.remove()
	case next != w.waiting:
		w.waiting = next
		interest := uint32(0)
		if next == Readable {
			interest = unix.EPOLLIN
		}
		// It cannot fail: what is registered is changed without more memory.
		_ = w.epoll(unix.EPOLL_CTL_MOD, interest)
	}
}

// Close frees the mux and closes the descriptors it owns. It is called after
// Run has returned; ready is not called any more.
func (m *Mux) Close() error {
	m.mu.Lock()
	m.closed = true
	left := make([]*Watch, 0, len(m.watches))
	for _, w := range m.watches {
		left = append(left, w)
	}
	m.mu.Unlock()
	for _, w := range left {
		w.Remove()
	}
	return m.f.Close()
}
