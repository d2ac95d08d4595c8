package reaper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const asOldKernel = "REAPER_TEST_OLD_KERNEL"

// The tests pass again where the kernel has none of what came after Linux 5.4
// and a sandbox forbids unshare.
func TestOldKernel(t *testing.T) {
	if os.Getenv(asOldKernel) != "" {
		t.Skip("it is this one")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := newReaper(t)
	out, exit, err := output(r, Spec{
		Path: exe, Args: []string{exe, "-test.run=Exits|Executed|ManyExits|Directory|Group|Adopt|Release|Orphan", "-test.v"},
		Dir: -1, Env: append(os.Environ(), asOldKernel+"=1"),
	})
	if err != nil || exit != (Exit{}) || strings.Count(out, "--- PASS") < 8 {
		t.Errorf("%v, %v:\n%s", err, exit, out)
	}
}

// rule is a system call that fails if the low half of an argument is, or is not,
// this one.
type rule struct {
	nr    uint32
	errno unix.Errno
	arg   uint32
	value uint32
	other bool
}

// oldKernel installs a filter that says no.
func oldKernel() error {
	err := forbid([]rule{
		{nr: unix.SYS_UNSHARE, errno: unix.EPERM, arg: 0, value: unix.CLONE_FS},
		{nr: unix.SYS_CLOSE_RANGE, errno: unix.ENOSYS, arg: 0, value: 3},
		{nr: unix.SYS_PIDFD_SEND_SIGNAL, errno: unix.EINVAL, arg: 3, value: 0, other: true},
		{nr: unix.SYS_IOCTL, errno: unix.ENOTTY, arg: 1, value: uint32(pidfdGetInfo)},
	})
	if err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_FS); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("the filter does not work: %w", err)
	}
	return nil
}

// forbid installs a filter for all threads, as sandboxes do.
func forbid(rules []rule) error {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	ret := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
	}
	jump := func(k uint32, equal, differs uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ, K: k, Jt: equal, Jf: differs}
	}
	var program []unix.SockFilter
	for _, r := range rules {
		equal, differs := uint8(0), uint8(1)
		if r.other {
			equal, differs = differs, equal
		}
		// struct seccomp_data: number, architecture, address, arguments.
		program = append(program, load(0), jump(r.nr, 0, 3),
			load(16+8*r.arg), jump(r.value, equal, differs), ret(unix.SECCOMP_RET_ERRNO|uint32(r.errno)))
	}
	program = append(program, ret(unix.SECCOMP_RET_ALLOW))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// Without pidfds nothing is started.
func TestNoPidfd(t *testing.T) { self(t, newReaper(t), "no-pidfd", Spec{}) }

func withoutPidfd() error {
	if err := forbid([]rule{{nr: unix.SYS_PIDFD_OPEN, errno: unix.ENOSYS, arg: 1, value: 0}}); err != nil {
		return err
	}
	r, end, err := running()
	if err != nil {
		return err
	}
	if p, err := r.Start(sh("exit 0")); p != nil || !errors.Is(err, unix.ENOSYS) || !strings.Contains(err.Error(), "Linux 5.4") {
		return fmt.Errorf("started: %w", err)
	}
	if _, err := r.Adopt(os.Getppid(), 1, nil); err == nil || errors.Is(err, ErrGone) {
		return fmt.Errorf("adopted: %w", err)
	}
	return end()
}

// A child without a pidfd is killed and reaped.
func TestChildThatCannotBeWatched(t *testing.T) {
	c, err := forkExec(&Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(c.pidfd)
	c.end()
	if err := waitable(c.pidfd); !errors.Is(err, unix.ECHILD) {
		t.Errorf("it is not reaped: %v", err)
	}
}

func TestNoProc(t *testing.T) {
	for _, name := range []string{"no-proc", "no-proc-unshare"} {
		t.Run(name, func(t *testing.T) { self(t, newReaper(t), name, Spec{}) })
	}
}

// hideProc mounts something else over /proc, or says that it must not.
func hideProc() (ok bool, err error) {
	if os.Getenv("REAPER_TEST_NAMESPACE") != "" {
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return false, err
		}
		return true, unix.Mount("none", "/proc", "tmpfs", 0, "")
	}
	return false, nil
}

// namespaced runs this program once more, where it may mount.
func namespaced(name string) error {
	sys := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		sys.Cloneflags |= unix.CLONE_NEWUSER
		sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
		sys.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	p, err := os.StartProcess(exe, os.Args, &os.ProcAttr{
		Env:   append(os.Environ(), asProgram+"="+name, "REAPER_TEST_NAMESPACE=1"),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: sys,
	})
	if errors.Is(err, fs.ErrPermission) {
		fmt.Print("skip: mounts are not allowed: ", err)
		return nil
	}
	if err != nil {
		return err
	}
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	return err
}

func withoutProc() error {
	if ok, err := hideProc(); err != nil || !ok {
		return errors.Join(err, orNamespaced(ok, "no-proc"))
	}
	r, end, err := running()
	if err != nil {
		return err
	}
	dir, err := unix.Open("/usr", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	spec := sh("pwd; exit 9")
	spec.Dir = dir
	out, exit, err := output(r, spec)
	if out != "/usr\n" || exit.Status.ExitStatus() != 9 || err != nil {
		return fmt.Errorf("%q, %v, %w", out, exit, err)
	}
	exited, c := exits()
	p, err := r.Start(Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: -1, Exited: exited})
	if err != nil {
		return err
	}
	if p.Ticks() != 0 {
		return fmt.Errorf("ticks without /proc: %d", p.Ticks())
	}
	// Neither is guessed: that it is gone, or that it is the same.
	for _, ticks := range []uint64{0, 1} {
		for _, pid := range []int{p.PID(), os.Getppid()} {
			if _, err := r.Adopt(pid, ticks, nil); err == nil || errors.Is(err, ErrGone) {
				return fmt.Errorf("adopted: %w", err)
			}
		}
	}
	if err := p.Signal(unix.SIGKILL); err != nil {
		return err
	}
	if e := <-c; e.Status.Signal() != unix.SIGKILL {
		return fmt.Errorf("killed: %v", e)
	}
	return end()
}

func orNamespaced(inside bool, name string) error {
	if inside {
		return nil
	}
	return namespaced(name)
}

func withoutProcAndUnshare() error {
	if ok, err := hideProc(); err != nil || !ok {
		return errors.Join(err, orNamespaced(ok, "no-proc-unshare"))
	}
	if err := oldKernel(); err != nil {
		return err
	}
	r, end, err := running()
	if err != nil {
		return err
	}
	_, err = r.Start(sh("exit 0"))
	if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "unshare") || !strings.Contains(err.Error(), "/proc") {
		return fmt.Errorf("started: %w", err)
	}
	return end()
}
