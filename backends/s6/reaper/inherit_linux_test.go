package reaper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A program that begins with a blocked signal, ignored ones, a low limit, a
// umask and descriptors left open gives its processes what Spec says.
func TestWhatIsInherited(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	leak, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leak.Close() })
	const odd = `trap "" HUP PIPE USR1 TSTP; ulimit -Sn 64; umask 027; exec "$0"`
	r := newReaper(t)
	n := int(leak.Fd())
	self(t, r, "inherit", Spec{
		Path: "/bin/sh", Args: []string{exe, "-c", odd, exe},
		Files: []int{-1, -1, 2, n, -1, n, n, -1, n},
	})
}

func inherit() error {
	// The starter's part that a shell cannot do: this thread, and with it
	// what it executes, has signals blocked. Go unblocks TERM by itself.
	if os.Getenv("REAPER_TEST_BLOCKED") == "" {
		runtime.LockOSThread()
		var set unix.Sigset_t
		set.Val[0] = 1<<(unix.SIGTERM-1) | 1<<(unix.SIGUSR2-1)
		if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil); err != nil {
			return err
		}
		return syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), asProgram+"=inherit", "REAPER_TEST_BLOCKED=1"))
	}
	if own := statusField("SigBlk"); !strings.HasSuffix(own, "800") {
		return fmt.Errorf("USR2 is not blocked here: %s", own)
	}
	for _, fd := range []int{3, 5, 6, 8} {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags != 0 {
			return fmt.Errorf("descriptor %d is not there to be inherited: %d, %w", fd, flags, err)
		}
	}
	r, end, err := running()
	if err != nil {
		return err
	}
	return errors.Join(checkSignals(r), checkLimits(r), checkFiles(r), checkSession(r), end())
}

func statusField(name string) string {
	b, _ := os.ReadFile("/proc/thread-self/status")
	return field(string(b), name)
}

func field(status, name string) string {
	for line := range strings.Lines(status) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func cat(r *Reaper, path string) (string, error) {
	out, exit, err := output(r, Spec{Path: "/bin/cat", Args: []string{"cat", path}, Dir: -1})
	if err == nil && exit != (Exit{}) {
		err = fmt.Errorf("cat %s: %v", path, exit)
	}
	return out, err
}

func checkSignals(r *Reaper) error {
	status, err := cat(r, "/proc/self/status")
	if err != nil {
		return err
	}
	if v := field(status, "SigBlk"); strings.Trim(v, "0") != "" {
		err = fmt.Errorf("blocked signals: %s", v)
	}
	bits, perr := strconv.ParseUint(field(status, "SigIgn"), 16, 64)
	want := uint64(1<<(unix.SIGHUP-1) | 1<<(unix.SIGTSTP-1))
	if bits &= 1<<31 - 1; perr != nil || bits != want {
		err = errors.Join(err, fmt.Errorf("ignored signals: %#x, want %#x", bits, want))
	}
	if v := field(status, "Umask"); v != "0027" {
		err = errors.Join(err, fmt.Errorf("umask: %s", v))
	}
	return err
}

func checkLimits(r *Reaper) error {
	limits, err := cat(r, "/proc/self/limits")
	if err != nil {
		return err
	}
	for line := range strings.Lines(limits) {
		if v, ok := strings.CutPrefix(line, "Max open files"); ok {
			if got := strings.Fields(v)[0]; got != "64" {
				return fmt.Errorf("soft limit of open files: %s", got)
			}
			return nil
		}
	}
	return errors.New("no limit of open files")
}

// checkFiles: ls has one more open, the directory that it lists, which gets the
// lowest number that is free.
func checkFiles(r *Reaper) error {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	var err error
	for want, files := range map[string][]int{
		"0 1 2":         {-1, -1, 2},
		"0 1 2 3":       {p[0], -1, 2},
		"0 1 2 3 4":     {-1, -1, 2, 0, p[1]},
		"0 1 2 3 4 5 7": {2, -1, 2, p[0], -1, p[1], -1, p[0]},
	} {
		out, _, lerr := output(r, Spec{Path: "/bin/ls", Args: []string{"ls", "/proc/self/fd"}, Dir: -1, Files: files})
		if got := strings.Join(strings.Fields(out), " "); got != want || lerr != nil {
			err = errors.Join(err, lerr, fmt.Errorf("descriptors of %v: %s, want %s", files, got, want))
		}
	}
	return err
}

func checkSession(r *Reaper) error {
	stat, err := cat(r, "/proc/self/stat")
	if err != nil {
		return err
	}
	// pid (cat) state parent group session tty
	f := strings.Fields(stat)
	if f[0] != f[4] || f[0] != f[5] || f[6] != "0" || f[3] != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("pid %s, parent %s, group %s, session %s, terminal %s", f[0], f[3], f[4], f[5], f[6])
	}
	return nil
}

func TestEnvironment(t *testing.T) {
	r := newReaper(t)
	t.Setenv("REAPER_TEST_VARIABLE", "ours")
	env := Spec{Path: "/usr/bin/env", Args: []string{"env"}, Dir: -1}
	if out, _, err := output(r, env); err != nil || !strings.Contains(out, "REAPER_TEST_VARIABLE=ours\n") {
		t.Errorf("Env nil: %q, %v", out, err)
	}
	env.Env = []string{"A=1", "B=2"}
	if out, _, err := output(r, env); err != nil || out != "A=1\nB=2\n" {
		t.Errorf("%q, %v", out, err)
	}
	env.Env = []string{}
	if out, _, err := output(r, env); err != nil || out != "" {
		t.Errorf("Env empty: %q, %v", out, err)
	}
}

// The first thread is never used to fork: its directory is the program's.
func TestForksAreNotOnTheFirstThread(t *testing.T) { self(t, newReaper(t), "main-thread", Spec{}) }

func fromMainThread() error {
	before, err := os.Readlink("/proc/self/cwd")
	if err != nil {
		return err
	}
	f := newForks()
	tried := make(chan bool)
	onMain := func() {
		runtime.LockOSThread() // kept, so that the next is on another
		main := unix.Gettid() == os.Getpid()
		if main {
			f.threads++
			th := &thread{table: newTable(), jobs: make(chan *job)}
			separated := make(chan bool, 1)
			f.start(th, separated)
			th.settle(<-separated)
			f.idle <- th
		}
		tried <- main
	}
	for n := 0; ; n++ {
		if n == 1000 {
			return errors.New("none was on the first thread")
		}
		go onMain()
		if <-tried {
			break
		}
	}
	c, err := f.do(&Spec{Path: "/bin/true", Args: []string{"true"}, Dir: unix.AT_FDCWD})
	if err == nil {
		c.end()
		return errors.New("executed in no directory")
	}
	dir, err := unix.Open("/usr", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c, err = f.do(&Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: dir})
	if err != nil {
		return err
	}
	defer c.end()
	if now, err := os.Readlink("/proc/self/cwd"); now != before {
		return fmt.Errorf("the program is in %s, %w", now, err)
	}
	if now, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(c.pid), "cwd")); now != "/usr" {
		return fmt.Errorf("the process is in %s, %w", now, err)
	}
	f.close()
	return nil
}
