package logdir

import "sync"

// buffer is memory for text on its way.
type buffer struct{ b []byte }

// keepAtMost is the capacity beyond which a buffer is left to the garbage
// collector: a full disk makes them large.
const keepAtMost = 256 << 10

// Buffers lends memory to the Logs of a process, so that those with nothing to
// do hold none. The zero value is ready; it can be used by several goroutines.
type Buffers struct{ pool sync.Pool }

func (p *Buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return new(buffer)
}

func (p *Buffers) put(b *buffer) {
	if b != nil && cap(b.b) <= keepAtMost {
		b.b = b.b[:0]
		p.pool.Put(b)
	}
}
