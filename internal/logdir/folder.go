package logdir

import "io"

// The files of a log directory, and the suffixes of its archives.
const (
	nameLock      = "lock"
	nameCurrent   = "current"
	namePrevious  = "previous"
	nameState     = "state"
	nameNewState  = "newstate"
	nameProcessed = "processed"

	suffixRotated = ".s"
	suffixLeft    = ".u" // left by a writer that did not close it
)

// folder is an open log directory. Names are those of files directly in it and
// no link is followed. Errors name the path.
type folder interface {
	io.Closer
	// path is for messages.
	path(name string) string
	// extend opens a file to write at its end, and makes it if need be.
	extend(name string) (file, error)
	// empty makes a file empty, and makes it if need be.
	empty(name string) error
	// look describes a file; the error matches fs.ErrNotExist if it is absent.
	look(name string) (entry, error)
	// torn says whether a file ends in the middle of a line.
	torn(name string) (bool, error)
	rename(from, to string) error
	link(from, to string) error
	remove(name string) error
	// names lists the directory, in any order.
	names() ([]string, error)
}

// entry describes a file.
type entry struct {
	size  int64
	links uint64
	done  bool // its owner may execute it: it was closed in order
}

// file is open for writing at its end.
type file interface {
	io.WriteCloser
	sync() error
	// size is what it holds, in bytes.
	size() (int64, error)
	// mark lets its owner execute it or not.
	mark(done bool) error
}
