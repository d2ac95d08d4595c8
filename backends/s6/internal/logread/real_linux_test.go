package logread

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// s6Log is a running s6-log of the test's own.
type s6Log struct {
	t     *testing.T
	dir   string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	err   bytes.Buffer
}

// startS6Log starts s6-log with the directives and a log directory.
func startS6Log(t *testing.T, dir string, directives ...string) *s6Log {
	t.Helper()
	program, err := exec.LookPath("s6-log")
	if err != nil && os.Getenv("CI_REQUIRE_REAL") == "1" {
		t.Fatal("CI_REQUIRE_REAL is 1, but: ", err)
	}
	if err != nil {
		t.Skip("needs s6-log: ", err)
	}
	l := &s6Log{t: t, dir: dir, cmd: exec.Command(program, append(append([]string{"--"}, directives...), dir)...)}
	l.cmd.Stderr = &l.err
	l.stdin, err = l.cmd.StdinPipe()
	must(t, err)
	must(t, l.cmd.Start())
	t.Cleanup(func() {
		if l.cmd.ProcessState == nil {
			l.cmd.Process.Kill()
			l.cmd.Wait()
		}
	})
	return l
}

// write writes numbered lines, several in one piece.
func (l *s6Log) write(from, to int) error {
	w := bufio.NewWriterSize(l.stdin, 600)
	for n := from; n < to; n++ {
		fmt.Fprintf(w, "line %d\n", n)
	}
	return w.Flush()
}

// end closes the input, which ends s6-log when it has written everything.
func (l *s6Log) end() {
	l.t.Helper()
	must(l.t, l.stdin.Close())
	if err := l.cmd.Wait(); err != nil {
		l.t.Fatalf("s6-log: %v: %s", err, l.err.String())
	}
}

func (l *s6Log) signal(sig syscall.Signal) {
	l.t.Helper()
	must(l.t, l.cmd.Process.Signal(sig))
}

// lineNumber takes a line apart, whatever stamp it has.
func lineNumber(t *testing.T, text string) int {
	t.Helper()
	_, digits, ok := strings.Cut(text, "line ")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		t.Fatalf("%q is no line", text)
	}
	return n
}

// wantLines reads the lines from and up to, not including, to.
func wantLines(t *testing.T, s *bufio.Scanner, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if !s.Scan() {
			t.Fatalf("before line %d: %v", n, s.Err())
		}
		if got := lineNumber(t, s.Text()); got != n {
			t.Fatalf("line %d, want %d", got, n)
		}
	}
}

func countArchives(t *testing.T, dir, suffix string) int {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "@*"+suffix))
	must(t, err)
	return len(names)
}

func TestRealFollow(t *testing.T) {
	const lines = 100000
	for _, tc := range []struct {
		name       string
		directives []string
	}{
		{name: "no stamps", directives: []string{"n20000", "s4096"}},
		{name: "T", directives: []string{"n20000", "s4096", "T"}},
		{name: "t", directives: []string{"n20000", "s4096", "t"}},
		{name: "t T", directives: []string{"n20000", "s4096", "t", "T"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			r := openLog(t, dir, Options{Follow: true}) // before there is one
			begin := time.Now()
			l := startS6Log(t, dir, tc.directives...)
			written := make(chan error, 1)
			go func() { written <- l.write(0, lines) }()
			wantLines(t, bufio.NewScanner(r), 0, lines)
			must(t, <-written)
			l.end()
			archives := countArchives(t, dir, ".s")
			if archives < 20 {
				t.Errorf("%d rotations", archives)
			}
			t.Logf("%d rotations", archives)

			// What is stored now: the same, and its end.
			wantLines(t, bufio.NewScanner(openLog(t, dir, Options{})), 0, lines)
			wantLines(t, bufio.NewScanner(openLog(t, dir, Options{Lines: 1234})), lines-1234, lines)
			if len(tc.directives) > 2 {
				wantLines(t, bufio.NewScanner(openLog(t, dir, Options{Since: begin})), 0, lines)
				openLog(t, dir, Options{Since: time.Now()}).wantEnd("")
				sinceEachLine(t, dir, lines)
			}
		})
	}
}

