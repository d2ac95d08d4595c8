package s6

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// listeners counts those who listen to a service's supervisor.
func (r *rig) listeners(name string) int {
	r.t.Helper()
	entries, err := os.ReadDir(r.path(name, "event"))
	must(r.t, err)
	n := 0
	for _, e := range entries {
		if e.Name()[0] != '.' {
			n++
		}
	}
	return n
}

// awaitListeners waits until n listen, by the events of the directory in which
// they announce themselves.
func (r *rig) awaitListeners(name string, n int) {
	r.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(r.t, err)
	f := os.NewFile(uintptr(fd), "inotify")
	defer f.Close()
	_, err = unix.InotifyAddWatch(fd, r.path(name, "event"), unix.IN_MOVED_TO|unix.IN_DELETE)
	must(r.t, err)
	must(r.t, f.SetReadDeadline(time.Now().Add(patience)))
	for r.listeners(name) < n {
		if _, err := f.Read(make([]byte, 4096)); err != nil {
			r.t.Fatalf("waiting for %d listeners of %s: %v", n, name, err)
		}
	}
}

// fillControl writes what supervisors ignore until no more goes in.
func (r *rig) fillControl(name string, owner uint32) {
	r.t.Helper()
	f, err := control.Open(r.open(name).dir, servicedir.ControlFile, owner)
	must(r.t, err)
	defer f.Close()
	rc, err := f.SyscallConn()
	must(r.t, err)
	must(r.t, rc.Write(func(fd uintptr) bool {
		for _, size := range []int{4096, 1} {
			for err == nil {
				_, err = unix.Write(int(fd), make([]byte, size))
			}
			if !errors.Is(err, unix.EAGAIN) {
				return true
			}
			err = nil
		}
		return true
	}))
	must(r.t, err)
}

// watching is a Watch in progress.
type watching struct {
	t    testing.TB
	seen chan waited
	stop context.CancelFunc
	done chan struct{}
}

func (r *rig) watch(name string) *watching {
	ctx, cancel := context.WithCancel(r.ctx)
	w := &watching{t: r.t, seen: make(chan waited, 1000), stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for st, err := range r.m.Watch(ctx, name) {
			w.seen <- waited{st, err}
		}
	}()
	r.t.Cleanup(w.end)
	return w
}

func (w *watching) end() {
	w.stop()
	<-w.done
}

// until returns the first status that is as described, or the error that ended
// the watch.
func (w *watching) until(what string, is func(sm.Status) bool) (sm.Status, error) {
	w.t.Helper()
	last := waited{}
	for {
		select {
		case last = <-w.seen:
			if last.err != nil || is(last.st) {
				return last.st, last.err
			}
		case <-time.After(patience):
			w.t.Fatalf("it was not seen to be %s, the last of it: %+v", what, last.st)
		}
	}
}

func (w *watching) expect(what string, is func(sm.Status) bool) sm.Status {
	w.t.Helper()
	st, err := w.until(what, is)
	if err != nil {
		w.t.Fatalf("waiting for it to be %s: %v", what, err)
	}
	return st
}

func (w *watching) expectState(want sm.State) sm.Status {
	w.t.Helper()
	return w.expect(want.String(), func(st sm.Status) bool { return st.State == want })
}

// What the supervisor's own tool causes is seen, with and without events.
func TestWatchSeesWhatToolsDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{
		"run":             p.run(),
		"finish":          "#!/bin/sh\nread -r word <" + p.inPath + "\n",
		"notification-fd": "3\n",
		"down":            "",
	})
	w := r.watch("web")
	svc := func(option string) { t.Helper(); r.tool("s6-svc", option, r.path("web")) }
	first := w.expectState(sm.StateDown)
	svc("-u")
	w.expectState(sm.StateStarting)
	p.do("echo >&3")
	up := w.expectState(sm.StateUp)
	if !up.Ready || up.PID == 0 || !up.Since.After(first.Since) {
		t.Errorf("up: %+v", up)
	}
	svc("-p")
	w.expect("paused", func(st sm.Status) bool { return st.Paused })
	svc("-c")
	w.expect("running on", func(st sm.Status) bool { return !st.Paused })
	svc("-O")
	w.expectState(sm.StateStopping)
	svc("-u")
	w.expectState(sm.StateUp)
	svc("-k")
	w.expect("finishing after SIGKILL", func(st sm.Status) bool {
		return st.State == sm.StateFinishing && st.WantUp && st.LastExit != nil && st.LastExit.Signal == syscall.SIGKILL
	})
	svc("-d")
	w.expect("finishing, to stay down", func(st sm.Status) bool { return st.State == sm.StateFinishing && !st.WantUp })
	p.do("go")
	w.expectState(sm.StateDown)
}

// A change of the wanted state while there is no process has no event.
func TestWatchSeesWhatHasNoEvent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/nonexistent/interpreter\n"})
	w := r.watch("web")
	w.expectState(sm.StateStarting)
	r.tool("s6-svc", "-d", r.path("web"))
	w.expectState(sm.StateDown)
	r.tool("s6-svc", "-u", r.path("web"))
	w.expectState(sm.StateStarting)
	r.stop("web")
	w.expectState(sm.StateDown)
}

