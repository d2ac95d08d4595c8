package svscan_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// oursVar names the program that has the tree of this module. The tests build
// it where the variable is not set. The value "s6" puts s6's own tree in its
// place: then the table of tools is compared with itself, which shows that it
// does not depend on chance.
const oursVar = "S6TEST_OURS"

func run(m *testing.M) int {
	closeInherited()
	if os.Getenv(oursVar) == "" {
		dir, err := os.MkdirTemp("", "s6test-build-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, "build the program:", err)
			return 1
		}
	}
	return s6test.Main(m)
}

// closeInherited keeps what this process was started with from the trees: it is
// not the same everywhere.
func closeInherited() {
	const more = 1000
	for fd := 3; fd < more; fd++ {
		unix.CloseOnExec(fd)
	}
}

// build makes the program once, for this run and for the one as another user,
// which is away from the sources.
func build(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	program := filepath.Join(dir, "hermes-gateway")
	args := []string{"build", "-o", program}
	if raceEnabled() {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "../../../cmd/hermes-gateway")...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.Setenv(oursVar, program)
}

// raceEnabled says whether the tests look for races: then the program does too.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
