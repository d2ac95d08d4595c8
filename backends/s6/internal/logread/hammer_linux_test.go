package logread

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// hammerLines is how many lines a hammer writes, in files of 0 to 4. That is far
// more rotations than s6-log makes in the same time, many of them within one look
// at the directory.
const hammerLines = 5000

func TestFollowHammer(t *testing.T) {
	tests := []struct {
		name string
		keep int // archives
		gaps bool
	}{
		{name: "all kept", keep: hammerLines},
		{name: "trimmed", keep: 2, gaps: true},
		{name: "none kept", keep: 0, gaps: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := newTestLog(t)
			l.start()
			r := openLog(t, l.dir, Options{Follow: true})
			startHammer(t, l, tc.keep)
			n := numbers{tb: t, gaps: tc.gaps, last: -1}
			for s := bufio.NewScanner(r); n.last < hammerLines-1; {
				if !s.Scan() {
					t.Fatalf("after line %d: %v", n.last, s.Err())
				}
				n.next(s.Text())
			}
			t.Logf("%d of %d lines", n.count, hammerLines)
		})
	}
}

func TestStoredHammer(t *testing.T) {
	tests := []struct {
		name string
		keep int
		gaps bool
		opts Options
		want int // lines, at least; 0: not known
	}{
		{name: "all of a few", keep: 5, gaps: true},
		{name: "last of all", keep: hammerLines, opts: Options{Lines: 30}, want: 30},
		{name: "last of a few", keep: 5, gaps: true, opts: Options{Lines: 10}},
		{name: "last of one", keep: 1, gaps: true, opts: Options{Lines: 10}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := newTestLog(t)
			for i := range 100 {
				l.write(fmt.Sprintln(i - 100))
			}
			ended := startHammer(t, l, tc.keep)
			for going, rounds := true, 0; going; rounds++ {
				select {
				case <-ended:
					going = false
				default:
				}
				r := openLog(t, l.dir, tc.opts)
				n := numbers{tb: t, gaps: tc.gaps, last: -1000, first: true}
				s := bufio.NewScanner(r)
				for s.Scan() {
					n.next(s.Text())
				}
				r.Close()
				if s.Err() != nil || n.count < tc.want || tc.opts.Lines > 0 && n.count > tc.opts.Lines {
					t.Fatalf("round %d: %d lines, error %v", rounds, n.count, s.Err())
				}
			}
		})
	}
}

// numbers checks that lines are numbers that go up: one by one, or with gaps.
type numbers struct {
	tb    testing.TB
	gaps  bool
	first bool // any may be the first
	last  int
	count int
}

func (n *numbers) next(text string) {
	n.tb.Helper()
	is, err := strconv.Atoi(text)
	if err != nil || is <= n.last || !n.gaps && !n.first && is != n.last+1 {
		n.tb.Fatalf("%q after line %d", text, n.last)
	}
	n.last, n.first = is, false
	n.count++
}

// startHammer writes beside the test until all is written or the test ends.
func startHammer(t *testing.T, l *testLog, keep int) (ended <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := hammer(ctx, l, keep); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return done
}

// hammer is testLog without its checks, as it runs beside the test.
func hammer(ctx context.Context, l *testLog, keep int) error {
	rnd := rand.New(rand.NewPCG(3, 4))
	var archives []string
	for n := 0; ctx.Err() == nil; {
		for range rnd.IntN(5) {
			if _, err := fmt.Fprintln(l.f, n); err != nil {
				return err
			}
			if n++; n == hammerLines {
				return nil // the last line stays
			}
		}
		name, err := hammerRotate(l)
		if err != nil {
			return err
		}
		if name != "" {
			archives = append(archives, name)
		}
		for len(archives) > keep {
			if err := os.Remove(archives[0]); err != nil {
				return err
			}
			archives = archives[1:]
		}
	}
	return nil
}

func hammerRotate(l *testLog) (name string, err error) {
	size, err := l.f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	if err := os.Rename(l.path(current), l.path(previous)); err != nil {
		return "", err
	}
	l.f.Close()
	if l.f, err = os.OpenFile(l.path(current), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
		return "", err
	}
	l.clock = l.clock.Add(1)
	if size > 0 {
		name = l.path(tai.Format(l.clock) + ".s")
		if err := os.Link(l.path(previous), name); err != nil {
			return "", err
		}
	}
	return name, os.Remove(l.path(previous))
}
