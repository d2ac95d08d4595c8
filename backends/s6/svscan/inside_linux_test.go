package svscan_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// inside is a tree within the test.
type inside struct {
	t      *testing.T
	dir    string
	cancel context.CancelFunc
	done   chan error

	mu    sync.Mutex
	warns []string
}

const insidePatience = 20 * time.Second

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// scanDir makes a scan directory; what runs below it at the end is ended.
func scanDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(s6test.Dir(t, os.Geteuid()), "service")
	mustDo(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() {
		for _, pid := range s6test.Below(filepath.Dir(dir)) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return dir
}

// service makes a service directory.
func makeService(t *testing.T, dir, name, script string) {
	t.Helper()
	path := filepath.Join(dir, name)
	mustDo(t, os.Mkdir(path, 0o755))
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	mustDo(t, os.WriteFile(filepath.Join(path, "run"), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// newTree takes a scan directory. A child of another test has the lock of the tree
// before until it has executed its program.
func newTree(t *testing.T, opts svscan.Options) *svscan.Tree {
	t.Helper()
	tree, err := svscan.New(opts)
	for end := time.Now().Add(insidePatience); errors.Is(err, svscan.ErrScanning) && time.Now().Before(end); {
		tree, err = svscan.New(opts)
	}
	mustDo(t, err)
	return tree
}

// runInside runs a tree; before is called between New and Run.
func runInside(t *testing.T, opts svscan.Options, before func(*svscan.Tree)) *inside {
	t.Helper()
	in := &inside{t: t, dir: opts.Dir, done: make(chan error, 1)}
	opts.Warn = func(text string) {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.warns = append(in.warns, text)
	}
	tree := newTree(t, opts)
	if before != nil {
		before(tree)
	}
	ctx, cancel := context.WithCancel(context.Background())
	in.cancel = cancel
	go func() { in.done <- tree.Run(ctx) }()
	t.Cleanup(func() { in.end() })
	return in
}

// end ends the tree by its context, and returns what Run said.
func (in *inside) end() {
	in.cancel()
	select {
	case err := <-in.done:
		in.done <- err
		if err != nil {
			in.t.Errorf("Run: %v", err)
		}
	case <-time.After(insidePatience):
		in.t.Fatal("the tree does not end")
	}
}

func (in *inside) warned() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return strings.Join(in.warns, "\n")
}

// await waits until a service is as wanted.
func await(t *testing.T, dir, name string, state sm.State) sm.Status {
	t.Helper()
	return awaitThat(t, dir, name, func(st sm.Status) bool { return st.State == state })
}

func awaitThat(t *testing.T, dir, name string, wanted func(sm.Status) bool) sm.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), insidePatience)
	defer cancel()
	m, err := s6.Backend().Open(ctx, sm.Options{ScanDir: dir})
	mustDo(t, err)
	defer m.Close()
	for {
		st, err := m.Status(ctx, name)
		if err == nil && wanted(st) {
			return st
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s is %+v, %v", name, st, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// A tree in a program leaves nothing behind: no process, goroutine or descriptor.
func TestTreeInAProgram(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	dir := scanDir(t)
	makeService(t, dir, "web", "exec sleep 1000")
	makeService(t, dir, "api", "exec sleep 1000")
	in := runInside(t, svscan.Options{Dir: dir, Version: "test"}, nil)
	pids := []int{await(t, dir, "web", sm.StateUp).PID, await(t, dir, "api", sm.StateUp).PID}
	if b, err := os.ReadFile(filepath.Join(dir, svscan.VersionFile)); err != nil || string(b) != "hermes-gateway test\n" {
		t.Errorf("version file: %q, %v", b, err)
	}
	if _, err := svscan.New(svscan.Options{Dir: dir}); !errors.Is(err, svscan.ErrScanning) {
		t.Errorf("a second tree: %v", err)
	}
	in.end()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	if w := in.warned(); w != "" {
		t.Errorf("warnings: %s", w)
	}
	deadline := time.Now().Add(insidePatience)
	for runtime.NumGoroutine() > goroutines && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, before %d\n%s", n, goroutines, buf[:runtime.Stack(buf, true)])
	}
	if n := openFiles(t); n != files {
		t.Errorf("%d descriptors, before %d", n, files)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	mustDo(t, err)
	return len(names)
}

// A tree that leaves lets its services live, and the next one has them.
func TestLeaveAndAdopt(t *testing.T) {
	dir := scanDir(t)
	makeService(t, dir, "web", "exec sleep 1000")
	first := runInside(t, svscan.Options{Dir: dir, Leave: true}, nil)
	pid := await(t, dir, "web", sm.StateUp).PID
	first.end()
	if !alive(pid) {
		t.Fatal("the service did not survive")
	}
	second := runInside(t, svscan.Options{Dir: dir}, nil)
	if st := await(t, dir, "web", sm.StateUp); st.PID != pid || !st.Adopted {
		t.Errorf("after the second tree has begun: %+v, want process %d", st, pid)
	}
	second.end()
	if alive(pid) {
		t.Error("the service is not stopped")
	}
}

// Told to stop before it has looked, a tree stops what there is and starts
// nothing.
func TestStopBeforeTheFirstScan(t *testing.T) {
	dir := scanDir(t)
	makeService(t, dir, "web", "echo >> ran; exec sleep 1000")
	makeService(t, dir, "idle", "echo >> ran; exec sleep 1000")
	mustDo(t, os.WriteFile(filepath.Join(dir, "idle", "down"), nil, 0o644))
	first := runInside(t, svscan.Options{Dir: dir, Leave: true}, nil)
	pid := await(t, dir, "web", sm.StateUp).PID
	first.end()
	mustDo(t, os.Remove(filepath.Join(dir, "idle", "down")))

	second := runInside(t, svscan.Options{Dir: dir}, func(tree *svscan.Tree) { tree.Control("t") })
	select {
	case err := <-second.done:
		second.done <- err
	case <-time.After(insidePatience):
		t.Fatal("the tree does not end")
	}
	if alive(pid) {
		t.Error("what the first tree has left is alive")
	}
	if _, err := os.Stat(filepath.Join(dir, "idle", "ran")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was started: %v", err)
	}
}

// What others can change is not run.
func TestRefuses(t *testing.T) {
	open := scanDir(t)
	mustDo(t, os.Chmod(open, 0o777))
	if _, err := svscan.New(svscan.Options{Dir: open}); !errors.Is(err, svscan.ErrRefused) || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("a scan directory that everybody can write: %v", err)
	}
	if _, err := svscan.New(svscan.Options{Dir: filepath.Join(open, "absent")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a scan directory that is not there: %v", err)
	}

	dir := scanDir(t)
	makeService(t, dir, "good", "exec sleep 1000")
	makeService(t, dir, "open", "exec sleep 1000")
	mustDo(t, os.Chmod(filepath.Join(dir, "open"), 0o777))
	mustDo(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	makeService(t, dir, "linked", "exec sleep 1000")
	mustDo(t, os.Symlink("..", filepath.Join(dir, "linked", "supervise")))
	in := runInside(t, svscan.Options{Dir: dir}, nil)
	await(t, dir, "good", sm.StateUp)
	for _, want := range []string{"/open is not supervised: others can write in it", "/dangling is skipped", "linked: "} {
		deadline := time.Now().Add(insidePatience)
		for !strings.Contains(in.warned(), want) && time.Now().Before(deadline) {
			runtime.Gosched()
		}
		if w := in.warned(); !strings.Contains(w, want) {
			t.Errorf("no warning has %q:\n%s", want, w)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "open", "supervise")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the open directory has been touched: %v", err)
	}
}

// Root runs only what only root can change.
func TestRootRefuses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is about root")
	}
	theirs := scanDir(t)
	mustDo(t, os.Chown(theirs, s6test.User, s6test.User))
	if _, err := svscan.New(svscan.Options{Dir: theirs}); !errors.Is(err, svscan.ErrRefused) || !strings.Contains(err.Error(), fmt.Sprint("uid ", s6test.User)) {
		t.Errorf("another's scan directory: %v", err)
	}
	dir := scanDir(t)
	for _, name := range []string{"theirs", "group", "script", "link"} {
		makeService(t, dir, name, "echo >> /proc/self/cwd/ran; exec sleep 1000")
	}
	makeService(t, dir, "good", "exec sleep 1000")
	mustDo(t, os.Chown(filepath.Join(dir, "theirs"), s6test.User, s6test.User))
	mustDo(t, os.Chmod(filepath.Join(dir, "group"), 0o775))
	mustDo(t, os.Chmod(filepath.Join(dir, "script", "run"), 0o777))
	mustDo(t, os.Rename(filepath.Join(dir, "link", "run"), filepath.Join(dir, "link", "real")))
	mustDo(t, os.Symlink("real", filepath.Join(dir, "link", "run")))
	in := runInside(t, svscan.Options{Dir: dir}, nil)
	await(t, dir, "good", sm.StateUp)
	for _, name := range []string{"script", "link"} {
		awaitThat(t, dir, name, func(st sm.Status) bool {
			return st.State == sm.StateStarting && strings.Contains(st.Problem, "refused")
		})
	}
	w := in.warned()
	for _, want := range []string{"/theirs is not supervised", "/group is not supervised"} {
		if !strings.Contains(w, want) {
			t.Errorf("no warning has %q:\n%s", want, w)
		}
	}
	for _, name := range []string{"theirs", "group", "script", "link"} {
		if _, err := os.Stat(filepath.Join(dir, name, "ran")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s has run: %v", name, err)
		}
	}
}
