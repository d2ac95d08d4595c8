package logread

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"time"
)

// part is one file of a log. Parts are in the order of their lines.
type part struct {
	made time.Time // when it was archived; zero for one that is not
	open func() (partFile, error)
}

// partFile is the content of a part, up to a size that does not change.
type partFile interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// position is a place in a list of parts.
type position struct {
	part   int
	offset int64
}

func (p position) before(q position) bool {
	return p.part < q.part || p.part == q.part && p.offset < q.offset
}

const blockSize = 64 << 10

// seeker finds where to begin. Archives that disappear meanwhile were trimmed,
// and all older ones with them.
type seeker struct {
	parts []part
	ended func() error // non-nil error: give up
	block [blockSize]byte
}

// seek returns the place from which the options want everything. Where Since
// keeps nothing of what is there, the place is the end, and what comes later has
// to pass the gate; else gate is nil.
func seek(parts []part, opts Options, ended func() error) (from position, g *gate, err error) {
	s := &seeker{parts: parts, ended: ended}
	if !opts.Since.IsZero() {
		if from, g, err = s.since(opts.Since); err != nil || g != nil {
			return from, g, err
		}
	}
	if opts.Lines > 0 {
		last, err := s.lastLines(opts.Lines)
		if err != nil {
			return position{}, nil, err
		}
		if from.before(last) {
			from = last
		}
	}
	return from, nil, nil
}

func (s *seeker) since(since time.Time) (position, *gate, error) {
	first, err := s.firstPart(since)
	if err != nil {
		return position{}, nil, err
	}
	g := newGate(since)
	end := position{part: len(s.parts)}
	for i := first; i < len(s.parts); i++ {
		g.nextFile()
		size, index, found, err := s.find(g, i)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return position{}, nil, err
		case found && !g.dated:
			return position{part: first}, nil, nil
		case found:
			return position{part: i, offset: index}, nil, nil
		}
		end = position{part: i, offset: size - int64(len(g.head))}
	}
	if g.undated && !g.dated {
		return position{part: first}, nil, nil
	}
	g.head = g.head[:0] // end is before it
	g.keepUndated = true
	return end, g, nil
}

// firstPart returns the oldest part that can have lines of since or later. It
// looks at the first line of each, from the newest back.
func (s *seeker) firstPart(since time.Time) (int, error) {
	st := stamps{loc: time.Local}
	first := len(s.parts)
	for i := len(s.parts) - 1; i >= 0; i-- {
		head, err := s.head(i)
		if errors.Is(err, fs.ErrNotExist) {
			return first, nil
		}
		if err != nil {
			return 0, err
		}
		at, dated := st.parse(head)
		if !dated {
			if made := s.parts[i].made; !made.IsZero() && made.Before(since) {
				return first, nil
			}
		}
		first = i
		if dated && at.Before(since) {
			return first, nil
		}
	}
	return first, nil
}

// head returns as much of the first line of a part as tells its stamp.
func (s *seeker) head(i int) ([]byte, error) {
	f, err := s.open(i)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.ReadAt(s.block[:maxStampLen], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head, _, _ := bytes.Cut(s.block[:n], []byte("\n"))
	return head, nil
}

// find sends a part through the gate.
func (s *seeker) find(g *gate, i int) (size, index int64, found bool, err error) {
	f, err := s.open(i)
	if err != nil {
		return 0, 0, false, err
	}
	defer f.Close()
	for at := int64(0); at < f.Size(); {
		p, err := s.read(f, at, f.Size())
		if err != nil {
			return 0, 0, false, err
		}
		if index, found := g.find(p); found {
			return f.Size(), at + int64(index), true, nil
		}
		at += int64(len(p))
	}
	return f.Size(), 0, false, nil
}

// lastLines returns where the last n lines begin. The end of a file is the end
// of a line only if it is written so; bytes after the last newline are a line.
func (s *seeker) lastLines(n int) (position, error) {
	var from position
	left := uint64(n) // newlines to pass; one more than an int may be needed
	ends := false     // whether the last byte was looked at
	for i := len(s.parts) - 1; i >= 0; i-- {
		f, err := s.open(i)
		if errors.Is(err, fs.ErrNotExist) {
			return position{part: i + 1}, nil
		}
		if err != nil {
			return position{}, err
		}
		offset, err := s.passNewlines(f, &left, &ends)
		f.Close()
		if err != nil {
			return position{}, err
		}
		from = position{part: i, offset: max(offset, 0)}
		if offset >= 0 {
			break
		}
	}
	return from, nil
}

// passNewlines goes back through f and returns the offset after the newline that
// brings left to zero, or -1 if f has too few.
func (s *seeker) passNewlines(f partFile, left *uint64, ends *bool) (int64, error) {
	for end := f.Size(); end > 0; {
		begin := max(0, end-blockSize)
		p, err := s.read(f, begin, end)
		if err != nil {
			return 0, err
		}
		if !*ends {
			*ends = true
			if len(p) > 0 && p[len(p)-1] == '\n' {
				*left++ // it ends the last line and does not begin another
			}
		}
		if count := uint64(bytes.Count(p, []byte("\n"))); count < *left {
			*left -= count
			end = begin
			continue
		}
		for ; ; *left-- {
			at := bytes.LastIndexByte(p, '\n')
			if *left == 1 {
				return begin + int64(at) + 1, nil
			}
			p = p[:at]
		}
	}
	return -1, nil
}

func (s *seeker) open(i int) (partFile, error) {
	if err := s.ended(); err != nil {
		return nil, err
	}
	return s.parts[i].open()
}

// read returns what f has from begin on: up to end, at most a block. The result
// is valid until the next call.
func (s *seeker) read(f partFile, begin, end int64) ([]byte, error) {
	if err := s.ended(); err != nil {
		return nil, err
	}
	want := min(end-begin, blockSize)
	n, err := f.ReadAt(s.block[:want], begin)
	switch {
	case int64(n) == want:
		err = nil // io.ReaderAt may report the end along with the last bytes
	case errors.Is(err, io.EOF):
		err = errShrunk
	}
	return s.block[:n], err
}

var errShrunk = errors.New("read log: a file was cut while it was read; try again")