// sinceEachLine asks for what is written since the stamp of some lines.
func sinceEachLine(t *testing.T, dir string, lines int) {
	st := stamps{loc: time.Local}
	s := bufio.NewScanner(openLog(t, dir, Options{}))
	var last time.Time
	for n := 0; s.Scan(); n++ {
		at, ok := st.parse(s.Bytes())
		if !ok {
			t.Fatalf("no stamp: %q", s.Text())
		}
		if n%9973 == 0 && at.After(last) {
			wantLines(t, bufio.NewScanner(openLog(t, dir, Options{Since: at})), n, lines)
		}
		last = at
	}
}

// When the logger removes archives before they are read, there is a gap: no error
// and no line that comes twice. What is open is read to its end.
func TestRealTrimming(t *testing.T) {
	const lines = 20000
	dir := filepath.Join(t.TempDir(), "log")
	l := startS6Log(t, dir, "n2", "s4096")
	must(t, l.write(0, 10))
	r := openLog(t, dir, Options{Follow: true})
	s := bufio.NewScanner(r)
	wantLines(t, s, 0, 10)
	must(t, l.write(10, lines))
	l.end()
	last, count, gaps := 9, 0, 0
	for last < lines-1 && s.Scan() {
		n := lineNumber(t, s.Text())
		if n <= last {
			t.Fatalf("line %d after line %d", n, last)
		}
		if n > last+1 {
			gaps++
		}
		last = n
		count++
	}
	if last != lines-1 || gaps != 1 {
		t.Errorf("last line %d, %d gaps, error %v", last, gaps, s.Err())
	}
	t.Logf("%d of %d lines", count, lines-10)
}

func TestRealRotationBySignal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := startS6Log(t, dir, "n100", "T")
	s := bufio.NewScanner(openLog(t, dir, Options{Follow: true}))
	for n := 0; n < 2000; n += 20 {
		must(t, l.write(n, n+20))
		if n%40 == 0 {
			wantLines(t, s, max(0, n-20), n+20) // every other time it lags behind
		}
		l.signal(syscall.SIGALRM)
	}
	wantLines(t, s, 1980, 2000)
	l.end()
	if n := countArchives(t, dir, ".s"); n == 0 {
		t.Error("no rotation")
	}
}

func TestRealKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	s := bufio.NewScanner(openLog(t, dir, Options{Follow: true}))
	for n := 0; n < 500; n += 100 {
		l := startS6Log(t, dir, "n20", "t")
		must(t, l.write(n, n+100))
		wantLines(t, s, n, n+100) // so they are written
		must(t, l.cmd.Process.Kill())
		l.cmd.Wait()
	}
	l := startS6Log(t, dir, "n20", "t")
	must(t, l.write(500, 510))
	wantLines(t, s, 500, 510)
	l.end()
	if n := countArchives(t, dir, ".u"); n != 5 {
		t.Errorf("%d archives of killed loggers, want 5", n)
	}
	wantLines(t, bufio.NewScanner(openLog(t, dir, Options{})), 0, 510)

	// After a clean end it goes on in the same file.
	l = startS6Log(t, dir, "n20", "t")
	must(t, l.write(510, 520))
	wantLines(t, s, 510, 520)
	l.end()
}

// With an archive processor each stored line comes once, as it was written or as it
// was processed. s6-log 2.15.1 itself stores what it wrote last before such a
// rotation a second time, so the directory tells what has to come.
func TestRealProcessor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	s := bufio.NewScanner(openLog(t, dir, Options{Follow: true}))
	l := startS6Log(t, dir, "n1000", "s4096", "?sed s/line/processed-line/")
	var got []int
	for n := 0; n < 5000; n += 50 {
		must(t, l.write(n, n+50))
		for len(got) == 0 || got[len(got)-1] != n+49 {
			if !s.Scan() {
				t.Fatalf("before line %d: %v", n+49, s.Err())
			}
			got = append(got, lineNumber(t, s.Text()))
		}
	}
	l.end()
	if n := countArchives(t, dir, ".s"); n < 5 {
		t.Errorf("%d rotations", n)
	}
	var want []int
	for stored := bufio.NewScanner(openLog(t, dir, Options{})); stored.Scan(); {
		want = append(want, lineNumber(t, stored.Text()))
	}
	for len(got) < len(want) && s.Scan() {
		got = append(got, lineNumber(t, s.Text()))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d lines, want %d: %v, want %v", len(got), len(want), got, want)
	}
}
