package superdir

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Real s6 and we agree on who supervises.
func TestLockIsThatOfS6(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	for _, silent := range []bool{true, false} { // until the first status it is known not to be ours
		if st, err := lock.Query(d.Dir(), "supervise/lock"); err != nil || st.Silent != silent || !st.OpenFile {
			t.Errorf("the lock is %+v, %v; want silence: %v", st, err, silent)
		}
		wantTool(t, 0, "s6-svok", dir)
		if out := wantTool(t, 100, "s6-supervise", dir); !strings.Contains(out, "already running") {
			t.Errorf("s6-supervise says %q", out)
		}
		if _, err := tryOpen(t, dir, Config{Group: NoGroup}); !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), dir) {
			t.Errorf("a second one: %v", err)
		}
		wantTool(t, 0, "s6-svok", dir) // the attempts have not taken it away
		must(t, d.WriteStatus(supervise.Status{Ready: true}))
	}
	must(t, d.Close())
	wantTool(t, 1, "s6-svok", dir)

	must(t, os.WriteFile(filepath.Join(dir, "down"), nil, 0o644))
	end := supervisor(t, dir)
	until(t, "s6-supervise does not begin", func() bool { _, code := tool(t, "s6-svok", dir); return code == 0 })
	if _, err := tryOpen(t, dir, Config{Group: NoGroup}); !errors.Is(err, ErrRunning) {
		t.Errorf("beside s6-supervise: %v", err)
	}
	end()
	open(t, dir) // what s6 has made is good for us
}

// A child does not inherit the lock. And where one is just being made and has
// it still, Close gives it back all the same.
func TestLockDoesNotLeak(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	child := exec.Command("sleep", "1000")
	must(t, child.Start())
	defer func() { child.Process.Kill(); child.Wait() }()
	inFork, err := unix.FcntlInt(uintptr(d.lockFD), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(inFork)
	must(t, d.Close())
	wantTool(t, 1, "s6-svok", dir)
	open(t, dir)
}

// s6-svc writes what ReadControl reads, and finds out when nobody reads.
func TestControl(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	buf := make([]byte, 16)
	if n := d.ReadControl(buf); n != 0 {
		t.Errorf("%d bytes in an empty FIFO", n)
	}
	wantTool(t, 0, "s6-svc", "-uk", dir)
	if n := d.ReadControl(buf); string(buf[:n]) != "uk" {
		t.Errorf("read %q", buf[:n])
	}
	ready := []unix.PollFd{{Fd: int32(d.ControlFD()), Events: unix.POLLIN}}
	if n, err := unix.Poll(ready, 0); n != 0 || err != nil {
		t.Errorf("the FIFO of a writer that is gone: %d %v, events %#x", n, err, ready[0].Revents)
	}
	must(t, d.Close())
	if out, code := tool(t, "s6-svc", "-u", dir); code != 100 && code != 102 { // 2.11; 2.14
		t.Errorf("s6-svc to nobody: exit code %d: %s", code, out)
	}
}

// Open removes the FIFOs of listeners that are gone, and only those.
func TestStaleListeners(t *testing.T) {
	dir := service(t)
	open(t, dir).Close()
	event := filepath.Join(dir, "event")
	stale := filepath.Join(event, "ftrig1:@400000000000000000000000:abcdef")
	foreign := filepath.Join(event, "not-a-listener")
	must(t, unix.Mkfifo(stale, 0o622))
	must(t, unix.Mkfifo(foreign, 0o622))
	held, err := fsat.Open(event)
	must(t, err)
	defer held.Close()
	sub, err := fifodir.Subscribe(held)
	must(t, err)
	defer sub.Close()
	open(t, dir)
	if _, err := os.Lstat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stale FIFO: %v", err)
	}
	left, err := os.ReadDir(event)
	must(t, err)
	if len(left) != 2 {
		t.Errorf("event/ holds %v", left)
	}
}

// An event/ that cannot be read keeps nobody from supervising.
func TestEventThatCannotBeRead(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := service(t)
	must(t, os.Mkdir(filepath.Join(dir, "event"), 0o300))
	var warned string
	d, err := tryOpen(t, dir, Config{Group: NoGroup, Warn: func(text string) { warned = text }})
	must(t, err)
	defer d.Close()
	if !strings.Contains(warned, "event") {
		t.Errorf("warned of %q", warned)
	}
	d.Notify("s")
}

// s6-svwait waits for what Notify tells, and reads the record that was written
// before.
func TestNotify(t *testing.T) {
	for _, tc := range []struct {
		want, events string
		status       supervise.Status
		code         int
	}{
		{"-u", "u", supervise.Status{PID: os.Getpid(), WantUp: true}, 0},
		{"-U", "uU", supervise.Status{PID: os.Getpid(), WantUp: true, Ready: true}, 0},
		{"-U", "uO", supervise.Status{}, 1},
		{"-U", "x", supervise.Status{}, 1},
	} {
		t.Run(tc.want+" "+tc.events, func(t *testing.T) {
			t.Parallel()
			dir := service(t)
			d := open(t, dir)
			must(t, d.WriteStatus(supervise.Status{Ready: true}))
			listener := exec.Command(s6test.Tool(t, "s6-svlisten1"), tc.want, dir, "true")
			listener.Env = append(os.Environ(), "PATH="+filepath.Dir(listener.Path)+":"+os.Getenv("PATH"))
			must(t, listener.Start())
			until(t, "nobody listens", func() bool {
				names, err := filepath.Glob(filepath.Join(dir, "event", "ftrig1:*"))
				return err == nil && len(names) > 0
			})
			must(t, d.WriteStatus(tc.status))
			d.Notify(tc.events)
			_ = listener.Wait() // the exit code counts
			if code := listener.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("s6-svlisten1 %s: exit code %d, want %d", tc.want, code, tc.code)
			}
		})
	}
}
