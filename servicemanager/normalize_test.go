package servicemanager_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// plain is a valid Spec: this test binary.
func plain(t testing.TB) servicemanager.Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return servicemanager.Spec{Name: "web", Command: []string{exe, "run"}}
}

func TestNormalizeRefuses(t *testing.T) {
	type spec = servicemanager.Spec
	big := strings.Repeat("x", 131072)
	for _, tc := range []struct {
		name  string
		spoil func(*spec)
		field string // of the *SpecError; "" if the Spec is fine
	}{
		{"as it is", func(*spec) {}, ""},
		{"no name", func(s *spec) { s.Name = "" }, "Name"},
		{"bad name", func(s *spec) { s.Name = "../x" }, "Name"},
		{"description", func(s *spec) { s.Description = "Größe: 100 %" }, ""},
		{"description of two lines", func(s *spec) { s.Description = "a\nb" }, "Description"},
		{"description with escape", func(s *spec) { s.Description = "\x1b[31m" }, "Description"},
		{"description with delete", func(s *spec) { s.Description = "\x7f" }, "Description"},
		{"description that is no text", func(s *spec) { s.Description = "\xff" }, "Description"},
		{"user", func(s *spec) { s.User = "www-data:adm" }, ""},
		{"uid and gid", func(s *spec) { s.User = "1000:1000" }, ""},
		{"user with blank", func(s *spec) { s.User = "a b" }, "User"},
		{"user with slash", func(s *spec) { s.User = "a/b" }, "User"},
		{"user with two groups", func(s *spec) { s.User = "a:b:c" }, "User"},
		{"group without user", func(s *spec) { s.User = ":adm" }, "User"},
		{"user with empty group", func(s *spec) { s.User = "a:" }, "User"},
		{"user that is an option", func(s *spec) { s.User = "-u" }, "User"},
		{"after", func(s *spec) { s.After = []string{"db", "cache"} }, ""},
		{"after a bad name", func(s *spec) { s.After = []string{"db", "a/b"} }, "After"},
		{"after itself", func(s *spec) { s.After = []string{s.Name} }, "After"},
		{"no command", func(s *spec) { s.Command = nil }, "Command"},
		{"empty program", func(s *spec) { s.Command = []string{""} }, "Command"},
		{"empty argument", func(s *spec) { s.Command = append(s.Command, "") }, ""},
		{"any bytes in an argument", func(s *spec) { s.Command = append(s.Command, "\xff\n$'\"\\") }, ""},
		{"NUL in an argument", func(s *spec) { s.Command = append(s.Command, "a\x00") }, "Command[2]"},
		{"NUL in the program", func(s *spec) { s.Command[0] = "a\x00" }, "Command[0]"},
		{"longest argument", func(s *spec) { s.Command = append(s.Command, big[1:]) }, ""},
		{"longer argument", func(s *spec) { s.Command = append(s.Command, big) }, "Command[2]"},
		{"env", func(s *spec) { s.Env = map[string]string{"A": "", "_b1": "\xff\n='"} }, ""},
		{"empty variable name", func(s *spec) { s.Env = map[string]string{"": "x"} }, "Env"},
		{"variable name with =", func(s *spec) { s.Env = map[string]string{"A=B": "x"} }, "Env"},
		{"NUL in a variable", func(s *spec) { s.Env = map[string]string{"A": "secret\x00"} }, "Env[A]"},
		{"longest variable", func(s *spec) { s.Env = map[string]string{"A": big[3:]} }, ""},
		{"longer variable", func(s *spec) { s.Env = map[string]string{"A": big[2:]} }, "Env[A]"},
		{"relative directory", func(s *spec) { s.Dir = "tmp" }, "Dir"},
		{"NUL in the directory", func(s *spec) { s.Dir = "/a\x00" }, "Dir"},
		{"relative environment file", func(s *spec) { s.EnvFile = "./env" }, "EnvFile"},
		{"unknown policy", func(s *spec) { s.Restart = 3 }, "Restart"},
		{"negative policy", func(s *spec) { s.Restart = -1 }, "Restart"},
		{"unknown boot", func(s *spec) { s.Boot = 2 }, "Boot"},
		{"fatal codes", func(s *spec) { s.FatalExitCodes = []int{1, 255} }, ""},
		{"fatal code 0", func(s *spec) { s.FatalExitCodes = []int{0} }, "FatalExitCodes"},
		{"fatal code 256", func(s *spec) { s.FatalExitCodes = []int{256} }, "FatalExitCodes"},
		{"negative delay", func(s *spec) { s.RestartDelay = -1 }, "RestartDelay"},
		{"negative longest delay", func(s *spec) { s.RestartMaxDelay = -1 }, "RestartDelay"},
		{"longest delay below the first", func(s *spec) { s.RestartDelay, s.RestartMaxDelay = 3, 2 }, "RestartMaxDelay"},
		{"longest delay below the default", func(s *spec) { s.RestartMaxDelay = time.Millisecond }, "RestartMaxDelay"},
		{"delay above the default of the longest", func(s *spec) { s.RestartDelay = time.Hour }, "RestartMaxDelay"},
		{"equal delays", func(s *spec) { s.RestartDelay, s.RestartMaxDelay = time.Hour, time.Hour }, ""},
		{"negative stop timeout", func(s *spec) { s.StopTimeout = -time.Second }, "StopTimeout"},
		{"tiny stop timeout", func(s *spec) { s.StopTimeout = time.Microsecond }, "StopTimeout"},
		{"short stop timeout", func(s *spec) { s.StopTimeout = time.Millisecond }, ""},
		{"negative signal", func(s *spec) { s.StopSignal = -1 }, "StopSignal"},
		{"signal 65", func(s *spec) { s.StopSignal = 65 }, "StopSignal"},
		{"signal 64", func(s *spec) { s.StopSignal = 64 }, ""},
		{"unknown readiness", func(s *spec) { s.Ready = 2 }, "Ready"},
		{"readiness on stdout", func(s *spec) { s.ReadyFD = 1 }, "ReadyFD"},
		{"readiness on stderr", func(s *spec) { s.ReadyFD = 2 }, "ReadyFD"},
		{"negative descriptor", func(s *spec) { s.ReadyFD = -1 }, "ReadyFD"},
		{"large descriptor", func(s *spec) { s.ReadyFD = 1024 }, "ReadyFD"},
		{"descriptor", func(s *spec) { s.ReadyFD = 3 }, ""},
		{"two kinds of readiness", func(s *spec) { s.Ready, s.ReadyFD = servicemanager.ReadyNotify, 3 }, "ReadyFD"},
		{"log settings without a directory", func(s *spec) { s.Log.Tee = true }, "Log.Dir"},
		{"relative log directory", func(s *spec) { s.Log.Dir = "log" }, "Log.Dir"},
		{"negative number of files", func(s *spec) { s.Log = servicemanager.LogSpec{Dir: "/log", MaxFiles: -1} }, "Log.MaxFiles"},
		{"small files", func(s *spec) { s.Log = servicemanager.LogSpec{Dir: "/log", MaxBytes: 4095} }, "Log.MaxBytes"},
		{"smallest files", func(s *spec) { s.Log = servicemanager.LogSpec{Dir: "/log", MaxBytes: 4096} }, ""},
		{"largest files", func(s *spec) { s.Log = servicemanager.LogSpec{Dir: "/log", MaxBytes: 268435455} }, ""},
		{"larger files", func(s *spec) { s.Log = servicemanager.LogSpec{Dir: "/log", MaxBytes: 268435456} }, "Log.MaxBytes"},
		{"unknown stamps", func(s *spec) { s.Log = servicemanager.LogSpec{Dir: "/log", Timestamps: 3} }, "Log.Timestamps"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec := plain(t)
			tc.spoil(&spec)
			_, err := spec.Normalize()
			var bad *servicemanager.SpecError
			switch {
			case tc.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.field != "" && (!errors.As(err, &bad) || bad.Field != tc.field || bad.Reason == ""):
				t.Errorf("error %#v, want a *SpecError about %s", err, tc.field)
			case err != nil && (strings.Contains(err.Error(), "secret") || len(err.Error()) > 300 || strings.Contains(err.Error(), "\n")):
				t.Errorf("the error is not short, or tells a secret: %.400s", err)
			}
		})
	}
}

