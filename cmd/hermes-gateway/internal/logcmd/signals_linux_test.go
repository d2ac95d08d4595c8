package logcmd

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// held is a pipe into a logger that outlives it, as the one that a supervisor
// holds.
type held struct{ read, write *os.File }

func hold(t *testing.T) held {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return held{r, w}
}

func (p program) startOn(t *testing.T, dir string, h held, args ...string) *logger {
	l := p.start(t, dir, h.read, args...)
	l.in = h.write
	return l
}

// left is what nobody has read.
func (h held) left(t *testing.T) string {
	t.Helper()
	buf := make([]byte, max(unread(h.read), 0))
	_, err := io.ReadFull(h.read, buf)
	must(t, err)
	return string(buf)
}

// both runs a scenario with s6-log and with ours.
func both(t *testing.T, scenario func(t *testing.T, p program)) {
	for _, p := range []func(testing.TB) program{real, ours} {
		p := p(t)
		t.Run(p.name, func(t *testing.T) { scenario(t, p) })
	}
}

func TestTermBetweenLines(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		dir, h := t.TempDir(), hold(t)
		l := p.startOn(t, dir, h, "./log")
		l.write("a\n")
		l.shows("a\n")
		l.signal(syscall.SIGTERM)
		if code := l.wait(); code != 0 {
			t.Errorf("exit %d", code)
		}
		l.write("b\n")
		if got := content(t, dir+"/log"); got != "a\n" || h.left(t) != "b\n" {
			t.Errorf("got %q", got)
		}
		if s := snapshot(t, dir); !strings.Contains(s, "current -rwx") {
			t.Errorf("not closed in order:\n%s", s)
		}
	})
}

// end tells a logger in the middle of a line to end, and waits until it knows.
// s6-log knows before it looks at its input again.
func (l *logger) end(p program, s syscall.Signal) {
	l.t.Helper()
	l.signal(s)
	if p.name == "ours" {
		l.stderr.wants(l.t, "waiting for the end of a line")
	}
}

// The present line comes to its end, what is after it stays for the next
// logger.
func TestTermWithinALine(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			dir, h := t.TempDir(), hold(t)
			args := []string{"-v", "./log"}
			if p.hasTimeout() {
				args = []string{"-v", "-t", "0", "./log"}
			}
			l := p.startOn(t, dir, h, args...)
			l.write("a\nbegin")
			l.consumed()
			l.shows("a\n")
			l.end(p, signal)
			l.write("ning")
			l.consumed()
			l.write(" and end\nnext\n")
			if code := l.wait(); code != 0 {
				t.Errorf("exit %d", code)
			}
			if got := content(t, dir+"/log"); got != "a\nbeginning and end\n" {
				t.Errorf("got %q", got)
			}
			if got := h.left(t); got != "next\n" {
				t.Errorf("left %q", got)
			}
		}
	})
}

func TestTermDoesNotWaitForEver(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		if !p.hasTimeout() {
			t.Skip("this s6-log has no -t")
		}
		dir, h := t.TempDir(), hold(t)
		l := p.startOn(t, dir, h, "-t", "50", "./log")
		l.write("begin")
		l.consumed()
		begin := time.Now()
		l.signal(syscall.SIGTERM)
		if code := l.wait(); code != 0 || time.Since(begin) < 50*time.Millisecond {
			t.Errorf("exit %d after %v", code, time.Since(begin))
		}
		if got := content(t, dir+"/log"); got != "begin\n" {
			t.Errorf("got %q", got)
		}
	})
}

// Nor for a line that has no end.
func TestTermWithinAHugeLine(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		if !p.hasTimeout() {
			t.Skip("this s6-log goes on for a byte more")
		}
		dir, h := t.TempDir(), hold(t)
		l := p.startOn(t, dir, h, "-v", "-l", "100", "./log")
		l.write("begin")
		l.consumed()
		l.end(p, syscall.SIGTERM)
		l.write(strings.Repeat("x", 500))
		if code := l.wait(); code != 0 {
			t.Errorf("exit %d", code)
		}
		if got := content(t, dir+"/log"); got != "begin"+strings.Repeat("x", 95)+"\n" {
			t.Errorf("got %q", got)
		}
		if got := len(h.left(t)); got != 405 {
			t.Errorf("left %d bytes", got)
		}
	})
}

func TestEndOfInputWhileEnding(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		dir := t.TempDir()
		l := p.start(t, dir, nil, "-v", "./log")
		l.write("begin")
		l.consumed()
		l.end(p, syscall.SIGHUP)
		l.write("x")
		l.consumed()
		must(t, l.in.Close())
		if code := l.wait(); code != 0 {
			t.Errorf("exit %d", code)
		}
		if got := content(t, dir+"/log"); got != "beginx\n" {
			t.Errorf("got %q", got)
		}
	})
}

