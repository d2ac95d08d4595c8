package logread

import (
	"bytes"
	"time"
)

// gate finds the first line of a stream that Options.Since keeps. It is given
// the stream piece by piece and remembers no more of it than the beginning of a
// line.
type gate struct {
	since time.Time
	// keepUndated: a line without a stamp is kept when no stamp came before it.
	keepUndated bool

	stamps  stamps
	head    []byte // beginning of a line, too short to tell its stamp
	inLine  bool   // the rest of the line does not matter
	dated   bool   // a stamp before since came
	undated bool   // a line without a stamp came
}

func newGate(since time.Time) *gate {
	return &gate{since: since, stamps: stamps{loc: time.Local}}
}

// find returns where in p the first line to keep begins. A negative index is
// that of a line that began in earlier pieces. After ok the gate is used up.
func (g *gate) find(p []byte) (index int, ok bool) {
	for i := 0; i < len(p); {
		if g.inLine {
			end := bytes.IndexByte(p[i:], '\n')
			if end < 0 {
				return 0, false
			}
			i += end + 1
			g.inLine = false
			continue
		}
		begin := i - len(g.head)
		head, whole := g.lineHead(p[i:])
		if !whole {
			return 0, false
		}
		if g.keeps(head) {
			return begin, true
		}
		g.inLine = true
	}
	return 0, false
}

// lineHead returns the beginning of the line that goes on with p. If p ends
// before that tells the stamp, whole is false and the beginning is kept.
func (g *gate) lineHead(p []byte) (head []byte, whole bool) {
	p = p[:min(len(p), maxStampLen-len(g.head))]
	if len(g.head) > 0 {
		g.head = append(g.head, p...)
		head = g.head
	} else {
		head = p
	}
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		head, whole = head[:end], true
	}
	if whole || len(head) == maxStampLen {
		g.head = g.head[:0]
		return head, true
	}
	if len(g.head) == 0 {
		g.head = append(g.head, head...)
	}
	return nil, false
}

func (g *gate) keeps(head []byte) bool {
	at, ok := g.stamps.parse(head)
	switch {
	case !ok:
		g.undated = true
		return g.keepUndated && !g.dated
	case at.Before(g.since):
		g.dated = true
		return false
	default:
		return true
	}
}

// nextFile tells that what comes is the beginning of a file, hence of a line.
func (g *gate) nextFile() {
	g.head = g.head[:0]
	g.inLine = false
}
