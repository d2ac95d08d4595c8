package initcmd

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// This program is also what has to be there before an init, and what may be its
// program, where a shell would not do.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "as-first-process":
			fmt.Fprintln(os.Stderr, asFirstProcess(os.Args[2], os.Args[3:]))
			os.Exit(99)
		case "with-environment":
			n, _ := strconv.Atoi(os.Args[2])
			argv := os.Args[3+n:]
			fmt.Fprintln(os.Stderr, syscall.Exec(argv[0], argv, os.Args[3:3+n]))
			os.Exit(99)
		case "say-signals":
			saySignals()
		}
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would have every program end a second later
	os.Exit(s6test.Main(m))
}

// asFirstProcess prepares a namespace and becomes a program in it.
func asFirstProcess(how string, argv []string) error {
	env := pid1.Environment() // of the outer /proc still
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	kind := "proc"
	if how == "without-proc" {
		kind = "tmpfs"
	}
	if err := unix.Mount(kind, "/proc", kind, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	if dir, ok := strings.CutPrefix(how, "noexec:"); ok {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=755"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	if how == "exits-of-others-unknown" {
		if err := hideExits(); err != nil {
			return fmt.Errorf("install a filter: %w", err)
		}
	}
	if how == "signals-ignored" {
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGPIPE)
		blocked := unix.Sigset_t{}
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR2, syscall.SIGALRM} {
			blocked.Val[0] |= 1 << (s - 1)
		}
		if err := unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, nil); err != nil {
			return err
		}
	}
	return syscall.Exec(argv[0], argv, env)
}

// saySignals says each signal it gets, but those that Go's runtime sends.
func saySignals() {
	c := make(chan os.Signal, 128)
	for n := syscall.Signal(1); n <= 64; n++ {
		if n != syscall.SIGURG && n != syscall.SIGPROF {
			signal.Notify(c, n)
		}
	}
	fmt.Println("ready")
	for s := range c {
		fmt.Printf("got %d\n", s)
	}
}

// hideExits has the kernel be one before Linux 6.15, which tells of the end of a process
// to nobody but its parent: PIDFD_GET_INFO fails.
func hideExits() error {
	const number, argument1 = 0, 24 // in struct seccomp_data, the low half of the latter
	const allow, notty = 0x7fff0000, 0x00050000 | uint32(unix.ENOTTY)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 4, K: unix.SYS_IOCTL},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: argument1},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xffff}, // whatever the size of the structure
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: 0xff<<8 | 11},
		{Code: unix.BPF_RET | unix.BPF_K, K: notty},
		{Code: unix.BPF_RET | unix.BPF_K, K: allow},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}
