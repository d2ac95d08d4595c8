package reaper

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestExits(t *testing.T) {
	r := newReaper(t)
	for _, test := range []struct {
		script string
		want   syscall.WaitStatus
	}{
		{"exit 0", 0},
		{"exit 7", 7 << 8},
		{"exit 255", 255 << 8},
		{"kill -TERM $$", syscall.WaitStatus(syscall.SIGTERM)},
		{"kill -KILL $$", syscall.WaitStatus(syscall.SIGKILL)},
	} {
		exited, c := exits()
		spec := sh(test.script)
		spec.Exited = exited
		start(t, r, spec)
		if e := receive(t, c, "exit"); e.Unknown || e.Status != test.want {
			t.Errorf("%s: %#x, unknown %v, want %#x", test.script, e.Status, e.Unknown, test.want)
		}
	}
}

// failing is what cannot be executed, and why not.
func failing(t *testing.T) (dir string, want map[string]error) {
	dir = t.TempDir()
	executable(t, dir+"/binary", "\x00\x01\x02no program")
	executable(t, dir+"/orphan", "#!/no/such/interpreter -x\n")
	executable(t, dir+"/nested", "#!"+dir+"/orphan\n")
	if err := os.WriteFile(dir+"/data", []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(dir+"/fifo", 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, map[string]error{
		"./missing": fs.ErrNotExist,
		"./orphan":  fs.ErrNotExist,
		"./nested":  fs.ErrNotExist,
		"./data":    fs.ErrPermission,
		"./fifo":    fs.ErrPermission,
		"./binary":  unix.ENOEXEC,
		".":         fs.ErrPermission,
		"a\x00b":    unix.EINVAL,
	}
}

func TestWhatCannotBeExecuted(t *testing.T) {
	r := newReaper(t)
	path, want := failing(t)
	dir := openDir(t, path)
	told := false
	for name, want := range want {
		p, err := r.Start(Spec{Path: name, Args: []string{name}, Dir: dir, Exited: func(Exit) { told = true }})
		if p != nil || !errors.Is(err, want) {
			t.Errorf("%q: %v, %v, want %v", name, p, err, want)
		}
		if name == "./nested" && err != nil && !strings.Contains(err.Error(), "/no/such/interpreter") {
			t.Errorf("the missing interpreter is not named: %v", err)
		}
	}
	if _, err := r.Start(Spec{Path: "/bin/true", Dir: dir}); err == nil {
		t.Error("started without an argv")
	}
	if _, err := r.Start(Spec{Path: "/bin/true", Args: []string{"true"}, Dir: 1 << 20}); !errors.Is(err, unix.EBADF) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no directory: %v", err)
	}
	script(t, r, "exit 0")
	settle(t, r)
	if told {
		t.Error("Exited was called for a process that was not started")
	}
}

// No exit is lost or told twice, and nothing is left of the processes.
func TestManyExitsAtOnce(t *testing.T) {
	const starters, each = 8, 250
	r := newReaper(t)
	path, want := failing(t)
	dir := openDir(t, path)
	script(t, r, "exit 0") // makes a thread
	settle(t, r)
	fds, threads := descriptors(t), len(tasks(t))

	var told [starters][each]atomic.Int32
	var wrong atomic.Int32
	var all, ended sync.WaitGroup
	ended.Add(starters * each)
	for i := range starters {
		all.Go(func() {
			for j := range each {
				spec := Spec{Path: "/bin/true", Args: []string{"true"}, Dir: dir}
				status := syscall.WaitStatus(0)
				if j%5 == 0 {
					code := 1 + (i*each+j)%200
					spec, status = sh("exit "+strconv.Itoa(code)), syscall.WaitStatus(code<<8)
				}
				spec.Exited = func(e Exit) {
					if e.Unknown || e.Status != status {
						wrong.Add(1)
					}
					if told[i][j].Add(1) == 1 {
						ended.Done()
					}
				}
				p, err := r.Start(spec)
				if err != nil {
					t.Error(err)
					ended.Done()
					continue
				}
				if j%7 == 0 {
					p.Signal(0)
					p.SignalGroup(0)
				}
			}
		})
		all.Go(func() {
			for range each / 10 {
				for name, want := range want {
					if _, err := r.Start(Spec{Path: name, Args: []string{name}, Dir: dir}); !errors.Is(err, want) {
						t.Errorf("%q: %v, want %v", name, err, want)
					}
				}
			}
		})
	}
	all.Wait()
	ended.Wait()
	settle(t, r)
	for i := range told {
		for j := range told[i] {
			if n := told[i][j].Load(); n != 1 {
				t.Errorf("an exit was told %d times", n)
			}
		}
	}
	if n := wrong.Load(); n != 0 {
		t.Errorf("%d exits with a wrong status", n)
	}
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("children are left: %v", err)
	}
	if n := len(r.own); n != 0 {
		t.Errorf("%d children are remembered", n)
	}
	// A fork thread that was made meanwhile has a socket.
	if n := descriptors(t); n < fds || n >= fds+maxThreads {
		t.Errorf("%d descriptors, before %d", n, fds)
	}
	// Go adds a thread for each call that blocks and keeps it.
	if n := len(tasks(t)); n > threads+24 {
		t.Errorf("%d threads, before %d", n, threads)
	}
}

