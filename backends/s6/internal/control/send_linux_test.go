package control

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// held opens a directory for a test.
func held(t testing.TB) (*fsat.Dir, string) {
	t.Helper()
	path := t.TempDir()
	d, err := fsat.Open(path)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d, path
}

// reader makes a FIFO and opens it as a supervisor does: with a write end of its
// own, so that it never sees the end of the file.
func reader(t testing.TB, path string) *os.File {
	t.Helper()
	must(t, unix.Mkfifo(path, 0o600))
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	w, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	must(t, err)
	t.Cleanup(func() { w.Close() })
	return f
}

var self = uint32(os.Geteuid())

func TestSend(t *testing.T) {
	d, path := held(t)
	must(t, os.Mkdir(filepath.Join(path, "supervise"), 0o700))
	r := reader(t, filepath.Join(path, "supervise", "control"))
	must(t, Send(context.Background(), d, "supervise/control", self, "Uu"))
	f, err := Open(d, "supervise/control", self)
	must(t, err)
	defer f.Close()
	if n, err := Unread(f); err != nil || n != 2 {
		t.Errorf("before they are read: %d bytes, %v", n, err)
	}
	buf := make([]byte, 10)
	n, err := unix.Read(int(r.Fd()), buf)
	if err != nil || string(buf[:n]) != "Uu" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if n, err := Unread(f); err != nil || n != 0 {
		t.Errorf("after they were read: %d bytes, %v", n, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	d, path := held(t)
	file := func(name string) string { return filepath.Join(path, name) }
	must(t, unix.Mkfifo(file("deaf"), 0o600))
	must(t, os.WriteFile(file("file"), nil, 0o600))
	must(t, os.Mkdir(file("directory"), 0o700))
	reader(t, file("theirs"))
	reader(t, file("target"))
	must(t, os.Symlink("target", file("link")))
	tests := []struct {
		name  string
		owner uint32
		want  error
	}{
		{name: "absent", owner: self, want: ErrNobody},
		{name: "deaf", owner: self, want: ErrNobody},
		{name: "absent/control", owner: self, want: ErrNobody},
		{name: "file", owner: self, want: ErrNotFIFO},
		{name: "directory", owner: self, want: unix.EISDIR},
		{name: "link", owner: self},
	}
	if self != 0 { // root's own are good for everybody
		tests = append(tests, struct {
			name  string
			owner uint32
			want  error
		}{name: "theirs", owner: self + 1, want: ErrNotFIFO})
	}
	for _, tc := range tests {
		f, err := Open(d, tc.name, tc.owner)
		if err == nil {
			f.Close()
			t.Errorf("%s was opened", tc.name)
			continue
		}
		if tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), file(tc.name)) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		if err := Send(context.Background(), d, tc.name, tc.owner, "u"); err == nil {
			t.Errorf("%s was written to", tc.name)
		}
	}
	if b, err := os.ReadFile(file("file")); err != nil || len(b) > 0 {
		t.Errorf("the file now holds %q, %v", b, err)
	}
	if self == 0 {
		must(t, os.Chown(file("theirs"), 12345, -1))
		if _, err := Open(d, "theirs", 0); !errors.Is(err, ErrNotFIFO) || !strings.Contains(err.Error(), "uid 12345") {
			t.Errorf("theirs: %v", err)
		}
		f, err := Open(d, "theirs", 12345)
		must(t, err)
		f.Close()
		return
	}
	must(t, os.Chmod(file("target"), 0o400))
	if _, err := Open(d, "target", self); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a FIFO that may not be written: %v", err)
	}
}

// fill writes until no more goes in.
func fill(t testing.TB, path string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	for err == nil {
		_, err = unix.Write(fd, make([]byte, 4096))
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
}

func TestSendWaitsWhileFull(t *testing.T) {
	d, path := held(t)
	r := reader(t, filepath.Join(path, "control"))
	fill(t, filepath.Join(path, "control"))

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := Send(ctx, d, "control", self, "d"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("full: %v, want the context's error", err)
	}
	done := make(chan error, 1)
	go func() { done <- Send(context.Background(), d, "control", self, "d") }()
	got, buf := 0, make([]byte, 1<<20)
	for !bytes.HasSuffix(buf[:got], []byte("d")) {
		n, err := r.Read(buf[got:])
		must(t, err)
		got += n
	}
	must(t, <-done)
}

func TestWriteAfterTheReaderHasGone(t *testing.T) {
	d, path := held(t)
	r := reader(t, filepath.Join(path, "control"))
	f, err := Open(d, "control", self)
	must(t, err)
	defer f.Close()
	must(t, r.Close())
	if err := Write(context.Background(), f, "d"); !errors.Is(err, ErrNobody) {
		t.Errorf("got %v, want ErrNobody", err)
	}
}

// A writer that waits learns that nobody will ever read.
func TestWriteWhileTheReaderGoes(t *testing.T) {
	d, path := held(t)
	r := reader(t, filepath.Join(path, "control"))
	fill(t, filepath.Join(path, "control"))
	done := make(chan error, 1)
	go func() { done <- Send(context.Background(), d, "control", self, "d") }()
	must(t, r.Close())
	if err := <-done; !errors.Is(err, ErrNobody) {
		t.Errorf("got %v, want ErrNobody", err)
	}
}

func TestSignalByte(t *testing.T) {
	known := map[syscall.Signal]byte{
		unix.SIGALRM: 'a', unix.SIGABRT: 'b', unix.SIGQUIT: 'q', unix.SIGHUP: 'h', unix.SIGKILL: 'k', unix.SIGTERM: 't',
		unix.SIGINT: 'i', unix.SIGUSR1: '1', unix.SIGUSR2: '2', unix.SIGSTOP: 'p', unix.SIGCONT: 'c', unix.SIGWINCH: 'y',
	}
	for sig := syscall.Signal(0); sig < 70; sig++ {
		if b, ok := SignalByte(sig); b != known[sig] || ok != (known[sig] != 0) {
			t.Errorf("%v: %q, %v, want %q", sig, b, ok, known[sig])
		}
	}
}
