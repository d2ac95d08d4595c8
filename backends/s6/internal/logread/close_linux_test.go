package logread

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// within fails the test if do takes longer than anything here may.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		buf := make([]byte, 1<<16)
		t.Fatalf("%s did not end\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

// following lists readers that wait: for lines, for a current, for a directory.
func following(t *testing.T) map[string]string {
	l, empty := newTestLog(t), newTestLog(t)
	l.write("a\n")
	return map[string]string{"lines": l.dir, "current": empty.dir, "directory": filepath.Join(t.TempDir(), "x", "y")}
}

func TestEndOfWait(t *testing.T) {
	errCause := errors.New("a cause")
	tests := []struct {
		name string
		end  func(r io.Closer, cancel context.CancelCauseFunc)
		want error
	}{
		{name: "close", end: func(r io.Closer, _ context.CancelCauseFunc) { r.Close() }, want: fs.ErrClosed},
		{name: "cancel", end: func(_ io.Closer, cancel context.CancelCauseFunc) { cancel(nil) }, want: context.Canceled},
		{name: "cancel with cause", end: func(_ io.Closer, cancel context.CancelCauseFunc) { cancel(errCause) }, want: context.Canceled},
	}
	for _, tc := range tests {
		for what, dir := range following(t) {
			t.Run(tc.name+" while waiting for "+what, func(t *testing.T) {
				for range 10 {
					ctx, cancel := context.WithCancelCause(t.Context())
					r, err := Open(ctx, dir, Options{Follow: true})
					if err != nil {
						t.Fatal(err)
					}
					var got [3]error
					var reads sync.WaitGroup
					for i := range got {
						reads.Go(func() { _, got[i] = io.Copy(io.Discard, r) })
					}
					runtime.Gosched()
					tc.end(r, cancel)
					within(t, "Read", reads.Wait)
					for _, err := range got {
						if !errors.Is(err, tc.want) {
							t.Fatalf("Read ended with %v, want %v", err, tc.want)
						}
					}
					within(t, "Close", func() { r.Close() })
					cancel(nil)
				}
			})
		}
	}
}

// After its end a reader delivers nothing, even if there is something.
func TestEndWhileReading(t *testing.T) {
	l := newTestLog(t)
	l.write("a\nb\n")
	for _, follow := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := Open(ctx, l.dir, Options{Follow: follow})
		must(t, err)
		testReader{t, r}.want("a\n")
		cancel()
		within(t, "Read", func() {
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
				t.Errorf("follow %v: error %v, want that of the context", follow, err)
			}
		})
		must(t, r.Close())
		must(t, r.Close())

		r = openLog(t, l.dir, Options{Follow: follow})
		must(t, r.Close())
		if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("follow %v: Read after Close gave %d, %v", follow, n, err)
		}
	}
}

func TestReadOfNothing(t *testing.T) {
	l := newTestLog(t)
	r := openLog(t, l.dir, Options{Follow: true})
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("descriptors cannot be counted: ", err)
	}
	return len(entries)
}

func TestNothingIsLeft(t *testing.T) {
	// A context of another kind costs a goroutine until it is let go of.
	ctx := struct{ context.Context }{t.Context()}
	use := func() {
		l := newTestLog(t)
		l.write("a\n")
		for _, opts := range []Options{{}, {Lines: 1}, {Follow: true}, {Follow: true, Since: at(0)}} {
			r, err := Open(ctx, l.dir, opts)
			must(t, err)
			l.write("b\n")
			l.rename()
			l.reopen()
			if opts.Follow {
				testReader{t, r}.want("a\n")
				l.write("c\n")
				r2, err := Open(ctx, filepath.Join(l.dir, "x", "y"), opts)
				must(t, err)
				must(t, r2.Close())
			}
			l.link(previous, ".s")
			l.unlink(previous)
			must(t, r.Close())
			l.check(os.RemoveAll(l.dir))
			l.check(os.Mkdir(l.dir, 0o700))
			l.reopen()
			l.write("a\n")
		}
		l.check(os.RemoveAll(l.dir))
		for _, opts := range []Options{{}, {Follow: true}} {
			l.check(os.Symlink("x", l.dir))
			if _, err := Open(ctx, l.dir, opts); err == nil {
				t.Fatal("a link was opened")
			}
			l.check(os.Remove(l.dir))
		}
		l.check(os.MkdirAll(l.path(previous), 0o700))
		lineIn(t, l.dir, "a\n")
		for _, opts := range []Options{{}, {Follow: true}} {
			if _, err := Open(ctx, l.dir, opts); err == nil {
				t.Fatal("a directory was read")
			}
		}
		l.f.Close()
	}
	use()
	fds, goroutines := descriptors(t), runtime.NumGoroutine()
	for range 5 {
		use()
	}
	if now := descriptors(t); now > fds {
		t.Errorf("%d descriptors, %d before", now, fds)
	}
	// A goroutine that waited for the context ends after Close, not in it.
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > goroutines {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), goroutines, buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
}