func TestProtectedFromTerm(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		dir, h := t.TempDir(), hold(t)
		l := p.startOn(t, dir, h, "-p", "./log")
		l.signal(syscall.SIGTERM)
		l.write("a\n")
		l.shows("a\n")
		l.signal(syscall.SIGHUP)
		if code := l.wait(); code != 0 || content(t, dir+"/log") != "a\n" {
			t.Errorf("exit %d, %q", code, content(t, dir+"/log"))
		}
	})
}

// SIGALRM archives what is in every directory, and nothing else.
func TestAlarmRotates(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		dir := t.TempDir()
		l := p.start(t, dir, nil, "--", "./log", "-no", "./other", "-", "./empty")
		l.write("a\nno\nbegin")
		l.shows("no\n")
		l.consumed()
		archives := func(sub string) int {
			found, err := filepath.Glob(filepath.Join(dir, sub, "@*.s"))
			must(t, err)
			return len(found)
		}
		l.signal(syscall.SIGALRM)
		until(t, "a rotation", func() bool {
			_, err := os.Stat(filepath.Join(dir, "other", "previous"))
			return archives("log") == 1 && archives("other") == 1 && os.IsNotExist(err)
		})
		l.write("ning\n")
		l.shows("beginning\n")
		must(t, l.in.Close())
		if code := l.wait(); code != 0 {
			t.Errorf("exit %d", code)
		}
		want := "/empty/current -rwxr--r-- \"\"\n/empty/lock -rw-r--r-- \"\"\n/empty/state -rw-r--r-- \"\"\n" +
			"/log/@1.s -rwxr--r-- \"a\\nno\\n\"\n/log/current -rwxr--r-- \"beginning\\n\"\n/log/lock -rw-r--r-- \"\"\n/log/state -rw-r--r-- \"\"\n" +
			"/other/@1.s -rwxr--r-- \"a\\n\"\n/other/current -rwxr--r-- \"beginning\\n\"\n/other/lock -rw-r--r-- \"\"\n/other/state -rw-r--r-- \"\"\n"
		if got := snapshot(t, dir); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// Without a reader of standard output the directories go on.
func TestClosedStdout(t *testing.T) {
	both(t, func(t *testing.T, p program) {
		dir := t.TempDir()
		r, w, err := os.Pipe()
		must(t, err)
		r.Close()
		l := p.startWithStdout(t, dir, w, "1", "./log")
		w.Close()
		for _, text := range []string{"a\n", "b\n", "c\n"} {
			l.write(text)
			l.shows(text)
		}
		must(t, l.in.Close())
		if code := l.wait(); code != 0 || content(t, dir+"/log") != "a\nb\nc\n" {
			t.Errorf("exit %d, %q", code, content(t, dir+"/log"))
		}
	})
}

// A reader of standard output that does not read holds up neither directories
// nor signals, until there is too much to keep; nothing is lost in the end.
func TestSlowStdout(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	must(t, err)
	l := ours(t).startWithStdout(t, dir, w, "1", "./log")
	w.Close()
	text := numbered(5000, 100) // more than a pipe holds, less than is kept
	l.write(text)
	l.shows("004999 ")
	l.signal(syscall.SIGALRM)
	until(t, "a rotation", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "log", "current"))
		return err == nil && len(b) == 0
	})
	l.signal(syscall.SIGTERM)
	got, err := io.ReadAll(r)
	must(t, err)
	if code := l.wait(); code != 0 || string(got) != text {
		t.Errorf("exit %d, %d bytes of %d", code, len(got), len(text))
	}
}

// What is kept for standard output has a limit: the service has to wait.
func TestBlockedStdout(t *testing.T) {
	for _, args := range [][]string{{"1"}, {"-b", "1"}} {
		dir := t.TempDir()
		r, w, err := os.Pipe()
		must(t, err)
		l := ours(t).startWithStdout(t, dir, w, args...)
		w.Close()
		text := numbered(50000, 100)
		written := make(chan error, 1)
		go func() {
			_, err := l.in.WriteString(text)
			l.in.Close()
			written <- err
		}()
		// It stops reading at some time: its pipe is full for good.
		until(t, "a full pipe", func() bool { return unread(l.in) > 60<<10 })
		select {
		case <-written:
			t.Error("everything was read, though nothing can be written")
		default:
		}
		got, err := io.ReadAll(r)
		must(t, err)
		must(t, <-written)
		if code := l.wait(); code != 0 || string(got) != text {
			t.Errorf("exit %d, %d bytes of %d", code, len(got), len(text))
		}
	}
}
