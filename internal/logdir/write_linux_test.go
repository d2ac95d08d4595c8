package logdir

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// reference is what the lines of an input are, in the simplest way there is.
func reference(input []byte, limit int) []string {
	var lines []string
	var line []byte
	for _, c := range input {
		if c == '\n' || c == 0 {
			lines, line = append(lines, string(line)), nil
			continue
		}
		if limit > 0 && len(line) == limit {
			lines, line = append(lines, string(line)), nil
		}
		line = append(line, c)
	}
	if len(line) > 0 {
		lines = append(lines, string(line))
	}
	return lines
}

// text makes lines of all lengths, some with NULs, bytes that are not UTF-8 and
// more than the limit.
func randomText(r *rand.Rand, n int) []byte {
	var b []byte
	for len(b) < n {
		size := r.IntN(200)
		switch r.IntN(20) {
		case 0:
			size = 0
		case 1:
			size = 1000 + r.IntN(20000)
		}
		for range size {
			if c := byte(r.IntN(256)); c != '\n' && (c != 0 || r.IntN(50) == 0) {
				b = append(b, c)
			}
		}
		b = append(b, '\n')
	}
	return b[:n]
}

// However the text comes, it ends in the same lines; every file but the last is
// rotated at exactly the line that reaches the size.
func TestLinesAndRotation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 40 {
		limit := []int{0, 48, 100, 8192, -1}[r.IntN(5)]
		eager := r.IntN(2) == 0
		size := 4096 + r.IntN(4000)
		tolerance := r.IntN(size / 2)
		input := randomText(r, r.IntN(100000))
		dir := filepath.Join(t.TempDir(), "log")
		l := openWords(t, fmt.Sprintf("n1000 s%d l%d px %s", size, tolerance, dir), Options{LineLimit: limit, Eager: eager})
		for rest := input; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 1+r.IntN(70000)))
			must(t, l.Write(rest[:n]))
			rest = rest[n:]
		}
		must(t, l.Close())
		want := ""
		for _, line := range reference(input, map[int]int{0: 8192, 48: 48, 100: 100, 8192: 8192}[limit]) {
			want += "x " + line + "\n"
		}
		got := content(t, dir)
		if eager && len(input) > 0 && input[len(input)-1] != '\n' && input[len(input)-1] != 0 {
			got += "\n" // an eager Log leaves the line open
		}
		if got != want {
			t.Fatalf("round %d, limit %d, eager %v: the lines differ", round, limit, eager)
		}
		checkRotation(t, dir, size-tolerance)
	}
}

// checkRotation checks that each archive reaches the size with its last line,
// and not before.
func checkRotation(t *testing.T, dir string, size int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		last := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
		if isArchive(e.Name()) && (len(text) < size || last >= size || text[len(text)-1] != '\n') {
			t.Errorf("archive of %d bytes, %d without its last line; the size is %d", len(text), last, size)
		}
		if e.Name() == nameCurrent && bytes.LastIndexByte(text, '\n')+1 >= size {
			t.Errorf("current of %d bytes is not rotated; the size is %d", len(text), size)
		}
	}
}

// What a rotation makes is the same as with s6-log where that gets one line at a
// time.
func TestRotationOnRequest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := openWords(t, dir, Options{})
	must(t, l.Rotate())
	must(t, l.Write([]byte("a\nb")))
	must(t, l.Rotate())
	must(t, l.Rotate())
	must(t, l.Write([]byte("c\n")))
	must(t, l.Close())
	if got := snapshot(t, dir); !strings.HasPrefix(got, "@1.s -rwxr--r-- \"a\\n\"\ncurrent -rwxr--r-- \"bc\\n\"\n") {
		t.Error(got)
	}
}

// A line is not torn by a rotation: it takes place at its end.
func TestRotationWaitsForTheLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := openWords(t, dir, Options{Eager: true})
	must(t, l.Write([]byte("a\nb")))
	must(t, l.Rotate())
	must(t, l.Write([]byte("c")))
	must(t, l.Write([]byte("d\ne")))
	must(t, l.Close())
	if got := snapshot(t, dir); !strings.HasPrefix(got, "@1.s -rwxr--r-- \"a\\nbcd\\n\"\ncurrent -rwxr--r-- \"e\"\n") {
		t.Error(got)
	}
}

// An eager Log writes beginnings at once; another goes on in the line, in order
// or after a crash.
func TestEagerGoesOnInTheLine(t *testing.T) {
	for _, crash := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "log")
		l := openWords(t, "t 1 T "+dir, Options{Eager: true})
		must(t, l.Write([]byte("one\ntw")))
		if got := content(t, dir); stampText.ReplaceAllString(got, "<>") != "<>one\n<>tw" {
			t.Errorf("the beginning is not there: %q", got)
		}
		if l.Partial() != 2 {
			t.Errorf("%d bytes of a line", l.Partial())
		}
		if crash {
			l.Abandon()
		} else {
			must(t, l.Close())
		}
		var out bytes.Buffer
		l = openWords(t, "1 T "+dir, Options{Eager: true, Stdout: &out})
		must(t, l.Write([]byte("o\nthree\n")))
		must(t, l.Close())
		want := "current -rwxr--r-- \"<time>  one\\n<time>  two\\n<time>  three\\n\"\n"
		if got := snapshot(t, dir); !strings.HasPrefix(got, want) || out.String() != "o\nthree\n" {
			t.Errorf("crash %v: got\n%s\nwant\n%s and %q", crash, got, want, out.String())
		}
	}
}

