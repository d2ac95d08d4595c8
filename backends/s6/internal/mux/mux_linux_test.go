package mux

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const soon = 10 * time.Second

// running returns a mux that runs until the test ends.
func running(t *testing.T) *Mux {
	t.Helper()
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	end := run(m)
	t.Cleanup(func() {
		if err := end(); !errors.Is(err, errEnd) {
			t.Errorf("Run ended with %v, not with the cause", err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

var errEnd = errors.New("the test ends")

func run(m *Mux) (end func() error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- m.Run(ctx) }()
	return func() error {
		cancel(errEnd)
		return <-ran
	}
}

func pipe(t *testing.T) (r, w int) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	return p[0], p[1]
}

func write(t *testing.T, fd int, text string) {
	t.Helper()
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(soon):
		t.Fatal("no", what)
	}
	return v
}

// settle returns when all that was ready has been seen: a watch added later is
// seen later, and a round of all is complete when it has been seen twice.
func settle(t *testing.T, m *Mux) {
	t.Helper()
	r, w := pipe(t)
	defer unix.Close(r)
	defer unix.Close(w)
	write(t, w, "x")
	rounds, done := 0, make(chan struct{})
	watch, err := m.Add(r, func(uint32) bool {
		rounds++
		if rounds == 3 {
			close(done)
		}
		return rounds < 3
	})
	if err != nil {
		t.Fatal(err)
	}
	receive(t, done, "rounds")
	watch.Remove()
}

func TestReadyIsCalledAsLongAsSomethingIsThere(t *testing.T) {
	m := running(t)
	r, w := pipe(t)
	defer unix.Close(r)
	got := make(chan byte, 10)
	watch, err := m.Add(r, func(events uint32) bool {
		var b [1]byte // one at a time: what is left must be told again
		if n, _ := unix.Read(r, b[:]); n > 0 {
			got <- b[0]
			return true
		}
		close(got)
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, "abc")
	for _, want := range []byte("abc") {
		if b := receive(t, got, "byte"); b != want {
			t.Errorf("read %q, not %q", b, want)
		}
	}
	unix.Close(w)
	if b, open := <-got; open {
		t.Errorf("read %q after the end", b)
	}
	watch.Remove()
	if len(m.watches) != 0 {
		t.Errorf("%d watches left", len(m.watches))
	}
}

func TestNoCallAfterFalse(t *testing.T) {
	m := running(t)
	r, w := pipe(t)
	defer unix.Close(r)
	defer unix.Close(w)
	calls := 0
	if _, err := m.Add(r, func(uint32) bool { calls++; return false }); err != nil {
		t.Fatal(err)
	}
	write(t, w, "x")
	settle(t, m)
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

// What was fetched from the kernel together may be removed by what is called
// first.
func TestRemovedByAnotherOfTheSameRound(t *testing.T) {
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var watches [10]*Watch
	calls := 0
	for i := range watches {
		r, w := pipe(t)
		defer unix.Close(r)
		defer unix.Close(w)
		write(t, w, "x")
		watches[i], err = m.Add(r, func(uint32) bool {
			calls++
			for j, other := range watches {
				if j != i {
					other.Remove()
				}
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	end := run(m)
	settle(t, m)
	end()
	if len(m.watches) != 1 {
		t.Errorf("%d watches left", len(m.watches))
	}
	if calls == 0 {
		t.Error("none was called")
	}
	m.Close()
}

// Remove waits for a ready that runs, and none runs afterwards, whatever
// becomes of the number of the descriptor.
func TestRemoveUnderLoad(t *testing.T) {
	m := running(t)
	var wg sync.WaitGroup
	var calls atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 300 {
				r, w := pipe(t)
				var removed, busy atomic.Bool
				called := make(chan struct{}, 1)
				watch, err := m.Add(r, func(uint32) bool {
					busy.Store(true)
					if removed.Load() {
						t.Error("called after Remove")
					}
					calls.Add(1)
					select {
					case called <- struct{}{}:
					default:
					}
					busy.Store(false)
					return true
				})
				if err != nil {
					t.Error(err)
					return
				}
				unix.Write(w, []byte("x"))
				<-called
				watch.Remove()
				if busy.Load() {
					t.Error("running after Remove")
				}
				removed.Store(true)
				watch.Remove()
				unix.Close(r)
				unix.Close(w)
			}
		})
	}
	wg.Wait()
	if calls.Load() < 8*300 {
		t.Errorf("%d calls", calls.Load())
	}
	if len(m.watches) != 0 {
		t.Errorf("%d watches left", len(m.watches))
	}
}

func TestHangupOnly(t *testing.T) {
	m := running(t)
	r, w := pipe(t)
	events := make(chan uint32, 10)
	if _, err := m.Own(r, func(e uint32) Next {
		events <- e
		if e&unix.EPOLLHUP != 0 {
			return Done
		}
		return Hangup
	}); err != nil {
		t.Fatal(err)
	}
	write(t, w, "x")
	if e := receive(t, events, "event"); e != unix.EPOLLIN {
		t.Errorf("events %#x", e)
	}
	settle(t, m)
	if len(events) != 0 {
		t.Error("told of input again")
	}
	unix.Close(w)
	if e := receive(t, events, "hangup"); e&unix.EPOLLHUP == 0 {
		t.Errorf("events %#x", e)
	}
}

// opened is a descriptor and what it means: the number alone is soon another's.
type opened struct {
	fd  int
	ino uint64
}

func isOpen(o opened) bool {
	var st unix.Stat_t
	return unix.Fstat(o.fd, &st) == nil && st.Ino == o.ino
}

func TestOwnClosesTheDescriptor(t *testing.T) {
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	end := run(m)
	own := func(text string) (o opened, watch *Watch) {
		r, w := pipe(t)
		defer unix.Close(w)
		write(t, w, "x")
		var st unix.Stat_t
		if err := unix.Fstat(r, &st); err != nil {
			t.Fatal(err)
		}
		watch, err := m.Own(r, func(uint32) Next {
			if text == "done" {
				return Done
			}
			return Hangup
		})
		if err != nil {
			t.Fatal(err)
		}
		return opened{r, st.Ino}, watch
	}
	done, _ := own("done")
	removed, watch := own("removed")
	left, _ := own("left")
	settle(t, m)
	watch.Remove()
	if isOpen(done) || isOpen(removed) || !isOpen(left) {
		t.Errorf("open: done %v, removed %v, left %v", isOpen(done), isOpen(removed), isOpen(left))
	}
	end()
	m.Close()
	if isOpen(left) {
		t.Error("Close has left it open")
	}
	if _, err := m.Add(0, func(uint32) bool { return false }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Add after Close: %v", err)
	}
}

func TestRunAgain(t *testing.T) {
	m, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range 100 {
		end := run(m)
		settle(t, m)
		if err := end(); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWhatCannotBeWatched(t *testing.T) {
	m := running(t)
	f, err := os.Open("/proc/self/stat")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if _, err := m.Add(int(f.Fd()), func(uint32) bool { return false }); !errors.Is(err, unix.EPERM) {
		t.Errorf("a regular file: %v", err)
	}
	if len(m.watches) != 0 {
		t.Errorf("%d watches left", len(m.watches))
	}
}
