package s6test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaryVar names the program of this module for tests that run it, so that it
// is built once for both runs of them.
const binaryVar = "S6TEST_BINARY"

var building sync.Mutex

// Binary returns the program of this module, built from the present source. It
// has the race detector where the test has it.
func Binary(t testing.TB) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if bin := os.Getenv(binaryVar); bin != "" {
		return bin
	}
	dir, err := os.MkdirTemp("", "s6test-binary-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "hermes-gateway")
	args := []string{"build", "-buildvcs=false", "-o", bin}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway")...)
	if !raceDetector {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	os.Setenv(binaryVar, bin)
	builtIn = dir
	return bin
}

// builtIn is where this process has built it; guarded by building.
var builtIn string

// removeBinary is the end of what Binary has built.
func removeBinary() {
	building.Lock()
	defer building.Unlock()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
}
