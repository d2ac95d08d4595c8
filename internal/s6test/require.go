package s6test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool returns the path of an s6 program and skips or fails the test where it
// is not installed.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv("S6_BINDIR"), name)
	if os.Getenv("S6_BINDIR") == "" {
		var err error
		if path, err = exec.LookPath(name); err != nil {
			Missing(t, name+" is not in PATH: install s6 (apt-get install s6)")
		}
	} else if _, err := os.Stat(path); err != nil {
		Missing(t, err.Error())
	}
	return path
}

// Missing skips a test for want of a real part, or fails it where real parts
// are required.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI_REQUIRE_REAL") == "1" {
		t.Fatal("a required real part is missing: " + what)
	}
	t.Skip(what)
}