// tasks lists our threads.
func tasks(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("/proc/self/task/*")
	if err != nil || len(list) == 0 {
		t.Fatal("no threads in /proc", err)
	}
	return list
}

func TestThousandsAreCheap(t *testing.T) {
	if size := unsafe.Sizeof(Process{}) + unsafe.Sizeof(task{}); size > 160 {
		t.Errorf("a process takes %d bytes", size)
	}
	r := newReaper(t)
	exited, c := exits()
	spec := Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: -1, Exited: exited}
	var running []*Process
	running = append(running, start(t, r, spec))
	threads, goroutines := len(tasks(t)), runtime.NumGoroutine()
	for range 199 {
		running = append(running, start(t, r, spec))
	}
	if n := runtime.NumGoroutine(); n > goroutines+maxThreads {
		t.Errorf("%d goroutines, with one process %d", n, goroutines)
	}
	if n := len(tasks(t)); n > threads+10 {
		t.Errorf("%d threads, with one process %d", n, threads)
	}
	go func() {
		for _, p := range running {
			p.Signal(syscall.SIGKILL)
		}
	}()
	for range running {
		receive(t, c, "exit")
	}
}

func TestDirectory(t *testing.T) {
	r := newReaper(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	if err := os.Mkdir(path+"/old", 0o755); err != nil {
		t.Fatal(err)
	}
	executable(t, path+"/old/run", "#!/bin/sh\nreadlink /proc/$$/cwd\n")
	dir := openDir(t, path+"/old")
	if err := os.Rename(path+"/old", path+"/new"); err != nil {
		t.Fatal(err)
	}
	out, _, err := output(r, Spec{Path: "./run", Args: []string{"run"}, Dir: dir})
	if want := path + "/new\n"; err != nil || out != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
	links, err := filepath.Glob("/proc/self/task/*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if now, err := os.Readlink(link); err == nil && strings.HasPrefix(now, path) {
			t.Errorf("a thread is still in %s", now)
		}
	}
	// We have not moved, nor have others with us.
	if out := script(t, r, "readlink /proc/$$/cwd"); out != here {
		t.Errorf("the caller's directory is %s, not %s", out, here)
	}
	if now, err := os.Readlink("/proc/self/cwd"); err != nil || now != here {
		t.Errorf("we are in %s, %v", now, err)
	}
}

func TestStartAfterClose(t *testing.T) {
	r, end, err := running()
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := output(r, sh("echo x"))
	if out != "x\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, err := r.Start(sh("exit 0")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("started after Close: %v", err)
	}
}
