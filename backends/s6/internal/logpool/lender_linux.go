package logpool

import "sync/atomic"

const (
	// batchSize is what a FIFO holds by default, and the most that is copied at a
	// time, in bytes.
	batchSize = 64 << 10
	// smallSize is what is copied at a time by those that come when many are at
	// work already: on a volume that hangs all logs may be.
	smallSize = 8 << 10
	// manyLent is how many are many.
	manyLent = 16
	// keptBig and keptSmall are how many are kept for the next who need one.
	keptBig, keptSmall = 4, 16
)

// lender lends memory to those that have something to copy.
type lender struct {
	lent       atomic.Int32
	big, small chan []byte // free
}

func newLender() *lender {
	return &lender{big: make(chan []byte, keptBig), small: make(chan []byte, keptSmall)}
}

func (l *lender) free(size int) chan []byte {
	if size == batchSize {
		return l.big
	}
	return l.small
}

// loan is what one borrows at a time.
type loan struct {
	from  *lender
	bytes []byte // nil: nothing
}

// size is how much take should ask for: as much as was borrowed already.
func (l *loan) size() int {
	switch {
	case l.bytes != nil:
		return len(l.bytes)
	case l.from.lent.Load() >= manyLent:
		return smallSize
	default:
		return batchSize
	}
}

// take borrows memory of a size that size has told, unless there is some already.
func (l *loan) take(size int) []byte {
	if l.bytes != nil {
		return l.bytes
	}
	l.from.lent.Add(1)
	select {
	case l.bytes = <-l.from.free(size):
	default:
		l.bytes = make([]byte, size)
	}
	return l.bytes
}

func (l *loan) giveBack() {
	if l.bytes == nil {
		return
	}
	l.from.lent.Add(-1)
	select {
	case l.from.free(len(l.bytes)) <- l.bytes:
	default: // enough are kept
	}
	l.bytes = nil
}
