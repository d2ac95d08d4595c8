package logpool

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// outlet writes to a descriptor that others use too, and whose reader may be
// slow, from a goroutine of its own.
type outlet struct {
	fd    int
	most  int  // bytes that may wait
	drops bool // what is more is dropped, and not waited for
	done  chan struct{}

	mu     sync.Mutex // guards what follows
	change sync.Cond
	queue  []byte
	closed bool
	err    error
}

func newOutlet(fd, most int, drops bool) *outlet {
	o := &outlet{fd: fd, most: most, drops: drops, done: make(chan struct{})}
	o.change.L = &o.mu
	go o.run()
	return o
}

// Write puts text into the queue. The error is that of an earlier text; nothing
// is written after one.
func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 && len(o.queue)+len(p) > o.most && !o.closed && o.err == nil {
		if o.drops {
			return len(p), nil
		}
		o.change.Wait()
	}
	if o.err != nil {
		return 0, o.err
	}
	if !o.closed {
		o.queue = append(o.queue, p...)
		o.change.Broadcast()
	}
	return len(p), nil
}

// close waits until the queue is written, or gives it up. Texts that come later
// are dropped.
func (o *outlet) close(giveUp <-chan time.Time) {
	o.mu.Lock()
	o.closed = true
	o.change.Broadcast()
	o.mu.Unlock()
	select {
	case <-o.done:
	case <-giveUp: // the goroutine ends with the process
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
		if len(o.queue) == 0 {
			o.mu.Unlock()
			return
		}
		text, o.queue = o.queue, text[:0]
		o.change.Broadcast()
		o.mu.Unlock()
		if err := writeAll(o.fd, text); err != nil {
			o.mu.Lock()
			o.err, o.queue = fmt.Errorf("write to descriptor %d: %w", o.fd, err), nil
			o.change.Broadcast()
			o.mu.Unlock()
		}
		if cap(text) > batchSize {
			text = nil
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

// wholeLines hands lines to an outlet that has them from many, so that none gets
// into another.
type wholeLines struct {
	to   *outlet
	part []byte
}

// longestPart is where a line is broken that does not end.
const longestPart = 16 << 10

func (w *wholeLines) Write(p []byte) (int, error) {
	text := p
	if len(w.part) > 0 {
		text = append(w.part, p...)
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	if end == 0 && len(text) > longestPart {
		text = append(slices.Clip(text), '\n')
		end = len(text)
	}
	whole, part := text[:end], text[end:]
	w.part = append([]byte(nil), part...)
	if len(whole) > 0 {
		if _, err := w.to.Write(whole); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
