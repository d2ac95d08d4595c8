// Package logread reads what s6-log, or a logger with the same layout, keeps in
// a log directory, oldest line first, and follows it across rotation.
//
// The files of a log directory (s6 documentation, page s6-log):
//
//	@<24 hex>.s   archive; the name is the label of its rotation
//	@<24 hex>.u   archive of a current that a logger left behind when it was killed
//	previous      what is being archived, present only during a rotation
//	current       what is being written
//
// What is delivered is the concatenation of these files, in this order, byte for
// byte: stamps stay, nothing is added at the seams, and the output of an archive
// processor is passed on as it is.
//
// Stamps of lines are wall-clock time. The labels in the names are not: s6-log
// takes them from a clock that it sets once, at its start, and that stands still
// while the machine is suspended (skalibs src/libstddjb/tain_now_set_stopwatch.c).
// So names give the order, and the time only of archives whose lines have no
// stamps.
package logread

import (
	"errors"
	"time"
)

// Options chooses what is delivered. The zero value is everything that is stored
// when Open is called, and then the end.
type Options struct {
	// Lines limits what is delivered to the last Lines lines of what Since
	// leaves; 0 means no limit. Lines that come later while following are
	// not counted.
	Lines int
	// Since drops what comes before the first line that is stamped at or
	// after it. Lines without a stamp belong to the stamp before them; where
	// there is none, they are kept unless the archive was made before Since
	// or a stamp before Since follows. Local stamps are read in time.Local.
	// The zero time drops nothing.
	Since time.Time
	// Follow delivers lines as they are written, until the reader is closed
	// or the context ends.
	Follow bool
}

var errLines = errors.New("read log: the number of lines is negative; use 0 for all")

func (o Options) check() error {
	if o.Lines < 0 {
		return errLines
	}
	return nil
}
