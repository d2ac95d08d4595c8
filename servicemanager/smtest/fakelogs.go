package smtest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// logFile is what was written into one log directory. It is guarded by the
// world's lock.
type logFile struct {
	lines   []logLine
	changed chan struct{} // closed at the next line
}

type logLine struct {
	at   time.Time
	text string // as it is stored, with its newline
}

// printLocked is the service's standard output. Without a log directory it
// goes where nobody can read it.
func (s *service) printLocked(line string) {
	if s.spec.Log.Dir == "" {
		return
	}
	l := s.w.logLocked(s.spec.Log.Dir)
	now := time.Now()
	l.lines = append(l.lines, logLine{now, stamp(s.spec.Log.Timestamps, now) + line + "\n"})
	close(l.changed)
	l.changed = make(chan struct{})
}

func (w *world) logLocked(dir string) *logFile {
	l, ok := w.logs[dir]
	if !ok {
		l = &logFile{changed: make(chan struct{})}
		w.logs[dir] = l
	}
	return l
}

// stamp is what s6-log puts in front of a line. TAI64N counts from 2^62, ten
// seconds off, and the leap seconds since 1972.
func stamp(form servicemanager.Timestamps, at time.Time) string {
	switch form {
	case servicemanager.TimestampNone:
		return ""
	case servicemanager.TimestampTAI:
		const offset = 1<<62 + 10 + 27
		return fmt.Sprintf("@%016x%08x ", offset+uint64(at.Unix()), at.Nanosecond())
	default:
		return at.Local().Format("2006-01-02 15:04:05.000000000") + "  "
	}
}

// Logs reads what the service has written to its log directory.
func (f *Fake) Logs(ctx context.Context, name string, opts servicemanager.LogOptions) (io.ReadCloser, error) {
	if err := f.enter(ctx, servicemanager.CapLogs, "logs", name); err != nil {
		return nil, err
	}
	r := &logReader{f: f, ctx: ctx, follow: opts.Follow, closed: make(chan struct{})}
	err := f.onService(name, func(s *service) error {
		if s.spec.Log.Dir == "" {
			return servicemanager.WithRemedy(fmt.Errorf("its output is in no log directory: %w", servicemanager.ErrNotSupported),
				"register it with a log directory")
		}
		r.log = s.w.logLocked(s.spec.Log.Dir)
		r.next = r.log.firstLocked(opts, s.spec.Log.Timestamps != servicemanager.TimestampNone)
		return nil
	})
	if err != nil {
		return nil, f.fail("logs", name, err)
	}
	return r, nil
}

// firstLocked is the line to begin with.
func (l *logFile) firstLocked(opts servicemanager.LogOptions, stamped bool) int {
	first := 0
	for stamped && first < len(l.lines) && l.lines[first].at.Before(opts.Since) {
		first++
	}
	if opts.Lines > 0 {
		first = max(first, len(l.lines)-opts.Lines)
	}
	return first
}

// logReader reads one log. As with files, one goroutine reads; any may close.
type logReader struct {
	f      *Fake
	ctx    context.Context //nolint:containedctx // the interface says that it ends reads after Logs has returned
	log    *logFile
	follow bool
	next   int    // line
	rest   []byte // of the line before

	closing sync.Once
	closed  chan struct{}
}

func (r *logReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && len(p) > 0 {
		select {
		case <-r.closed:
			return 0, fs.ErrClosed
		default:
		}
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		changed := r.take()
		if len(r.rest) > 0 {
			break
		}
		if !r.follow {
			return 0, io.EOF
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
		case <-r.closed:
		case <-r.f.closed:
			return 0, servicemanager.ErrClosed
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// take fetches what was written, or what to wait for.
func (r *logReader) take() (changed <-chan struct{}) {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	var b strings.Builder
	for _, line := range r.log.lines[r.next:] {
		b.WriteString(line.text)
	}
	r.next = len(r.log.lines)
	r.rest = []byte(b.String())
	return r.log.changed
}

func (r *logReader) Close() error {
	r.closing.Do(func() { close(r.closed) })
	return nil
}
