//go:build unix

package logcmd

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

const (
	// readSize is what a pipe holds.
	readSize = 64 << 10
	// keepAtMost is how much may be unwritten before nothing more is read.
	keepAtMost = 1 << 20
)

// loop is the logger at work. Everything happens in one goroutine, which waits
// for input, for signals and for the time of the next try in one place.
type loop struct {
	options
	log    *logdir.Log
	warn   func(error)
	out    *outlet // nil: no lines go to standard output
	events *inbox

	blocked *logdir.Blocked // nil: all is written
	retryAt time.Time       // if blocked
	ending  bool            // after this line
	giveUp  time.Time       // waiting for its end; zero: never
	closed  bool            // nothing more is read
	buf     [readSize]byte
}

// run returns when everything that was read is written.
func (l *loop) run() error {
	for {
		pending := l.out.pending()
		if l.closed && l.blocked == nil && pending == 0 {
			if l.settle(l.log.Close()); l.blocked == nil {
				return nil
			}
		}
		reads := !l.closed && !l.full(pending)
		if !reads && pending > 0 && !l.out.await() {
			continue
		}
		ready, input, err := l.wait(reads)
		if err != nil {
			return err
		}
		if ready {
			l.handleEvents()
		}
		l.handleTime()
		if input && !l.closed {
			l.read()
		}
	}
}

// full says whether reading has to stop for what is not written.
func (l *loop) full(pending int) bool {
	if l.blocked != nil {
		pending += max(l.blocked.Pending, 1)
	}
	return pending >= keepAtMost || l.block && pending > 0
}

// settle notes what a call of the Log has answered.
func (l *loop) settle(err error) {
	l.blocked = nil
	if errors.As(err, &l.blocked) {
		l.retryAt = time.Now().Add(l.blocked.Wait)
	}
}

// wait waits for signals, for input if it is wanted, and until something is to
// be done.
func (l *loop) wait(reads bool) (events, input bool, err error) {
	fds := []unix.PollFd{{Fd: int32(l.events.read), Events: unix.POLLIN}, {Fd: 0, Events: unix.POLLIN}}
	if !reads {
		fds = fds[:1]
	}
	if _, err := unix.Poll(fds, l.timeout()); err != nil {
		if errors.Is(err, unix.EINTR) {
			return false, false, nil
		}
		return false, false, fmt.Errorf("wait for input: %w", err)
	}
	return fds[0].Revents != 0, reads && fds[1].Revents != 0, nil
}

// timeout is in milliseconds, rounded up; -1 is for ever.
func (l *loop) timeout() int {
	var next time.Time
	if l.blocked != nil {
		next = l.retryAt
	}
	if !l.closed && !l.giveUp.IsZero() && (next.IsZero() || l.giveUp.Before(next)) {
		next = l.giveUp
	}
	if next.IsZero() {
		return -1
	}
	return int(max(time.Until(next)+time.Millisecond-1, 0) / time.Millisecond)
}

func (l *loop) handleTime() {
	if l.blocked == nil && l.giveUp.IsZero() {
		return
	}
	now := time.Now()
	if !l.closed && !l.giveUp.IsZero() && !now.Before(l.giveUp) {
		l.endInput()
	}
	if l.blocked != nil && !now.Before(l.retryAt) {
		l.settle(l.log.Flush())
	}
}

func (l *loop) handleEvents() {
	var buf [64]byte
	n, err := unix.Read(l.events.read, buf[:])
	if err != nil {
		return
	}
	for _, b := range buf[:n] {
		switch s := syscall.Signal(b); {
		case s == syscall.SIGALRM:
			l.settle(l.log.Rotate())
		case s == syscall.SIGHUP, s == syscall.SIGTERM && !l.protect:
			l.endAfterLine()
		}
	}
}

// endAfterLine lets the present line come to its end. From now on input is read
// byte by byte, so that what comes after that line stays for the next logger.
func (l *loop) endAfterLine() {
	l.ending = true
	if l.lastLine > 0 {
		l.giveUp = time.Now().Add(l.lastLine)
	}
	if l.closed {
		return
	}
	if l.log.Partial() == 0 {
		l.endInput()
	} else if l.verbosity > 1 {
		say(errors.New("told to end; waiting for the end of a line"))
	}
}

// endInput ends a line that has begun, and reading.
func (l *loop) endInput() {
	l.settle(l.log.EndLine())
	l.closed = true
	_ = unix.Close(0) // whoever writes there is to know
}

func (l *loop) read() {
	buf := l.buf[:]
	if l.ending {
		buf = buf[:1]
	}
	n, err := unix.Read(0, buf)
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
	case err != nil:
		l.warn(fmt.Errorf("read standard input: %w", err))
		l.endInput()
	case n == 0:
		l.endInput()
	default:
		l.settle(l.log.Write(buf[:n]))
		if part := l.log.Partial(); l.ending && (part == 0 || part == l.lineLimit) {
			l.endInput()
		}
	}
}
