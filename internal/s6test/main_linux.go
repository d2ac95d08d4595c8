package s6test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// User is the unprivileged uid and gid that tests run as a second time.
const User = 10000

const asUser = "S6TEST_AS_USER"

// Main runs the tests and, where they ran as root, runs them once more in a
// process of uid 10000: what works for root proves little.
func Main(m *testing.M) int {
	defer removeBinary()
	sideBySide()
	code := m.Run()
	if code != 0 || os.Geteuid() != 0 || os.Getenv(asUser) != "" || !onceMore() {
		return code
	}
	code, err := again()
	if err != nil {
		fmt.Fprintln(os.Stderr, "run the tests as an unprivileged user:", err)
		return 1
	}
	return code
}

// parallel is how many tests run side by side where no -parallel is given: more
// than there are processors, as they wait for processes most of the time.
const parallel = "8"

func sideBySide() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", parallel)
	}
}

// Brief says that tests which try a thing many times may try it less often: go test
// -short was asked for, or this is the run as root, and the one as an unprivileged
// user comes next.
func Brief() bool {
	return testing.Short() || os.Geteuid() == 0 && os.Getenv(asUser) == "" && onceMore()
}

// onceMore is false for runs that list, fuzz, profile or measure.
func onceMore() bool {
	return !slices.ContainsFunc(os.Args[1:], func(a string) bool {
		for _, flag := range []string{"-test.list", "-test.fuzz", "-test.bench=", "-test.coverprofile", "-test.cpuprofile"} {
			if strings.HasPrefix(a, flag) {
				return true
			}
		}
		return false
	})
}

func again() (int, error) {
	dir, err := os.MkdirTemp("", "s6test-user-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	exe := filepath.Join(dir, "as-user.test")
	if err := copyProgram(exe); err != nil {
		return 0, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(a string) bool {
		return strings.HasPrefix(a, "-test.testlogfile") || strings.HasPrefix(a, "-test.gocoverdir")
	})
	fmt.Println("=== once more as uid", User)
	cmd := exec.Command(exe, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), asUser+"=1", "HOME=/nonexistent", "USER=", "XDG_RUNTIME_DIR=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: User, Gid: User}, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

func copyProgram(to string) error {
	in, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
