package logdir

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// faults lets the operations on a directory fail. An operation fails as often
// as fails says, in a row.
type faults struct {
	folder
	left  int // operations until the failing one
	fails int
	short bool // a failing write writes some of it before
	last  string
}

var errFault = unix.ENOSPC

func (f *faults) hit(what string) error {
	f.left--
	if f.left < 0 && f.left >= -f.fails {
		f.last = what
		return fmt.Errorf("%s: %w", what, errFault)
	}
	return nil
}

func (f *faults) extend(name string) (file, error) {
	if err := f.hit("extend"); err != nil {
		return nil, err
	}
	file, err := f.folder.extend(name)
	return &faultyFile{file, f}, err
}

func (f *faults) look(name string) (entry, error) {
	if err := f.hit("look"); err != nil {
		return entry{}, err
	}
	return f.folder.look(name)
}

func (f *faults) names() ([]string, error) {
	if err := f.hit("names"); err != nil {
		return nil, err
	}
	return f.folder.names()
}

func (f *faults) rename(from, to string) error {
	return errors.Join(f.hit("rename"), f.unlessHit(func() error { return f.folder.rename(from, to) }))
}

func (f *faults) link(from, to string) error {
	return errors.Join(f.hit("link"), f.unlessHit(func() error { return f.folder.link(from, to) }))
}

func (f *faults) remove(name string) error {
	return errors.Join(f.hit("remove"), f.unlessHit(func() error { return f.folder.remove(name) }))
}

// unlessHit does what was not to fail.
func (f *faults) unlessHit(do func() error) error {
	if f.left < 0 && f.left >= -f.fails {
		return nil
	}
	return do()
}

type faultyFile struct {
	file
	f *faults
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.f.hit("write"); err != nil {
		if f.f.short && len(p) > 1 {
			n, werr := f.file.Write(p[:len(p)/2])
			return n, errors.Join(err, werr)
		}
		return 0, err
	}
	return f.file.Write(p)
}

func (f *faultyFile) sync() error {
	return errors.Join(f.f.hit("sync"), f.f.unlessHit(f.file.sync))
}

func (f *faultyFile) mark(done bool) error {
	return errors.Join(f.f.hit("mark"), f.f.unlessHit(func() error { return f.file.mark(done) }))
}

// clock is a clock that goes when it is told to.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) read() time.Time { return c.now }

// insist calls until there is no more error, each time when it is time, and
// returns how often it was blocked.
func insist(t *testing.T, c *clock, call func() error) int {
	t.Helper()
	for n := 0; ; n++ {
		err := call()
		if err == nil {
			return n
		}
		var b *Blocked
		if !errors.As(err, &b) || !errors.Is(err, errFault) || n > 1000 {
			t.Fatalf("%v after %d tries", err, n)
		}
		if b.Wait > 2*time.Second {
			t.Fatalf("next try in %v", b.Wait)
		}
		c.now = c.now.Add(b.Wait)
	}
}

// Whichever operation fails, and however often, in the end everything is where
// it is without the failure.
func TestEveryFailureIsMadeGood(t *testing.T) {
	const words = "n100 s4096 l0 "
	var lines []string
	for i := range 300 {
		lines = append(lines, fmt.Sprintf("%04d %s\n", i, strings.Repeat("x", i%90)))
	}
	attempt := func(t *testing.T, left, fails int, short bool) (text string, f *faults) {
		dir := filepath.Join(t.TempDir(), "log")
		c := newClock()
		opts := Options{clock: c.read, Warn: func(error) {}}
		opts.folder = func(path string) (folder, error) {
			real, err := openFolder(path, false)
			f = &faults{folder: real, left: 1 << 30, short: short}
			return f, err
		}
		l := openWords(t, words+dir, opts)
		f.left, f.fails = left, fails
		for i := 0; i < len(lines); i += 7 {
			part := strings.Join(lines[i:min(i+7, len(lines))], "")
			c.now = c.now.Add(time.Millisecond)
			if l.Write([]byte(part)) != nil {
				insist(t, c, l.Flush)
			}
			if i == 70 {
				insist(t, c, l.Rotate)
			}
		}
		insist(t, c, l.Close)
		return snapshot(t, dir), f
	}
	want, f := attempt(t, 1<<30, 0, false)
	total := 1<<30 - f.left
	if total < 50 {
		t.Fatalf("only %d operations", total)
	}
	seen := map[string]bool{}
	for _, fails := range []int{1, 2, 5} {
		for left := range total {
			got, f := attempt(t, left, fails, left%2 == 0)
			seen[f.last] = true
			if got != want {
				t.Fatalf("%d failures of %s, operation %d: got\n%s\nwant\n%s", fails, f.last, left, got, want)
			}
		}
	}
	for _, what := range []string{"write", "sync", "rename", "extend", "mark", "look", "names", "link", "remove"} {
		if !seen[what] {
			t.Errorf("%s was never made to fail", what)
		}
	}
}

// Killed before any operation, the next writer repairs the directory and every
// line that was written is there, once.
func TestEveryCrashIsRepaired(t *testing.T) {
	for left := 0; ; left++ {
		dir := filepath.Join(t.TempDir(), "log")
		var f *faults
		c := newClock()
		opts := Options{clock: c.read, Warn: func(error) {}, folder: func(path string) (folder, error) {
			real, err := openFolder(path, false)
			f = &faults{folder: real, left: 1 << 30, fails: 1 << 30}
			return f, err
		}}
		l := openWords(t, "n100 s4096 "+dir, opts)
		f.left = left
		var want strings.Builder
		var err error
		for i := 0; i < 200 && err == nil; i++ {
			line := fmt.Sprintf("%04d %s\n", i, strings.Repeat("x", 50))
			if err = l.Write([]byte(line)); err == nil || f.last != "write" {
				want.WriteString(line) // pending lines go with the process
			}
			if err != nil && f.last != "write" {
				break
			}
		}
		if err == nil {
			if left < 30 {
				t.Fatalf("only %d operations", left)
			}
			return
		}
		l.Abandon()
		c.now = c.now.Add(time.Second)
		l = openWords(t, "n100 s4096 "+dir, Options{clock: c.read})
		must(t, l.Write([]byte("after\n")))
		must(t, l.Close())
		want.WriteString("after\n")
		if got := content(t, dir); got != want.String() {
			t.Fatalf("killed at operation %d, a %s: got\n%s\nwant\n%s", left, f.last, got, want.String())
		}
		if s := snapshot(t, dir); strings.Contains(s, namePrevious) {
			t.Fatalf("killed at operation %d, a %s: left\n%s", left, f.last, s)
		}
	}
}
