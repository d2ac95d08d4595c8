package servicemanager_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestSelf(t *testing.T) {
	exe := plain(t).Command[0]
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link, other := filepath.Join(dir, "current"), filepath.Join(dir, "other")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte("#!/bin/true\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(exe)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		argv string // what the process is called
		want string
	}{
		{"by its path", exe, exe},
		{"by a link", link, link},
		{"by a relative path", "./current", link},
		{"by its name in PATH", "current", link},
		{"by the path of another program", other, real},
		{"by a name that is no path", "-current", real},
		{"by nothing", "", real},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.Command(exe)
			cmd.Path, cmd.Args, cmd.Dir = exe, []string{tc.argv}, dir
			if tc.want == link {
				cmd.Path = link
			}
			cmd.Env = []string{selfVariable + "=1", "PATH=" + dir, "GORACE=atexit_sleep_ms=0"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(string(out), "\n")
			if len(got) != 3 || got[1] != "run" || got[2] != "--now" {
				t.Fatalf("Self: %q", got)
			}
			if at, err := filepath.EvalSymlinks(got[0]); err != nil || at != real || tc.want != real && got[0] != tc.want {
				t.Errorf("Self: %q, want %q", got[0], tc.want)
			}
		})
	}
}