func TestEagerWaitsWhereItMust(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := openWords(t, "- +two "+dir, Options{Eager: true})
	must(t, l.Write([]byte("one\ntw")))
	must(t, l.Write([]byte("o\n")))
	must(t, l.Close())
	if got := content(t, dir); got != "two\n" {
		t.Errorf("got %q", got)
	}
}

// Several directories are written to although one cannot be.
func TestOneBlockedDirectory(t *testing.T) {
	root := t.TempDir()
	c := newClock()
	var bad *faults
	var warnings []string
	l := openWords(t, "r7 "+root+"/bad "+root+"/good", Options{clock: c.read,
		Warn: func(err error) { warnings = append(warnings, err.Error()) },
		folder: func(path string) (folder, error) {
			real, err := openFolder(path, false)
			if strings.HasSuffix(path, "good") {
				return real, err
			}
			bad = &faults{folder: real, left: 1 << 30, fails: 3}
			return bad, err
		}})
	bad.left = 0
	err := l.Write([]byte("a\n"))
	var b *Blocked
	if !errors.As(err, &b) || b.Wait != 7*time.Millisecond || b.Pending != 2 || !errors.Is(err, errFault) {
		t.Fatalf("got %#v", err)
	}
	// Before it is time nothing is tried; what comes is taken.
	c.now = c.now.Add(6 * time.Millisecond)
	if err := l.Write([]byte("b\n")); !errors.As(err, &b) || b.Wait != time.Millisecond || b.Pending != 4 || bad.left != -1 {
		t.Fatalf("got %#v, %d", err, bad.left)
	}
	if got := content(t, root+"/good"); got != "a\nb\n" {
		t.Errorf("the other has %q", got)
	}
	if n := insist(t, c, l.Close); n == 0 {
		t.Error("Close was not blocked")
	}
	if got := content(t, root+"/bad"); got != "a\nb\n" {
		t.Errorf("in the end there is %q", got)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "next try in 7ms") {
		t.Errorf("warnings %q", warnings)
	}
}

// With the clock set back, and with archives that seem to be of the future,
// names keep the order of lines.
func TestClockSetBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	c := newClock()
	l := openWords(t, "n3 "+dir, Options{clock: c.read})
	for i := range 10 {
		c.now = c.now.Add(-time.Hour)
		must(t, l.Write(fmt.Appendln(nil, i)))
		must(t, l.Rotate())
	}
	must(t, l.Close())
	if got := content(t, dir); got != "7\n8\n9\n" {
		t.Errorf("left %q", got)
	}
}

func TestCurrentRemovedByHand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := openWords(t, dir, Options{})
	must(t, l.Write([]byte("a\n")))
	must(t, os.Remove(filepath.Join(dir, nameCurrent)))
	must(t, l.Rotate())
	must(t, l.Write([]byte("b\n")))
	must(t, l.Close())
	if got := content(t, dir); got != "b\n" {
		t.Errorf("got %q", got)
	}
}

// poor is a directory on a file system without hard links, modes and fsync.
type poor struct{ folder }

func (poor) link(string, string) error { return unix.EPERM }

func (p poor) extend(name string) (file, error) {
	f, err := p.folder.extend(name)
	return poorFile{f}, err
}

type poorFile struct{ file }

func (poorFile) sync() error     { return unix.EINVAL }
func (poorFile) mark(bool) error { return unix.EPERM }

func TestPoorFileSystem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	opts := Options{folder: func(path string) (folder, error) {
		f, err := openFolder(path, false)
		return poor{f}, err
	}}
	l := openWords(t, "n2 "+dir, opts)
	for i := range 5 {
		must(t, l.Write(fmt.Appendln(nil, i)))
		must(t, l.Rotate())
	}
	must(t, l.Write([]byte("5\n")))
	must(t, l.Close())
	must(t, openWords(t, "n2 "+dir, opts).Close())
	if got := snapshot(t, dir); !strings.HasPrefix(got, "@1.s -rw-r--r-- \"4\\n\"\n@2.u -rw-r--r-- \"5\\n\"\ncurrent -rw-r--r-- \"\"\n") {
		t.Error(got)
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	batch := bytes.Repeat([]byte("a line of a log, as they are\n"), 1000)
	batch = append(batch, "and a beginning"...)
	l := openWords(t, "s268435455 f t T pp 1 "+dir, Options{Stdout: new(discard)})
	if n := testing.AllocsPerRun(20, func() { must(t, l.Write(batch)) }); n > 20 { // the race detector makes pools forget
		t.Errorf("%v allocations for 1000 lines", n)
	}
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }

// After a write the memory is given back.
func TestIdleHoldsNoMemory(t *testing.T) {
	var shared Buffers
	l := openWords(t, filepath.Join(t.TempDir(), "log"), Options{Buffers: &shared})
	must(t, l.Write(slices.Repeat([]byte("x\n"), 30000)))
	if l.held != nil || l.copy != nil || l.sinks[0].out != nil {
		t.Error("a buffer is held")
	}
}

func FuzzWrite(f *testing.F) {
	f.Add([]byte("a\nb\x00c\n\nd"), 3, 50, true)
	f.Add(bytes.Repeat([]byte("x"), 200), 60, 48, false)
	f.Fuzz(func(t *testing.T, input []byte, cut, limit int, eager bool) {
		if limit < 48 || cut < 0 || cut > len(input) {
			t.Skip()
		}
		dir := filepath.Join(t.TempDir(), "log")
		l := openWords(t, dir, Options{LineLimit: limit, Eager: eager})
		must(t, l.Write(input[:cut]))
		must(t, l.Write(input[cut:]))
		must(t, l.Close())
		want := strings.Join(append(reference(input, limit), ""), "\n")
		if got := content(t, dir); strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want, "\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
