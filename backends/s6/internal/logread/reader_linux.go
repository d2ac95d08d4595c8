package logread

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Open returns what the log directory dir holds, oldest line first; see Options
// for what of it. It reads no more than it needs to find the beginning.
//
// Without Follow the stream ends where the log ended when Open was called. With
// Follow it has no end, dir need not exist yet, and a Read waits, without
// polling, until something is written. When another directory takes the place of
// dir, reading goes on there. Writers on other machines (a shared volume) wake
// nobody.
//
// While the logger makes and removes archives, no line is lost and none comes
// twice, except that archives which it removes before they are read are skipped.
//
// The end of ctx ends a Read in progress with the context's error, Close with
// fs.ErrClosed; both are prompt. The caller closes the reader in any case; a
// reader costs a few descriptors, and following one inotify instance, but no
// goroutine. Reads and Close may be called concurrently.
//
// Errors, from Open or Read: fs.ErrNotExist (no such directory, not following),
// fs.ErrPermission, a directory or file that is a link or of another type. Each
// names the path, and is the same at every later Read.
func Open(ctx context.Context, dir string, opts Options) (io.ReadCloser, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("log directory %s: %w", dir, err)
	}
	r := &reader{path: path, opts: opts, expired: ctx.Err}
	if opts.Follow {
		if r.watch, err = newWatcher(); err != nil {
			return nil, err
		}
	}
	r.unhook = context.AfterFunc(ctx, func() { r.finish(r.expired()) })
	if err := r.begin(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

type reader struct {
	path  string // absolute
	opts  Options
	watch *watcher // nil unless following

	// expired returns the error of the context that was given to Open, unhook
	// lets go of it.
	expired func() error
	unhook  func() bool

	end atomic.Pointer[error] // why there is nothing more

	mu     sync.Mutex // guards what follows; held by a Read, also while it waits
	closed bool
	todo   changes // what is to be looked at

	dir   *logDir // nil until there is one
	next  *logDir // what is at the path instead of dir
	file  *logFile
	queue []entry // to be read after file
	gate  *gate   // what it does not let pass is dropped; nil: nothing

	known     map[string]bool // archives that were read or are in the queue, or are older
	nameless  []*logFile      // read or skipped, and may turn up again under another name
	processor bool            // an archive processor was seen
	copies    int             // what it will make, or has made, of files that were read
}

// begin finds the directory and the place in it.
func (r *reader) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.ended(); err != nil {
		return err
	}
	if err := r.attach(); err != nil || r.next == nil {
		return err
	}
	return r.enter()
}

// Read delivers what comes next, without looking for the ends of lines.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if err := r.ended(); err != nil {
			return 0, err
		}
		n, err := r.readFile(p)
		if n > 0 {
			return n, nil
		}
		if err == nil {
			err = r.advance()
		}
		if err != nil {
			r.finish(err)
		}
	}
}

// readFile reads from the present file. 0 without an error: there is nothing
// now, or nothing that is wanted.
func (r *reader) readFile(p []byte) (int, error) {
	for r.file != nil {
		f, limit := r.file, int64(len(p))
		if r.watch == nil {
			limit = min(limit, f.size-f.at)
		}
		begin := f.at
		n, err := f.next(p[:limit])
		if n == 0 || err != nil || r.gate == nil {
			return n, err
		}
		if index, ok := r.gate.find(p[:n]); ok {
			r.gate = nil
			f.at = begin + int64(index) // read once more what is wanted of it
		}
		if err := r.ended(); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// advance does what is to be done at the end of the present file: one step, after
// which the file has to be read again, as the step may have shown that it is
// complete only now.
func (r *reader) advance() error {
	switch {
	case len(r.queue) > 0:
		return r.pop()
	case r.watch == nil:
		return io.EOF
	case r.todo.path:
		r.todo.path = false
		return r.attach()
	case r.todo.files && r.dir != nil:
		r.todo.files = false
		return r.survey()
	case r.next != nil:
		return r.enter()
	default:
		if err := r.note((*watcher).wait); err != nil || r.file == nil {
			return err
		}
		return r.file.rewindIfCut()
	}
}

// pop goes on to the next file. One that is gone was trimmed.
func (r *reader) pop() error {
	e := r.queue[0]
	r.queue = r.queue[1:]
	f := e.file
	if f == nil {
		var err error
		if f, err = r.dir.openIfThere(e.name); f == nil {
			return err
		}
		f.archive, f.settled = true, true
	}
	f.at = e.from
	r.setFile(f)
	if r.gate != nil {
		r.gate.nextFile()
	}
	return nil
}

// setFile replaces the present file. It stays open while it can turn up under
// another name.
func (r *reader) setFile(f *logFile) {
	if old := r.file; old != nil && old.settled {
		old.Close()
	} else if old != nil {
		r.nameless = append(r.nameless, old)
	}
	r.file = f
}

// note takes down what events call for.
func (r *reader) note(events func(*watcher) (changes, error)) error {
	if r.watch == nil {
		return nil
	}
	c, err := events(r.watch)
	if err != nil {
		if ended := r.ended(); ended != nil {
			return ended
		}
		return fmt.Errorf("follow log %s: %w", r.path, err)
	}
	r.todo.files = r.todo.files || c.files
	r.todo.path = r.todo.path || c.path
	r.processor = r.processor || c.processed
	return nil
}

// finish makes err the result of all Reads, unless there is an earlier one, and
// ends a wait in progress.
func (r *reader) finish(err error) {
	r.end.CompareAndSwap(nil, &err)
	if r.watch != nil {
		r.watch.interrupt()
	}
}

func (r *reader) ended() error {
	if err := r.end.Load(); err != nil {
		return *err
	}
	return r.expired()
}

var errClosed = fmt.Errorf("read log: %w", fs.ErrClosed)

// Close ends a Read in progress and releases everything. It returns nil, also
// when it is called again.
func (r *reader) Close() error {
	r.finish(errClosed)
	r.unhook()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.leave()
	r.setNext(nil)
	if r.watch != nil {
		r.watch.close()
	}
	return nil
}
