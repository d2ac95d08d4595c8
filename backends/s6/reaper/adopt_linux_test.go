package reaper

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stranger is a process that is not our child.
type stranger struct {
	pid    int
	ticks  uint64
	parent *Process
}

// newStranger runs a script that puts a process into the background, prints its
// id, and goes on to be its parent or not.
func newStranger(t *testing.T, r *Reaper, text string, files ...int) stranger {
	t.Helper()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	spec := sh(text, t.TempDir())
	spec.Files[1] = int(pw.Fd())
	spec.Files = append(spec.Files, files...)
	parent, err := r.Start(spec)
	pw.Close()
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(pr).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	ticks, err := Ticks(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { parent.SignalGroup(syscall.SIGKILL) })
	return stranger{pid, ticks, parent}
}

const (
	reaping   = "sleep 1000 >&- & echo $!; exec >&-; wait"
	neglected = "mkfifo $1/fifo; sleep 1000 >&- & echo $! >$1/pid; exec cat $1/pid $1/fifo"
	orphaned  = "sleep 1000 >&- & echo $!"
)

// kernelTells says whether this kernel tells how a process ended that is not our
// child.
func kernelTells(t *testing.T) bool {
	t.Helper()
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_, known, err := exitInfo(fd)
	if known {
		t.Error("we have ended")
	}
	return err == nil
}

func TestAdoptKnowsTheExitAfterTheParentHasReaped(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, reaping)
	exited, c := exits()
	p, err := r.Adopt(s.pid, s.ticks, exited)
	if err != nil {
		t.Fatal(err)
	}
	if p.PID() != s.pid || p.Ticks() != s.ticks {
		t.Errorf("adopted %d of %d", p.PID(), p.Ticks())
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	want := Exit{Unknown: true}
	if kernelTells(t) {
		want = Exit{Status: syscall.WaitStatus(syscall.SIGTERM)}
	}
	if e := receive(t, c, "exit"); e != want {
		t.Errorf("%+v, want %+v", e, want)
	}
	if err := p.Signal(0); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: %v", err)
	}
	p.Release()
	settle(t, r)
	if len(c) != 0 {
		t.Error("told twice")
	}
}

// A first process of a container may be one that never reaps.
func TestAdoptOfOneThatNobodyReaps(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, neglected)
	settle(t, r)
	before := descriptors(t)
	exited, c := exits()
	// The second time it is adopted as a corpse.
	for range 2 {
		p, err := r.Adopt(s.pid, s.ticks, exited)
		if err != nil {
			t.Fatal(err)
		}
		p.Signal(syscall.SIGKILL)
		if e := receive(t, c, "exit"); !e.Unknown {
			t.Errorf("the exit is known: %+v", e)
		}
	}
	settle(t, r)
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, before %d", n, before)
	}
}

// The parent is given time to reap.
func TestAdoptOfOneThatIsReapedLater(t *testing.T) {
	if !kernelTells(t) {
		t.Skip("nothing would be waited for on this kernel")
	}
	r := newReaper(t)
	r.patience = time.Hour
	in, command, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); command.Close() })
	s := newStranger(t, r, "sleep 1000 >&- & echo $!; exec >&-; read x <&3; wait $!; read x <&3", int(in.Fd()))
	settle(t, r)
	before := descriptors(t)
	exited, c := exits()
	if _, err := r.Adopt(s.pid, s.ticks, exited); err != nil {
		t.Fatal(err)
	}
	die(t, s.pid)
	settle(t, r)
	if len(c) != 0 {
		t.Fatalf("told before it was reaped: %+v", <-c)
	}
	command.WriteString("\n")
	if e := receive(t, c, "exit"); e.Unknown || e.Status.Signal() != syscall.SIGKILL {
		t.Errorf("%+v", e)
	}
	settle(t, r)
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, before %d", n, before)
	}
}

// die kills a process and returns when it is dead.
func die(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	unix.Kill(pid, unix.SIGKILL)
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(soon.Milliseconds())); n != 1 {
		t.Fatal("it does not die", err)
	}
}

func TestAdoptOfAnOrphan(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, orphaned)
	exited, c := exits()
	p, err := r.Adopt(s.pid, s.ticks, exited)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	// Whether it is known depends on what reaps orphans here.
	if e := receive(t, c, "exit"); !e.Unknown && e.Status.Signal() != syscall.SIGKILL {
		t.Errorf("%+v", e)
	}
}

func TestAdoptOfTheWrongOne(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, reaping)
	own := start(t, r, Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: -1})
	defer own.Signal(syscall.SIGKILL)
	exited, c := exits()
	gone := spent(t, r)
	for _, test := range []struct {
		name  string
		pid   int
		ticks uint64
		gone  bool
	}{
		{"other ticks", s.pid, s.ticks + 1, true},
		{"no ticks", s.pid, 0, false},
		{"own, other ticks", own.PID(), own.Ticks() + 1, true},
		{"own, watched", own.PID(), own.Ticks(), false},
		{"gone", gone, 1, true},
		{"gone, no ticks", gone, 0, true},
		{"a thread", otherThread(t), 1, true},
		{"no id", 0, 1, false},
		{"a group", -s.pid, s.ticks, false},
	} {
		p, err := r.Adopt(test.pid, test.ticks, exited)
		if p != nil || err == nil || errors.Is(err, ErrGone) != test.gone {
			t.Errorf("%s: %v, %v", test.name, p, err)
		}
	}
	if len(c) != 0 {
		t.Error("told of the end of a process that was not adopted")
	}
}

