package logcmd

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// stream writes numbered lines into a pipe that outlives loggers.
type stream struct {
	written atomic.Int64 // lines
	done    chan error
}

func (h held) stream(n int) *stream {
	s := &stream{done: make(chan error, 1)}
	go func() {
		out := bufio.NewWriterSize(h.write, 4096)
		for i := range n {
			fmt.Fprintf(out, "line %09d of many, which all look like this one does\n", i)
			s.written.Add(1)
		}
		err := out.Flush()
		h.write.Close()
		s.done <- err
	}()
	return s
}

// Killed again and again in the middle of its work, a logger loses what it has
// read and not written, never more; what is in the pipe and on file stays.
func TestKilledAtAnyMoment(t *testing.T) {
	total := 1_000_000
	if s6test.Brief() {
		total = 100_000
	}
	const kills = 40
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir, h := t.TempDir(), hold(t)
	s := h.stream(total)
	p := ours(t)
	for range kills {
		l := p.start(t, dir, h.read, "n100000", "s100000", "./log")
		at := s.written.Load() + int64(r.IntN(2*total/kills))
		until(t, "progress", func() bool { return s.written.Load() >= min(at, int64(total)) })
		must(t, l.cmd.Process.Kill())
		l.wait()
	}
	l := p.start(t, dir, h.read, "n100000", "s100000", "./log")
	must(t, <-s.done)
	if code := l.wait(); code != 0 {
		t.Fatalf("exit %d: %s", code, l.stderr.text())
	}
	checkLayout(t, filepath.Join(dir, "log"))
	checkStream(t, content(t, filepath.Join(dir, "log")), total, kills)
}

// checkLayout wants nothing but what a closed directory holds.
func checkLayout(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		name := e.Name()
		switch {
		case name == "current" || strings.HasSuffix(name, ".s") && name[0] == '@':
			if info.Mode()&0o100 == 0 {
				t.Errorf("%s is not marked as closed", name)
			}
		case name == "lock", name == "state", strings.HasSuffix(name, ".u") && name[0] == '@':
		default:
			t.Errorf("%s was left", name)
		}
	}
}

// checkStream wants the lines in their order, each once, except where a logger
// was killed: there a batch may be missing, cut at both its ends.
func checkStream(t *testing.T, text string, total, kills int) {
	t.Helper()
	next, lost, gaps := 0, 0, 0
	for line := range strings.Lines(text) {
		n, ok := numberOf(line)
		switch {
		case !ok:
			gaps++
		case n < next:
			t.Fatalf("line %d comes after line %d", n, next-1)
		case n > next:
			lost += n - next
			gaps++
			next = n + 1
		default:
			next++
		}
	}
	lost += total - next
	t.Logf("%d of %d lines lost at %d places, %d kills", lost, total, gaps, kills)
	// A torn line at the end of one file and the beginning of the next.
	if gaps > 3*kills || lost > kills*(readSize/50+2) {
		t.Errorf("more is missing than %d kills explain", kills)
	}
}

func numberOf(line string) (int, bool) {
	fields := strings.Fields(line)
	if len(fields) != 11 || len(fields[1]) != 9 || !strings.HasPrefix(line, "line ") || !strings.HasSuffix(line, " does\n") {
		return 0, false
	}
	n, err := strconv.Atoi(fields[1])
	return n, err == nil
}

// In order, loggers take over from each other without losing anything.
func TestHandedOverInOrder(t *testing.T) {
	const total = 200_000
	dir, h := t.TempDir(), hold(t)
	s := h.stream(total)
	programs := []program{ours(t), real(t)}
	for i := range 30 {
		p := programs[i%2]
		l := p.start(t, dir, h.read, "n100000", "s100000", "./log")
		until(t, "progress", func() bool { return s.written.Load() >= int64(i*total/40) })
		if i%3 == 0 {
			l.signal(14) // SIGALRM
		}
		l.signal(15)
		if code := l.wait(); code != 0 {
			t.Fatalf("exit %d of %s: %s", code, p.name, l.stderr.text())
		}
	}
	l := ours(t).start(t, dir, h.read, "n100000", "s100000", "./log")
	must(t, <-s.done)
	l.wait()
	checkLayout(t, filepath.Join(dir, "log"))
	var got []int
	for line := range strings.Lines(content(t, filepath.Join(dir, "log"))) {
		n, ok := numberOf(line)
		if !ok {
			t.Fatalf("torn line %q", line)
		}
		got = append(got, n)
	}
	if len(got) != total || !slices.IsSorted(got) || got[total-1] != total-1 {
		t.Errorf("%d lines", len(got))
	}
}
