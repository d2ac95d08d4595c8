package servicedir

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

var update = flag.Bool("update", false, "write the golden files anew")

func specs() map[string]sm.Spec {
	return map[string]sm.Spec{
		"smallest": {Name: "web", Command: []string{"/usr/bin/web"}},
		"everything": {
			Name: "web", Description: "a web server", Command: []string{"/usr/bin/web", "--name", "it's", ""},
			Env: map[string]string{"B": "two\nlines", "A": "$HOME"}, EnvFile: "/etc/web's.env", Dir: "/srv/my web",
			Limits: sm.Limits{NoFile: 4096}, Down: true, Restart: sm.RestartOnFailure, FatalExitCodes: []int{77, 78},
			StopSignal: syscall.SIGINT, StopTimeout: 30 * time.Second, Ready: sm.ReadyNotify,
			Log: sm.LogSpec{Dir: "/var/log/my web", MaxFiles: 3, MaxBytes: 50000, Timestamps: sm.TimestampTAI, Tee: true},
		},
		"once as another user": {
			Name: "job", Command: []string{"/usr/bin/job"}, User: "10000:10000", Restart: sm.RestartNever, ReadyFD: 5,
			Log: sm.LogSpec{Dir: "/var/log/job", Timestamps: sm.TimestampNone},
		},
	}
}

func environment(spec sm.Spec) Env {
	env := Env{Logger: []string{"/usr/bin/s6-log", "--"}}
	if spec.User != "" {
		env.AsUser = []string{"/usr/bin/hermes-gateway", "exec-gateway", "--user", spec.User, "--"}
	}
	return env
}

func text(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		if e.Dir {
			fmt.Fprintf(&b, "== %s/ %o\n", e.Path, e.Perm)
			continue
		}
		fmt.Fprintf(&b, "== %s %o\n%s", e.Path, e.Perm, e.Data)
	}
	return b.String()
}

// The files of a servicedir are a format: they change only on purpose.
func TestRenderGolden(t *testing.T) {
	for name, spec := range specs() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden")
			got := text(Render(spec, environment(spec)))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("rendered:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// R34: UTF-8 without carriage returns, and scripts that begin with #!.
func TestR34_ScriptsAreExecutable(t *testing.T) {
	for name, spec := range specs() {
		for _, e := range Render(spec, environment(spec)) {
			if strings.Contains(e.Data, "\r") || strings.HasPrefix(e.Data, "\ufeff") {
				t.Errorf("%s: %s has a carriage return or a byte order mark", name, e.Path)
			}
			if e.Perm&0o111 != 0 && !e.Dir && !strings.HasPrefix(e.Data, "#!/bin/sh\n") {
				t.Errorf("%s: %s has no interpreter", name, e.Path)
			}
		}
	}
}

// A shell accepts the scripts; the linter of shells, where there is one, finds
// nothing.
func TestScriptsAreShell(t *testing.T) {
	lint, lintErr := exec.LookPath("shellcheck")
	if lintErr != nil && os.Getenv("CI_REQUIRE_REAL") == "1" {
		t.Error("shellcheck is not installed")
	}
	for name, spec := range specs() {
		dir := t.TempDir()
		for _, e := range Render(spec, environment(spec)) {
			if e.Perm&0o111 == 0 || e.Dir {
				continue
			}
			file := filepath.Join(dir, strings.ReplaceAll(e.Path, "/", "_"))
			if err := os.WriteFile(file, []byte(e.Data), 0o700); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
				t.Errorf("%s: sh -n %s: %v %s", name, e.Path, err, out)
			}
			if lintErr == nil {
				// 1090, 1091: the sourced file exists only beside the service.
				// 2046: the words of od are meant to be split. 2163: the word
				// is the assignment. 2174: the mode is meant for the deepest
				// directory. 3013, 3045: every sh we know has -nt and ulimit -n.
				if out, err := exec.Command(lint, "-e", "SC1090,SC1091,SC2046,SC2163,SC2174,SC3013,SC3045", file).CombinedOutput(); err != nil {
					t.Errorf("%s: shellcheck %s: %s", name, e.Path, out)
				}
			}
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, tc := range []struct {
		text string
		n    uint64
		ok   bool
	}{
		{"3\n", 3, true}, {"10000", 10000, true}, {"7\nrest", 7, true}, {"0\n", 0, true},
		{"", 0, false}, {"\n", 0, false}, {" 3\n", 0, false}, {"3 \n", 0, false}, {"-1\n", 0, false}, {"4294967296\n", 0, false},
	} {
		if n, ok := ParseNumber(tc.text); n != tc.n || ok != tc.ok {
			t.Errorf("ParseNumber(%q) = %d, %v, want %d, %v", tc.text, n, ok, tc.n, tc.ok)
		}
	}
}