func TestNormalizeResult(t *testing.T) {
	spec := plain(t)
	spec.Env = map[string]string{"A": "1"}
	spec.After = []string{"db"}
	spec.FatalExitCodes = []int{78, 3, 78}
	spec.Dir, spec.EnvFile, spec.Log.Dir = "/a/../b/", "/etc//env", "/log/"
	spec.StopSignal = syscall.SIGINT
	before := spec
	before.Command = append([]string{}, spec.Command...)
	before.FatalExitCodes = append([]int{}, spec.FatalExitCodes...)
	got, err := spec.Normalize()
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.FatalExitCodes = []int{3, 78}
	want.Dir, want.EnvFile, want.Log.Dir = filepath.Clean("/b"), filepath.Clean("/etc/env"), filepath.Clean("/log")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("normalized %+v, want %+v", got, want)
	}
	again, err := got.Normalize()
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("normalized twice %+v, %v", again, err)
	}
	got.Command[1], got.Env["A"], got.After[0], got.FatalExitCodes[0] = "x", "x", "x", 99
	if !reflect.DeepEqual(spec, before) {
		t.Errorf("the original has changed to %+v, was %+v", spec, before)
	}
}

func TestNormalizeFindsTheProgram(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	exe := plain(t).Command[0]
	for _, f := range []struct {
		name string
		make func(path string) error
	}{
		{"linked", func(path string) error { return os.Symlink(exe, path) }},
		{"text", func(path string) error { return os.WriteFile(path, nil, 0o644) }},
		{"dir", func(path string) error { return os.Mkdir(path, 0o755) }},
	} {
		if err := f.make(filepath.Join(dir, f.name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Chdir(filepath.Join(dir, "dir"))
	for _, tc := range []struct {
		name, word string
		want       string // absolute path
		reason     string // part of the error
	}{
		{"absolute", filepath.Join(dir, "linked"), filepath.Join(dir, "linked"), ""},
		{"in PATH, the link kept", "linked", filepath.Join(dir, "linked"), ""},
		{"relative", "../linked", filepath.Join(dir, "linked"), ""},
		{"not in PATH", "absent", "", "no executable of that name in PATH"},
		{"not executable in PATH", "text", "", "no executable of that name in PATH"},
		{"absent", filepath.Join(dir, "absent"), "", "no such file"},
		{"absent below a file", filepath.Join(dir, "text", "x"), "", "cannot be run"},
		{"directory", filepath.Join(dir, "dir"), "", "is a directory"},
		{"not executable", filepath.Join(dir, "text"), "", "chmod +x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			spec, err := servicemanager.Spec{Name: "web", Command: []string{tc.word, "x"}}.Normalize()
			if tc.reason == "" {
				if err != nil || spec.Command[0] != tc.want || spec.Command[1] != "x" {
					t.Errorf("command %q, %v; want %s", spec.Command, err, tc.want)
				}
				return
			}
			var bad *servicemanager.SpecError
			if !errors.As(err, &bad) || bad.Field != "Command" || bad.Value != tc.word || !strings.Contains(bad.Reason, tc.reason) {
				t.Errorf("error %v, want a *SpecError that says %q", err, tc.reason)
			}
		})
	}
}

// Of several faults always the same one is told.
func TestNormalizeIsDeterministic(t *testing.T) {
	spec := plain(t)
	spec.Dir, spec.EnvFile, spec.Log.Dir = "a", "b", "c"
	spec.Env = map[string]string{"A": "\x00", "B": "\x00", "C": "\x00"}
	for _, fix := range []func(){func() {}, func() { spec.Env = nil }} {
		fix()
		_, first := spec.Normalize()
		for range 50 {
			if _, err := spec.Normalize(); err == nil || err.Error() != first.Error() {
				t.Fatalf("%v, and then %v", first, err)
			}
		}
	}
}
