package fifodir

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventDir(t *testing.T) (*fsat.Dir, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "event")
	must(t, os.Mkdir(path, 0o700))
	dir, err := fsat.Open(path)
	must(t, err)
	t.Cleanup(func() { dir.Close() })
	return dir, path
}

func entries(t *testing.T, path string) []string {
	t.Helper()
	list, err := os.ReadDir(path)
	must(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// What is notified arrives, in order, also before the first Next.
func TestNotifyReachesSubscribers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir, _ := eventDir(t)
	a, err := Subscribe(dir)
	must(t, err)
	defer a.Close()
	b, err := Subscribe(dir)
	must(t, err)
	defer b.Close()
	must(t, Notify(dir, []byte("s")))
	must(t, Notify(dir, []byte("u")))
	for _, sub := range []*Sub{a, b} {
		got, err := sub.Next(ctx)
		if err != nil || string(got) != "su" {
			t.Errorf("Next = %q, %v", got, err)
		}
	}
}

// A listener that is gone loses its FIFO at the next event; other files stay.
func TestNotifyRemovesTheDead(t *testing.T) {
	dir, path := eventDir(t)
	dead := prefix + strings.Repeat("4", 24) + ":abcdef"
	must(t, unix.Mkfifo(filepath.Join(path, dead), 0o622))
	other := prefix + strings.Repeat("4", 24) + ":abcde" // one byte too short
	must(t, unix.Mkfifo(filepath.Join(path, other), 0o622))
	for _, act := range []func() error{func() error { return Clean(dir) }, func() error { return Notify(dir, []byte("x")) }} {
		must(t, act())
		if left := entries(t, path); len(left) != 1 || left[0] != other {
			t.Errorf("left: %v, want %s", left, other)
		}
		must(t, unix.Mkfifo(filepath.Join(path, dead), 0o622))
	}
}

// A full FIFO loses events and holds up nobody; a file in a listener's place is
// not written to.
func TestNotifyIsNeverHeldUp(t *testing.T) {
	dir, path := eventDir(t)
	slow, err := Subscribe(dir)
	must(t, err)
	defer slow.Close()
	file := prefix + strings.Repeat("5", 24) + ":abcdef"
	must(t, os.WriteFile(filepath.Join(path, file), nil, 0o600))
	chunk := bytes.Repeat([]byte("u"), 4096)
	for range 40 { // a FIFO holds 16 of these
		must(t, Notify(dir, chunk))
	}
	if b, err := os.ReadFile(filepath.Join(path, file)); err != nil || len(b) > 0 {
		t.Errorf("a regular file was written to: %d bytes, %v", len(b), err)
	}
}

// s6's own listener hears our notifier, and removes nothing of ours.
func TestRealListenerHearsUs(t *testing.T) {
	listener := s6test.Tool(t, "s6-ftrig-listen1")
	dir, path := eventDir(t)
	// The program is run once the listener is subscribed.
	cmd := exec.Command(listener, "-t", "20000", path, "U", "echo", "subscribed")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	buf := make([]byte, 64)
	_, err = out.Read(buf)
	must(t, err)
	must(t, Notify(dir, []byte("uU")))
	must(t, cmd.Wait())
}