// spent is the id of a process that is gone.
func spent(t *testing.T, r *Reaper) int {
	t.Helper()
	exited, c := exits()
	spec := sh("exit 0")
	spec.Exited = exited
	p := start(t, r, spec)
	receive(t, c, "exit")
	return p.PID()
}

func otherThread(t *testing.T) int {
	t.Helper()
	for _, path := range tasks(t) {
		id, err := strconv.Atoi(path[strings.LastIndexByte(path, '/')+1:])
		if err == nil && id != os.Getpid() {
			return id
		}
	}
	t.Fatal("no second thread")
	return 0
}

func TestReleasedChildIsReapedAndCanBeAdopted(t *testing.T) {
	r := newReaper(t)
	told, c := exits()
	spec := sh("exec sleep 1000")
	spec.Exited = told
	p := start(t, r, spec)
	p.Release()
	p.Release()
	if err := p.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal of a released handle: %v", err)
	}
	again, c2 := exits()
	q, err := r.Adopt(p.PID(), p.Ticks(), again)
	if err != nil {
		t.Fatal(err)
	}
	p.Release() // is not the owner any more
	if err := q.Signal(syscall.SIGUSR1); err != nil {
		t.Error(err)
	}
	if e := receive(t, c2, "exit"); e.Unknown || e.Status.Signal() != syscall.SIGUSR1 {
		t.Errorf("%+v", e)
	}
	if _, err := r.Adopt(p.PID(), p.Ticks(), again); !errors.Is(err, ErrGone) {
		t.Errorf("after the end: %v", err)
	}
	// One that ends while nobody has a handle.
	spec = sh("read x")
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	spec.Exited, spec.Files = told, []int{int(pr.Fd()), -1, 2}
	p = start(t, r, spec)
	pr.Close()
	fd, err := unix.PidfdOpen(p.PID(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	p.Release()
	pw.Close()
	reaped(t, fd)
	settle(t, r)
	if len(c) != 0 || len(r.own) != 0 {
		t.Errorf("%d exits told after Release, %d children remembered", len(c), len(r.own))
	}
}

// reaped waits until somebody has reaped a child of ours.
func reaped(t *testing.T, fd int) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for until := time.Now().Add(soon); time.Now().Before(until); {
		if n, err := unix.Poll(fds, int(soon.Milliseconds())); n == 1 && err == nil && errors.Is(waitable(fd), unix.ECHILD) {
			return
		}
	}
	t.Error("it is not reaped")
}

func TestReleaseOfAStranger(t *testing.T) {
	r := newReaper(t)
	s := newStranger(t, r, reaping)
	settle(t, r)
	before := descriptors(t)
	exited, c := exits()
	for range 3 {
		p, err := r.Adopt(s.pid, s.ticks, exited)
		if err != nil {
			t.Fatal(err)
		}
		p.Release()
	}
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, before %d", n, before)
	}
	// And while its parent is given time to reap it.
	r.patience = time.Hour
	s = newStranger(t, r, neglected)
	settle(t, r)
	before = descriptors(t)
	p, err := r.Adopt(s.pid, s.ticks, exited)
	if err != nil {
		t.Fatal(err)
	}
	die(t, s.pid)
	settle(t, r)
	p.Release()
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, before %d", n, before)
	}
	told := len(c)
	p.tell(Exit{}) // what had begun before Release
	if len(c) != told {
		t.Error("told after Release")
	}
}

// Where orphans come to us, an adopted process becomes our child: its exit is
// known, and it is reaped even if it was released.
func TestOrphanThatBecomesOurChild(t *testing.T) { self(t, newReaper(t), "subreaper", Spec{}) }

func adoptOrphanOfOurs() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	r, end, err := running()
	if err != nil {
		return err
	}
	for _, release := range []bool{false, true} {
		out, _, err := output(r, sh(orphaned))
		if err != nil {
			return err
		}
		pid, err := strconv.Atoi(strings.TrimSpace(out))
		if err != nil {
			return err
		}
		ticks, err := Ticks(pid)
		if err != nil {
			return err
		}
		exited, c := exits()
		p, err := r.Adopt(pid, ticks, exited)
		if err != nil {
			return err
		}
		if release {
			p.Release()
			if p, err = r.Adopt(pid, ticks, exited); err != nil {
				return fmt.Errorf("after Release: %w", err)
			}
			p.Release()
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				return err
			}
			unix.Kill(pid, unix.SIGKILL)
			for !errors.Is(waitable(fd), unix.ECHILD) {
				unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 1000)
			}
			unix.Close(fd)
			continue
		}
		if err := p.Signal(unix.SIGKILL); err != nil {
			return err
		}
		if e := <-c; e.Unknown || e.Status.Signal() != unix.SIGKILL {
			return fmt.Errorf("%+v", e)
		}
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); !errors.Is(err, syscall.ECHILD) {
		return fmt.Errorf("a child is left: %d, %w", pid, err)
	}
	return end()
}
