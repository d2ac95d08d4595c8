package initcmd

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

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
