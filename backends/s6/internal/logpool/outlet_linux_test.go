package logpool

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
)

// deafPipe is a pipe that is full and that nobody reads.
func deafPipe(t *testing.T) *os.File {
	t.Helper()
	var p [2]int
	must(t, unix.Pipe2(p[:], unix.O_CLOEXEC))
	must(t, unix.SetNonblock(p[1], true))
	for {
		if _, err := unix.Write(p[1], make([]byte, 4096)); err != nil {
			break
		}
	}
	must(t, unix.SetNonblock(p[1], false))
	read, write := os.NewFile(uintptr(p[0]), "read"), os.NewFile(uintptr(p[1]), "write")
	t.Cleanup(func() { read.Close(); write.Close() })
	return write
}

// Nobody reads standard output: the logs that go there wait once a megabyte is on
// its way, their directories are written as far; the others do not wait, nor does
// the end.
func TestNobodyReadsStandardOutput(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	deaf := deafPipe(t)
	p := start(t, func(cmd *exec.Cmd) { withLines(cmd, deaf) })
	tee := logDir(t, filepath.Join(root, "tee"), "n1000", "1", "./main")
	other := logDir(t, filepath.Join(root, "other"), "./main")
	p.add("tee", tee)
	p.add("other", other)
	s, o := service(t, tee), service(t, other)
	text := numbered(0, stdoutQueue+500<<10)
	written := make(chan struct{})
	go func() {
		fmt.Fprint(s, text)
		close(written)
	}()
	until(t, "a full FIFO", func() bool { return unread(t, s) > 60<<10 })
	for i := range 50 {
		fmt.Fprintf(o, "other %d\n", i)
		shows(t, filepath.Join(other, "main"), fmt.Sprintf("other %d\n", i))
	}
	began := time.Now()
	must(t, p.in.Close())
	if p.ended(); time.Since(began) > endGrace+4*lastWords {
		t.Errorf("it ends after %v", time.Since(began))
	}
	q := start(t, nil)
	q.add("tee", tee)
	<-written
	q.finish()
	check(t, content(t, filepath.Join(tee, "main")), len(text), 1)
}

// Nobody reads warnings: they are dropped.
func TestNobodyReadsWarnings(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := start(t, func(cmd *exec.Cmd) { cmd.Stderr = deafPipe(t) })
	for i := range 300 {
		p.send(wire.Add, strings.Repeat("long", 100)+fmt.Sprint(i), filepath.Join(root, strings.Repeat("no such directory ", 10)))
	}
	dir := logDir(t, filepath.Join(root, "web"), "2", "./main")
	p.add("web", dir)
	s := service(t, dir)
	for i := range 1000 {
		fmt.Fprintf(s, "alert %d\n", i)
	}
	shows(t, filepath.Join(dir, "main"), "alert 999\n")
	must(t, p.in.Close())
	if code := p.ended(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestWholeLines(t *testing.T) {
	long := strings.Repeat("x", longestPart)
	for _, tc := range []struct {
		parts []string
		want  string
	}{
		{[]string{"a\n", "b\nc\n"}, "a\nb\nc\n"},
		{[]string{"a", "b", "\nc", "d\n", "e"}, "ab\ncd\n"},
		{[]string{long, "yz\n", "b\n"}, long + "yz\nb\n"},
		{[]string{long, "y", "z\n"}, long + "y\nz\n"},
	} {
		r, w, err := os.Pipe()
		must(t, err)
		o := newOutlet(int(w.Fd()), 1<<20, false)
		lines := &wholeLines{to: o}
		for _, part := range tc.parts {
			text := []byte(part)
			if n, err := lines.Write(text); n != len(part) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			copy(text, bytes.Repeat([]byte("!"), len(text))) // is the caller's again
		}
		o.close(nil)
		w.Close()
		var got bytes.Buffer
		got.ReadFrom(r)
		r.Close()
		if got.String() != tc.want {
			t.Errorf("%.20q became %.20q", tc.parts, got.String())
		}
	}
}