// The death of a supervisor and the coming of the next are seen.
func TestWatchOutlivesASupervisor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	w := r.watch("web")
	for range 2 {
		before := w.expectState(sm.StateUp)
		must(t, syscall.Kill(r.supervisor("web"), syscall.SIGKILL))
		// The next one may be there before anybody can look.
		w.expect("up anew", func(st sm.Status) bool {
			if st.State == sm.StateUnknown && (st.PID != 0 || st.Problem == "") {
				t.Errorf("without a supervisor: %+v", st)
			}
			return st.State == sm.StateUp && st.PID != before.PID
		})
		r.restart("web") // one more change, seen by the same watch
	}
}

// It outlives a whole tree.
func TestWatchOutlivesTheTree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	w := r.watch("web")
	before := w.expectState(sm.StateUp)
	supervisor := r.supervisor("web")
	r.tree.Kill()
	must(t, syscall.Kill(supervisor, syscall.SIGKILL))
	w.expectState(sm.StateUnknown)
	r.tree.Run()
	w.expect("up anew", func(st sm.Status) bool { return st.State == sm.StateUp && st.PID != before.PID })
}

// A name that comes to mean another servicedir is followed there.
func TestWatchFollowsTheName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n"})
	first := r.status("web")
	w := r.watch("web")
	w.expectState(sm.StateUp)
	(files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""}).write(t, r.path(".next"))
	must(t, os.Mkdir(r.path(".next", "event"), 0o700))
	must(t, os.Chmod(r.path(".next", "event"), 0o730|os.ModeSetgid|os.ModeSticky))
	must(t, unix.Renameat2(unix.AT_FDCWD, r.path(".next"), unix.AT_FDCWD, r.path("web"), unix.RENAME_EXCHANGE))
	r.rescan(control.Nuke)
	w.expectState(sm.StateDown)
	r.start("web")
	if st := w.expectState(sm.StateUp); st.PID == first.PID {
		t.Errorf("the process of the old servicedir is shown: %+v", st)
	}
}

// Removing a service ends its watches, also where it is registered again at
// once: unless they were fast enough to see only the new one.
func TestWatchEndsWithTheService(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	w := r.watch("web")
	w.expectState(sm.StateUp)
	must(t, r.m.Unregister(r.ctx, "web"))
	if st, err := w.until("gone", func(sm.Status) bool { return false }); !errors.Is(err, sm.ErrNotRegistered) {
		t.Errorf("got %+v, %v, want ErrNotRegistered", st, err)
	}
	<-w.done
	r.register(sleeper("web"))
	for range 5 {
		before := r.status("web")
		w := r.watch("web")
		w.expectState(sm.StateUp)
		must(t, r.m.Unregister(r.ctx, "web"))
		r.register(sleeper("web"))
		st, err := w.until("another", func(st sm.Status) bool { return st.Running() && st.PID != before.PID })
		if err != nil && !errors.Is(err, sm.ErrNotRegistered) {
			t.Errorf("got %+v, %v", st, err)
		}
	}
}

// Two hundred watches of one service all see what happens, and leave nothing
// behind: no goroutine, no descriptor, no listener. (Not parallel: it counts.)
func TestManyWatches(t *testing.T) {
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.register(p.spec("web"))
	r.awaitState("web", sm.StateUp) // the manager now has its inotify instance
	before := r.status("web")
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
	const watches = 200
	ctx, cancel := context.WithCancel(r.ctx)
	var all, up sync.WaitGroup
	up.Add(watches)
	for range watches {
		all.Go(func() {
			begun := false
			for st, err := range r.m.Watch(ctx, "web") {
				if err != nil {
					t.Error(err)
					return
				}
				if !begun {
					begun = true
					up.Done()
				}
				if st.Running() && st.PID != before.PID {
					return
				}
			}
			t.Error("a watch ended before it saw the restart")
		})
	}
	up.Wait()
	if n := r.listeners("web"); n != watches {
		t.Errorf("%d listeners, want %d", n, watches)
	}
	r.restart("web")
	all.Wait()
	cancel()
	if n := r.listeners("web"); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
	// A goroutine that has done its last is counted for a moment.
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > goroutines && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, were %d", n, goroutines)
	}
	if n := openDescriptors(t); n > descriptors {
		t.Errorf("%d descriptors are open, were %d", n, descriptors)
	}
}

func openDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}

// Closing the manager ends waits and watches, and both before anything is
// released that they use.
func TestCloseEndsWaitsAndWatches(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.register(sleeper("web"))
	own := openOn(t, r.tree)
	var watch sync.WaitGroup
	begun := make(chan struct{})
	watch.Go(func() {
		first := true
		for _, err := range own.Watch(r.ctx, "web") {
			if first {
				close(begun)
			}
			if first = false; err != nil {
				t.Errorf("the watch ended with %v", err)
			}
		}
	})
	<-begun
	before := r.listeners("web")
	done := make(chan error, 1)
	go func() {
		_, err := own.Wait(r.ctx, "web", sm.UntilDown)
		done <- err
	}()
	r.awaitListeners("web", before+1)
	must(t, own.Close())
	if err := <-done; !errors.Is(err, sm.ErrClosed) {
		t.Errorf("the wait ended with %v, want ErrClosed", err)
	}
	watch.Wait()
	if n := r.listeners("web"); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
}
