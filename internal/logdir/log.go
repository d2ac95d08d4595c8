package logdir

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrLocked says that another process, or another [Log] of this one, writes to
// the directory.
var ErrLocked = errors.New("is being written to by another logger")

// Options are what a [Script] does not say. The zero value is usable.
type Options struct {
	// LineLimit is the length in bytes after which a line is split. 0 means
	// 8192, a negative number no limit; less than 48 means 48.
	LineLimit int
	// Eager puts the beginning of a line into the directories without waiting
	// for its end, and goes on in a line that an eager Log before it left
	// without one. Scripts with selections, status files or alerts wait for
	// the end all the same.
	Eager bool
	// GoOn goes on with a current that its last writer did not close, instead of
	// making it an archive. It is for writers that are sure to have lost nothing
	// when they were killed: archives of no use would push out old ones.
	GoOn bool
	// Parents makes the directories above a log directory too where they are
	// missing, with permissions 0755, less the umask. Root does so only where
	// nobody else could have put something else there.
	Parents bool
	// Stdout takes lines for standard output, Stderr alerts; nil discards. When
	// a Write to Stdout fails, nothing more is written to it.
	Stdout, Stderr io.Writer
	// Warn is told what went wrong and will be tried again; nil is silent.
	Warn func(error)
	// Zone is that of local times; nil means LocalZone.
	Zone *time.Location
	// Buffers lends memory; nil means that the Log has its own.
	Buffers *Buffers

	clock  func() time.Time                  // nil: time.Now
	folder func(path string) (folder, error) // nil: openFolder
}

const (
	defaultLineLimit = 8192
	minLineLimit     = 48
)

// Blocked says that lines could not be written. They are kept: the call that
// returns it has taken everything, and Flush after Wait tries again. Until that
// succeeds the caller should not hand over more than it is willing to have in
// memory.
type Blocked struct {
	Wait    time.Duration // until the next try is of use
	Pending int           // bytes kept
	Err     error         // the first cause
}

func (b *Blocked) Error() string { return b.Err.Error() }

// Unwrap returns the cause.
func (b *Blocked) Unwrap() error { return b.Err }

// Log carries out a [Script]. It is for one goroutine at a time. Its methods
// wait for the file system and for Options.Stdout and Stderr, never for time to
// pass.
type Log struct {
	elements []element
	sinks    []*sink      // by action.index
	status   []statusFile // by action.index

	limit   int  // 0: none
	eager   bool // the beginning of a line is not held
	goOn    bool // with a current that was not closed
	selects bool
	stdout  io.Writer
	stderr  io.Writer
	buffers *Buffers
	clock   func() time.Time
	warn    func(error)

	stamp stamper
	held  *buffer // the beginning of a line; nil: none
	begun bool    // eager: a line has been begun and not ended
	along int     // eager: how many bytes of it there were
	copy  *buffer // lines for stdout, during Write; nil: none
	latin []byte  // scratch
	alert []byte  // scratch
}

// Open takes the directories of a script, repairs them where their last writer
// did not close them, and locks them until Close or Abandon. A directory is made
// if only its last element is missing, or with Options.Parents.
//
// Errors: ErrLocked; errors.ErrUnsupported where the system is no Unix; what the
// file system says. All are about the first directory that cannot be used.
func Open(script Script, opts Options) (*Log, error) {
	if len(script.elements) == 0 {
		return nil, errors.New("the log script has no action")
	}
	l := newLog(script, opts)
	open := opts.folder
	if open == nil {
		open = func(path string) (folder, error) { return openFolder(path, opts.Parents) }
	}
	for _, spec := range script.dirs {
		s := &sink{dirSpec: spec, log: l}
		var err error
		if s.folder, err = open(spec.path); err != nil {
			l.Abandon()
			return nil, err
		}
		l.sinks = append(l.sinks, s)
		if err := s.resume(); err != nil {
			l.Abandon()
			return nil, fmt.Errorf("log directory %s cannot be used: %w", spec.path, err)
		}
	}
	if script.ignored {
		l.warn(errors.New("the last log directives have no effect, as no action follows them"))
	}
	return l, nil
}

func newLog(script Script, opts Options) *Log {
	l := &Log{
		elements: script.elements, selects: script.selects(),
		goOn:   opts.GoOn,
		eager:  opts.Eager && !script.selects() && !script.has(toStatus) && !script.has(toAlert),
		stdout: opts.Stdout, stderr: opts.Stderr, buffers: opts.Buffers, clock: opts.clock, warn: opts.Warn,
		stamp: stamper{zone: opts.Zone},
	}
	switch {
	case opts.LineLimit == 0:
		l.limit = defaultLineLimit
	case opts.LineLimit > 0:
		l.limit = max(opts.LineLimit, minLineLimit)
	}
	if l.buffers == nil {
		l.buffers = new(Buffers)
	}
	if l.clock == nil {
		l.clock = time.Now
	}
	if l.warn == nil {
		l.warn = func(error) {}
	}
	if l.stamp.zone == nil {
		l.stamp.zone = LocalZone()
	}
	for _, e := range script.elements {
		for _, a := range e.actions {
			if a.kind == toStatus {
				l.status = append(l.status, statusFile{path: a.file})
			}
		}
	}
	return l
}

// Flush tries again to write what is pending. The error is nil or a *Blocked;
// before it is time nothing is tried.
func (l *Log) Flush() error {
	var b *Blocked
	for _, s := range l.sinks {
		if s.step >= finishing || s.flush() {
			continue
		}
		b = l.blocked(b, s)
	}
	if b == nil {
		return nil
	}
	return b
}

// blocked adds what keeps s to b.
func (l *Log) blocked(b *Blocked, s *sink) *Blocked {
	wait := max(s.retryAt.Sub(l.clock()), 0)
	if b == nil {
		b = &Blocked{Wait: wait, Err: s.blockedBy}
	}
	b.Wait = min(b.Wait, wait)
	b.Pending += len(s.pending())
	return b
}

// Rotate archives every current that is not empty, at the next end of a line,
// however small it is. It tries at once, also where it is not yet time. The
// error is nil or a *Blocked.
func (l *Log) Rotate() error {
	for _, s := range l.sinks {
		s.rotates = s.written > 0
		s.retryAt = time.Time{}
	}
	return l.Flush()
}

// Close ends a line that is held (an eager Log leaves it open), writes what is
// pending and closes every current in order, so that the next writer goes on
// with it. The error is nil, and everything is given back so that the Log is of
// no more use, or a *Blocked, and Close can be called again.
func (l *Log) Close() error {
	if err := l.EndLine(); err != nil {
		return err
	}
	var b *Blocked
	for _, s := range l.sinks {
		if err := s.finish(); err != nil {
			s.block(err)
			b = l.blocked(b, s)
		}
	}
	if b != nil {
		return b
	}
	l.Abandon()
	return nil
}

// Abandon gives everything back at once. What is pending is lost, and unless
// Close came before, the next writer finds the directories as after a crash.
func (l *Log) Abandon() {
	for _, s := range l.sinks {
		// Nothing can be done about an error, and the data was synced or is lost.
		_ = s.release()
	}
	l.sinks = nil
}

// Partial is how many bytes there are of a line whose end has not come.
func (l *Log) Partial() int {
	if l.held != nil {
		return len(l.held.b)
	}
	return l.along
}
