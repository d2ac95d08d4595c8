package logread

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// patience is far beyond what anything here takes.
const patience = 60 * time.Second

// testLog writes a log directory the way s6-log does, step by step.
type testLog struct {
	tb    testing.TB
	dir   string
	f     *os.File  // current
	clock time.Time // of the next archive
}

func newTestLog(tb testing.TB) *testLog {
	tb.Helper()
	l := &testLog{tb: tb, dir: filepath.Join(tb.TempDir(), "log"), clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	l.check(os.Mkdir(l.dir, 0o700))
	tb.Cleanup(func() { l.f.Close() })
	return l
}

func (l *testLog) check(err error) {
	l.tb.Helper()
	if err != nil {
		l.tb.Fatal(err)
	}
}

func (l *testLog) path(name string) string { return filepath.Join(l.dir, name) }

// start opens current.
func (l *testLog) start() {
	l.tb.Helper()
	var err error
	l.f, err = os.OpenFile(l.path(current), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	l.check(err)
}

func (l *testLog) write(text string) {
	l.tb.Helper()
	if l.f == nil {
		l.start()
	}
	_, err := l.f.WriteString(text)
	l.check(err)
}

// The steps of a rotation.
func (l *testLog) rename() { l.tb.Helper(); l.check(os.Rename(l.path(current), l.path(previous))) }

func (l *testLog) reopen() {
	l.tb.Helper()
	old := l.f
	l.start()
	l.check(old.Close())
}

func (l *testLog) link(from, suffix string) string {
	l.tb.Helper()
	name := tai.Format(l.clock) + suffix
	l.clock = l.clock.Add(time.Second)
	info, err := os.Stat(l.path(from))
	l.check(err)
	if info.Size() > 0 {
		l.check(os.Link(l.path(from), l.path(name)))
	}
	return name
}

func (l *testLog) unlink(name string) { l.tb.Helper(); l.check(os.Remove(l.path(name))) }

func (l *testLog) rotate() {
	l.tb.Helper()
	if l.f == nil {
		l.start()
	}
	l.rename()
	l.reopen()
	l.link(previous, ".s")
	l.unlink(previous)
}

// process is a rotation with an archive processor.
func (l *testLog) process(by func(string) string) {
	l.tb.Helper()
	l.rename()
	l.reopen()
	text, err := os.ReadFile(l.path(previous))
	l.check(err)
	l.check(os.WriteFile(l.path(processed), []byte(by(string(text))), 0o600))
	l.unlink(previous)
	l.link(processed, ".s")
	l.unlink(processed)
}

// trim keeps the newest n archives.
func (l *testLog) trim(n int) {
	l.tb.Helper()
	names := l.archives()
	for _, name := range names[:max(0, len(names)-n)] {
		l.unlink(name)
	}
}

func (l *testLog) archives() []string {
	l.tb.Helper()
	entries, err := os.ReadDir(l.dir)
	l.check(err)
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "@") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// testReader is a reader that fails the test instead of waiting for ever.
type testReader struct {
	tb testing.TB
	io.ReadCloser
}

func openLog(tb testing.TB, dir string, opts Options) testReader {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	r, err := Open(ctx, dir, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return testReader{tb, r}
}

// want reads as much as want has and compares.
func (r testReader) want(want string) {
	r.tb.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(r, got)
	if string(got[:n]) != want || err != nil {
		r.tb.Fatalf("got %.300q, error %v, want %.300q", got[:n], err, want)
	}
}

// wantEnd reads to the end and compares.
func (r testReader) wantEnd(want string) {
	r.tb.Helper()
	got, err := io.ReadAll(r)
	if string(got) != want || err != nil {
		r.tb.Fatalf("got %.300q, error %v, want %.300q", got, err, want)
	}
}

// wantError reads until an error, which has to match and to contain text.
func (r testReader) wantError(target error, text string) {
	r.tb.Helper()
	_, err := io.Copy(io.Discard, r)
	if err == nil || target != nil && !errors.Is(err, target) || !strings.Contains(err.Error(), text) {
		r.tb.Fatalf("error %v, want %v with %q", err, target, text)
	}
}

// readAhead is r with a Read always in progress.
func readAhead(tb testing.TB, r testReader) testReader {
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 100)
		for {
			n, err := r.Read(buf)
			if _, werr := pw.Write(buf[:n]); err != nil || werr != nil {
				pw.CloseWithError(err)
				return
			}
		}
	}()
	tb.Cleanup(func() {
		pr.Close()
		r.Close()
		<-done
	})
	return testReader{tb, pr}
}
