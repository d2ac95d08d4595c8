package fifodir

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"
)

// Between two notifications there is no end of file: notifiers close.
func TestNextOutlivesNotifiers(t *testing.T) {
	dir, _ := eventDir(t)
	sub, err := Subscribe(dir)
	must(t, err)
	defer sub.Close()
	got := make(chan string)
	go func() {
		for range 3 {
			events, err := sub.Next(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- string(events)
		}
	}()
	for range 3 {
		must(t, Notify(dir, []byte("u")))
		select {
		case events := <-got:
			if events != "u" {
				t.Errorf("got %q", events)
			}
		case <-time.After(time.Minute):
			t.Fatal("an event did not arrive")
		}
	}
}

// A directory that is removed with the service takes the FIFO with it.
func TestCloseAfterTheDirectoryIsGone(t *testing.T) {
	dir, path := eventDir(t)
	sub, err := Subscribe(dir)
	must(t, err)
	must(t, os.RemoveAll(path))
	must(t, sub.Close())
	if _, err := Subscribe(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("subscribing in a directory that is gone: %v", err)
	}
}

func TestSubscribeWithoutTheRight(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir, path := eventDir(t)
	must(t, os.Chmod(path, 0o500))
	if _, err := Subscribe(dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	must(t, os.Chmod(path, 0o700))
	if left := entries(t, path); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
