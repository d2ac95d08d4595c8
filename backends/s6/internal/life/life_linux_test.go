package life

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ends are both ends of a FIFO.
func ends(t testing.TB) (r, w *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	must(t, unix.Mkfifo(path, 0o600))
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	must(t, err)
	t.Cleanup(func() { r.Close() })
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	must(t, err)
	w = os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { w.Close() })
	return r, w
}

func TestFIFO(t *testing.T) {
	r, w := ends(t)
	done := make(chan error, 1)
	go func() { done <- FIFO(context.Background(), w) }()
	must(t, r.Close())
	must(t, <-done)
	must(t, FIFO(context.Background(), w)) // and it stays so
}

// That there is room to write, or something to read, is no end.
func TestFIFOThatIsInUse(t *testing.T) {
	r, w := ends(t)
	_, err := w.WriteString("du")
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := FIFO(ctx, w); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	buf := make([]byte, 2)
	if n, err := r.Read(buf); err != nil || n != 2 {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

// child is a process that lives until its input ends.
func child(t testing.TB) (cmd *exec.Cmd, end func()) {
	t.Helper()
	cmd = exec.Command("cat")
	in, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	end = func() { in.Close(); cmd.Wait() }
	t.Cleanup(end)
	return cmd, end
}

func TestProcess(t *testing.T) {
	cmd, end := child(t)
	pidfd, err := OpenProcess(cmd.Process.Pid)
	must(t, err)
	defer pidfd.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := Process(ctx, pidfd); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a process that lives: %v", err)
	}
	end()
	if _, err := OpenProcess(cmd.Process.Pid); err == nil {
		t.Error("a process that is gone was opened")
	}
	other, end := child(t)
	pidfd, err = OpenProcess(other.Process.Pid)
	must(t, err)
	defer pidfd.Close()
	done := make(chan error, 1)
	go func() { done <- Process(context.Background(), pidfd) }()
	end()
	must(t, <-done)
}

func TestParent(t *testing.T) {
	cmd, end := child(t)
	if got, err := Parent(cmd.Process.Pid); err != nil || got != os.Getpid() {
		t.Errorf("got %d, %v, want %d", got, err, os.Getpid())
	}
	end()
	if got, err := Parent(cmd.Process.Pid); err == nil {
		t.Errorf("a process that is gone has the parent %d", got)
	}
}

// The name of a process may look like the rest of the line.
func TestParentOfAnOddName(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "x) R 1 1 (")
	cat, err := exec.LookPath("cat")
	must(t, err)
	b, err := os.ReadFile(cat)
	must(t, err)
	must(t, os.WriteFile(odd, b, 0o755))
	cmd := exec.Command(odd)
	in, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	defer cmd.Wait()
	defer in.Close()
	if got, err := Parent(cmd.Process.Pid); err != nil || got != os.Getpid() {
		t.Errorf("got %d, %v, want %d", got, err, os.Getpid())
	}
}
