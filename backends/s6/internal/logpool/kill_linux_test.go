package logpool

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// writer is a service that writes the numbered lines.
type writer struct {
	dir  string
	out  *os.File
	size int // bytes written
}

// writes writes in pieces until stop, and ends with a whole line. Pieces of whole
// lines are of at most 4096 bytes, which the kernel writes in one.
func (w *writer) writes(r *rand.Rand, stop *atomic.Bool, wholeLines bool) error {
	var rest []byte
	line := 0
	for {
		ends := stop.Load()
		n := r.IntN(40 << 10)
		if r.IntN(3) == 0 {
			n = r.IntN(100) // a partial line, often
		}
		if wholeLines {
			n = numberedSize * (1 + r.IntN(4096/numberedSize))
		}
		for len(rest) < n {
			rest = numberedLine(rest, line)
			line++
		}
		if ends {
			n = len(rest)
		}
		for wrote := 0; wrote < n; {
			m, err := w.out.Write(rest[wrote:min(n, wrote+64<<10)])
			if err != nil {
				return err
			}
			wrote += m
		}
		w.size += n
		rest = rest[n:]
		if ends {
			return nil
		}
		if r.IntN(8) == 0 {
			<-time.After(time.Duration(r.IntN(10)) * time.Millisecond)
		}
	}
}

// Killed again and again at any instant, the process loses nothing of what
// services write meanwhile, and writes no more than a batch twice for each kill.
func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	kills := 150 // and as many as the other user
	if s6test.Brief() {
		kills = 30
	}
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	root := t.TempDir()
	selects := []bool{false, false, false, true}
	var stop atomic.Bool
	var running sync.WaitGroup
	var writers []*writer
	for i, lines := range selects {
		directives := []string{"n1000000", "s1000000", "./main"}
		if lines {
			directives = []string{"n1000000", "s1000000", "+0", "./main"}
		}
		w := &writer{dir: logDir(t, filepath.Join(root, fmt.Sprint(i)), directives...)}
		w.out = service(t, w.dir)
		writers = append(writers, w)
		running.Go(func() {
			if err := w.writes(rand.New(rand.NewPCG(seed, uint64(i+1))), &stop, lines); err != nil {
				t.Error(err)
			}
		})
	}
	begin := func() *process {
		p := start(t, nil)
		for i, w := range writers {
			p.send(wire.Add, fmt.Sprint(i), w.dir)
		}
		return p
	}
	for range kills {
		p := begin()
		if r.IntN(10) > 0 {
			p.wants(wire.Opened, "0")
		}
		<-time.After(time.Duration(r.IntN(20000)) * time.Microsecond)
		p.kill()
	}
	p := begin()
	stop.Store(true)
	running.Wait()
	p.finish()
	for i, w := range writers {
		if n := unread(t, w.out); n != 0 {
			t.Errorf("%d bytes are left in FIFO %d", n, i)
		}
		check(t, content(t, filepath.Join(w.dir, "main")), w.size, kills)
	}
}

// check wants the stream of numbered lines, all of it, in its order; at most kills
// times it may go back, by a batch at most.
func check(t *testing.T, got string, size, kills int) {
	t.Helper()
	c := checker{want: []byte(numbered(0, size)), failed: map[[2]int]bool{}}
	if at, rest, ok := c.walk([]byte(got), 0, kills); !ok {
		t.Errorf("after byte %d of %d comes %.200q", at, size, rest)
	}
	twice := len(got) - size
	t.Logf("%d bytes, %d lines; %d kills: %d bytes twice at %d places", size, size/numberedSize, kills, twice, c.back)
}

type checker struct {
	want   []byte
	back   int
	failed map[[2]int]bool // what was tried: length of text, place
}

// walk answers whether text is want from at on, going back at most so often. If
// not, it returns how far it came.
func (c *checker) walk(text []byte, at, kills int) (far int, rest []byte, ok bool) {
	n := commonPrefix(text, c.want[at:])
	text, at = text[n:], at+n
	if len(text) == 0 {
		return at, text, at == len(c.want)
	}
	if tried := [2]int{len(text), at}; kills == 0 || c.failed[tried] {
		return at, text, false
	} else {
		c.failed[tried] = true
	}
	far, rest = at, text
	for _, next := range c.candidates(text, at) {
		f, r, ok := c.walk(text, next, kills-1)
		if ok {
			c.back++
			return f, r, true
		}
		if len(r) < len(rest) {
			far, rest = f, r
		}
	}
	return far, rest, false
}

// candidates are the places not more than a batch before at where text may go on,
// best first. What is long is certain; two kills may have left only a byte between
// them.
func (c *checker) candidates(text []byte, at int) []int {
	const certain, most = 40, 6
	var found []int
	length := map[int]int{}
	for b := at - 1; b >= max(at-batchSize, 0); b-- {
		if c.want[b] != text[0] {
			continue
		}
		n := commonPrefix(text[:min(len(text), certain)], c.want[b:])
		if n == certain {
			return []int{b}
		}
		found = append(found, b)
		length[b] = n
	}
	slices.SortStableFunc(found, func(a, b int) int { return length[b] - length[a] })
	return found[:min(len(found), most)]
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	const step = 4096
	i := 0
	for i+step <= n && bytes.Equal(a[i:i+step], b[i:i+step]) {
		i += step
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
