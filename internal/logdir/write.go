package logdir

import (
	"bytes"
	"fmt"
)

// Write takes text, which may end within a line, and writes it to the
// directories, each with one system call unless a rotation falls into it. Lines
// end with a newline or a NUL. p is not kept. The error is nil or a *Blocked;
// everything was taken in either case.
func (l *Log) Write(p []byte) error {
	l.stamp.begin(l.clock())
	// NULs hardly ever occur: they are looked for once, not in every line.
	nul := bytes.IndexByte(p, 0)
	for len(p) > 0 {
		n := bytes.IndexByte(p, '\n')
		if nul >= 0 && (n < 0 || nul < n) {
			n = nul
		}
		rest := l.take(p, n)
		if nul >= 0 {
			if nul -= len(p) - len(rest); nul < 0 {
				nul = bytes.IndexByte(rest, 0)
			}
		}
		p = rest
	}
	return l.deliver()
}

// take takes one line, or as much of it as the limit allows, and returns the
// rest of p. The line ends at p[end], or not yet if end is negative.
func (l *Log) take(p []byte, end int) []byte {
	size := end
	if end < 0 {
		size = len(p)
	}
	before := l.along
	if l.held != nil {
		before = len(l.held.b)
	}
	if l.limit > 0 && before+size > l.limit {
		fits := l.limit - before
		l.add(p[:fits], true)
		return p[fits:]
	}
	l.add(p[:size], end >= 0)
	if end < 0 {
		return nil
	}
	return p[end+1:]
}

// add goes on with the present line, and ends it or not.
func (l *Log) add(text []byte, end bool) {
	switch {
	case l.eager:
		l.line(text, !l.begun, end)
		if l.begun, l.along = !end, l.along+len(text); end {
			l.along = 0
		}
	case !end:
		if l.held == nil {
			l.held = l.buffers.get()
		}
		l.held.b = append(l.held.b, text...)
	case l.held != nil:
		l.held.b = append(l.held.b, text...)
		l.line(l.held.b, true, true)
		l.buffers.put(l.held)
		l.held = nil
	default:
		l.line(text, true, true)
	}
}

// EndLine ends a line whose end has not come, as a newline would, unless an
// eager Log has begun it: its beginning is on file and its end may still come.
// The error is nil or a *Blocked.
func (l *Log) EndLine() error {
	if l.held == nil {
		return l.Flush()
	}
	return l.Write([]byte{'\n'})
}

// deliver writes what the lines of one Write have come to.
func (l *Log) deliver() error {
	err := l.Flush()
	if l.copy != nil {
		if _, err := l.stdout.Write(l.copy.b); err != nil {
			l.warn(fmt.Errorf("%w; nothing more is written to standard output", err))
			l.stdout = nil
		}
		l.buffers.put(l.copy)
		l.copy = nil
	}
	for i := range l.status {
		if err := l.status[i].write(); err != nil {
			l.warn(err)
		}
	}
	return err
}
