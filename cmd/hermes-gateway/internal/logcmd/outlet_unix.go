//go:build unix

package logcmd

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// outlet writes to standard output on its own goroutine: whoever reads there
// may be slow, and neither directories nor signals wait for that.
type outlet struct {
	fd     int
	events *inbox
	done   chan struct{}

	mu     sync.Mutex // guards what follows
	change *sync.Cond
	queue  []byte
	busy   bool // something is being written
	closed bool
	err    error

	awaited bool // the loop waits for the end of the queue
}

func startOutlet(fd int, events *inbox) *outlet {
	o := &outlet{fd: fd, events: events, done: make(chan struct{})}
	o.change = sync.NewCond(&o.mu)
	go o.run()
	return o
}

// Write puts text into the queue. The error is that of an earlier text; nothing
// is written after one.
func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.queue = append(o.queue, p...)
	o.change.Signal()
	return len(p), nil
}

// pending is how many bytes are not written yet, at least 1 if there are any.
func (o *outlet) pending() int {
	if o == nil {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pendingLocked()
}

func (o *outlet) pendingLocked() int {
	if o.busy {
		return max(len(o.queue), 1)
	}
	return len(o.queue)
}

// await has a 0 put into the inbox when nothing is pending any more. It answers
// false if that is so already.
func (o *outlet) await() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.awaited = o.pendingLocked() > 0
	return o.awaited
}

// close ends the goroutine. What is in the queue is lost; a write that does not
// end is left to the end of the process.
func (o *outlet) close() {
	idle := o.pending() == 0
	o.mu.Lock()
	o.closed = true
	o.change.Signal()
	o.mu.Unlock()
	if idle {
		<-o.done
	}
}

func (o *outlet) run() {
	defer close(o.done)
	var text []byte
	for {
		o.mu.Lock()
		for len(o.queue) == 0 && !o.closed {
			o.change.Wait()
		}
		if o.closed {
			o.mu.Unlock()
			return
		}
		text, o.queue = o.queue, text[:0]
		o.busy = true
		o.mu.Unlock()

		err := writeAll(o.fd, text)

		o.mu.Lock()
		o.busy = false
		if err != nil {
			o.err = fmt.Errorf("write to standard output: %w", err)
			o.queue = nil
		}
		tell := o.awaited && len(o.queue) == 0
		o.awaited = o.awaited && !tell
		o.mu.Unlock()
		if tell {
			o.events.send(0)
		}
	}
}

func writeAll(fd int, text []byte) error {
	for len(text) > 0 {
		n, err := unix.Write(fd, text)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			// Somebody made it non-blocking.
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return err
			}
		case err != nil:
			return err
		default:
			text = text[n:]
		}
	}
	return nil
}
