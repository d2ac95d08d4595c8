package dirwatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newHub(t testing.TB) *Hub {
	t.Helper()
	h, err := New()
	must(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

func held(t testing.TB) (*fsat.Dir, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "supervise")
	must(t, os.Mkdir(path, 0o700))
	d, err := fsat.Open(path)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d, path
}

// replace does what a supervisor does with its status.
func replace(t testing.TB, path string) {
	t.Helper()
	replaceFile(t, path, "status")
}

func replaceFile(t testing.TB, path, name string) {
	t.Helper()
	tmp := filepath.Join(path, name+".new")
	must(t, os.WriteFile(tmp, []byte("x"), 0o600))
	must(t, os.Rename(tmp, filepath.Join(path, name)))
}

func expect(t testing.TB, what string, w *Watch) {
	t.Helper()
	select {
	case <-w.C:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s was not reported", what)
	}
}

// quiet checks that nothing is reported for what was done before, with a
// second watch to tell when that has been seen.
func quiet(t testing.TB, what string, w, witness *Watch, path string) {
	t.Helper()
	replace(t, path)
	expect(t, "the witness's change", witness)
	select {
	case <-w.C:
		t.Errorf("%s was reported", what)
	default:
	}
}

func TestReplace(t *testing.T) {
	h := newHub(t)
	d, path := held(t)
	w, err := h.Add(d, "status")
	must(t, err)
	defer w.Close()
	for range 3 {
		replace(t, path)
		expect(t, "a new status", w)
	}
	for range 10 { // several may come as one, the last is never lost
		replace(t, path)
	}
	expect(t, "the last of many", w)
}

// What else happens in the directory is of no interest.
func TestOtherChanges(t *testing.T) {
	h := newHub(t)
	d, path := held(t)
	other, otherPath := held(t)
	w, err := h.Add(d, "status")
	must(t, err)
	defer w.Close()
	witness, err := h.Add(other, "status")
	must(t, err)
	defer witness.Close()
	must(t, os.WriteFile(filepath.Join(path, "file"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(path, "file"), []byte("x"), 0o600))
	must(t, os.Remove(filepath.Join(path, "file")))
	replaceFile(t, path, "death_tally")
	quiet(t, "something else than a new status", w, witness, otherPath)
}

// Two listeners on one directory for two names hear of their own.
func TestTwoNames(t *testing.T) {
	h := newHub(t)
	d, path := held(t)
	status, err := h.Add(d, "status")
	must(t, err)
	defer status.Close()
	note, err := h.Add(d, "note")
	must(t, err)
	defer note.Close()
	replaceFile(t, path, "note")
	expect(t, "a new note", note)
	replace(t, path)
	expect(t, "a new status", status)
	select {
	case <-note.C:
		t.Error("a new status was reported to the listener for notes")
	default:
	}
	select {
	case <-status.C:
		t.Error("two changes were reported where one was")
	default:
	}
}

// Two listeners on one directory both hear, and one that leaves takes nothing
// from the other.
func TestSharedDirectory(t *testing.T) {
	h := newHub(t)
	d, path := held(t)
	again, err := fsat.Open(path)
	must(t, err)
	defer again.Close()
	a, err := h.Add(d, "status")
	must(t, err)
	b, err := h.Add(again, "status")
	must(t, err)
	replace(t, path)
	expect(t, "a new status to the first", a)
	expect(t, "a new status to the second", b)
	a.Close()
	quiet(t, "a change after the end of the watch", a, b, path)
	b.Close()
	c, err := h.Add(d, "status")
	must(t, err)
	defer c.Close()
	replace(t, path)
	expect(t, "a change to a third", c)
}

// The end of a directory is a change as well.
func TestRemovedDirectory(t *testing.T) {
	h := newHub(t)
	path := filepath.Join(t.TempDir(), "supervise")
	must(t, os.Mkdir(path, 0o700))
	d, err := fsat.Open(path)
	must(t, err)
	w, err := h.Add(d, "status")
	must(t, err)
	must(t, os.RemoveAll(path))
	must(t, d.Close()) // the last reference to it
	expect(t, "the end of the directory", w)
	w.Close()
}

func TestAddFails(t *testing.T) {
	h := newHub(t)
	d, path := held(t)
	if os.Geteuid() != 0 {
		must(t, os.Chmod(path, 0o100))
		if _, err := h.Add(d, "status"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a directory that may not be read: %v", err)
		}
		must(t, os.Chmod(path, 0o700))
	}
	must(t, h.Close())
	if _, err := h.Add(d, "status"); err == nil {
		t.Error("a watch was added to a closed hub")
	}
}

// Watches come and go while changes are reported.
func TestManyAtOnce(t *testing.T) {
	h := newHub(t)
	d, path := held(t)
	stop := make(chan struct{})
	var changes, watches sync.WaitGroup
	changes.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				replace(t, path)
			}
		}
	})
	for range 20 {
		watches.Go(func() {
			for range 20 {
				w, err := h.Add(d, "status")
				if err != nil {
					t.Error(err)
					return
				}
				expect(t, "a change", w)
				w.Close()
			}
		})
	}
	watches.Wait()
	close(stop)
	changes.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.watches); n > 0 {
		t.Errorf("%d watches are left", n)
	}
}
