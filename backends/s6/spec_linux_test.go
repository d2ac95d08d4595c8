package s6

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// What cannot be honoured is refused by field, and nothing is left behind.
func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	notExecutable := filepath.Join(tr.Dir, "plain")
	must(t, os.WriteFile(notExecutable, nil, 0o644))
	openFile := filepath.Join(tr.Dir, "open.env")
	must(t, os.WriteFile(openFile, nil, 0o644))
	must(t, os.Chmod(openFile, 0o644))
	badLines := map[string]string{}
	for name, text := range map[string]string{"export": "export A=1\n", "shell": "A=1\nPWD=/nowhere\n", "word": "A\n"} {
		badLines[name] = filepath.Join(tr.Dir, name+".env")
		must(t, os.WriteFile(badLines[name], []byte(text), 0o600))
	}
	with := func(change func(*sm.Spec)) sm.Spec {
		s := sleeper("web")
		change(&s)
		return s
	}
	cases := []struct {
		name  string
		spec  sm.Spec
		field string
		says  string
	}{
		{"no name", sleeper(""), "Name", "empty"},
		{"a slash", sleeper("a/b"), "Name", "character"},
		{"a dot", sleeper(".a"), "Name", "dot"},
		{"dot dot", sleeper(".."), "Name", "dot"},
		{"a leading dash", sleeper("-a"), "Name", "dash"},
		{"a newline", sleeper("a\n"), "Name", "character"},
		{"a NUL", sleeper("a\x00b"), "Name", "character"},
		{"not UTF-8", sleeper("a\xff"), "Name", "character"},
		{"a long name", sleeper(strings.Repeat("a", 201)), "Name", "limit"},
		{"no command", with(func(s *sm.Spec) { s.Command = nil }), "Command", "empty"},
		{"no such program", with(func(s *sm.Spec) { s.Command = []string{"/no/such/program"} }), "Command", "no such file"},
		{"no such word", with(func(s *sm.Spec) { s.Command = []string{"no-such-program-here"} }), "Command", "PATH"},
		{"not executable", with(func(s *sm.Spec) { s.Command = []string{notExecutable} }), "Command", "chmod"},
		{"a directory", with(func(s *sm.Spec) { s.Command = []string{"/tmp"} }), "Command", "directory"},
		{"NUL in an argument", with(func(s *sm.Spec) { s.Command = append(s.Command, "a\x00") }), "Command[2]", "NUL"},
		{"a key with a space", with(func(s *sm.Spec) { s.Env = map[string]string{"A B": ""} }), "Env", "variable name"},
		{"a key with a newline", with(func(s *sm.Spec) { s.Env = map[string]string{"A\n": ""} }), "Env", "variable name"},
		{"an empty key", with(func(s *sm.Spec) { s.Env = map[string]string{"": ""} }), "Env", "variable name"},
		{"a value with NUL", with(func(s *sm.Spec) { s.Env = map[string]string{"A": "\x00"} }), "Env[A]", "NUL"},
		{"a value too long", with(func(s *sm.Spec) { s.Env = map[string]string{"A": strings.Repeat("x", 200000)} }), "Env[A]", "bytes"},
		{"the shell's variable", with(func(s *sm.Spec) { s.Env = map[string]string{"PPID": "1"} }), "Env", "shell"},
		{"NOTIFY_FD twice", with(func(s *sm.Spec) { s.Env, s.Ready = map[string]string{"NOTIFY_FD": "4"}, sm.ReadyNotify }), "Env", "Ready"},
		{"order", with(func(s *sm.Spec) { s.After = []string{"db"} }), "After", "s6"},
		{"boot", with(func(s *sm.Spec) { s.Boot = sm.BootManual }), "Boot", "Down"},
		{"delay", with(func(s *sm.Spec) { s.RestartDelay = 5 * time.Second }), "RestartDelay", "1 s"},
		{"relative dir", with(func(s *sm.Spec) { s.Dir = "x" }), "Dir", "absolute"},
		{"no such dir", with(func(s *sm.Spec) { s.Dir = "/no/such/dir" }), "Dir", "no such file"},
		{"dir is a file", with(func(s *sm.Spec) { s.Dir = openFile }), "Dir", "not a directory"},
		{"no such env file", with(func(s *sm.Spec) { s.EnvFile = "/no/such/file" }), "EnvFile", "no such file"},
		{"open env file", with(func(s *sm.Spec) { s.EnvFile = openFile }), "EnvFile", "chmod 600"},
		{"env file of a shell", with(func(s *sm.Spec) { s.EnvFile = badLines["export"] }), "EnvFile", "line 1"},
		{"env file with the shell's variable", with(func(s *sm.Spec) { s.EnvFile = badLines["shell"] }), "EnvFile", "line 2 sets PWD"},
		{"env file with a word", with(func(s *sm.Spec) { s.EnvFile = badLines["word"] }), "EnvFile", "line 1 is not KEY=VALUE"},
		{"log into a file", with(func(s *sm.Spec) { s.Log.Dir = openFile }), "Log.Dir", "is not a directory"},
		{"log below a file", with(func(s *sm.Spec) { s.Log.Dir = openFile + "/log" }), "Log.Dir", "not a directory"},
		{"no such user", with(func(s *sm.Spec) { s.User = "no-such-user" }), "User", "not a user"},
		{"stop by KILL", with(func(s *sm.Spec) { s.StopSignal = syscall.SIGKILL }), "StopSignal", "StopTimeout"},
		{"log settings without a directory", with(func(s *sm.Spec) { s.Log.Tee = true }), "Log.Dir", "empty"},
		{"fatal zero", with(func(s *sm.Spec) { s.FatalExitCodes = []int{0} }), "FatalExitCodes", "RestartOnFailure"},
		{"two ways to be ready", with(func(s *sm.Spec) { s.Ready, s.ReadyFD = sm.ReadyNotify, 3 }), "ReadyFD", "Ready"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "delay" {
				s6Only(t, tr, "it honours restart delays")
			}
			err := m.Register(ctx, tc.spec)
			var se *sm.SpecError
			var e *sm.Error
			if !errors.As(err, &se) || !errors.As(err, &e) || e.Op != "register" {
				t.Fatalf("Register = %v, want a SpecError within an Error", err)
			}
			if se.Field != tc.field || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: field %q, want %q and the word %q on one line", err, se.Field, tc.field, tc.says)
			}
		})
	}
	entries, err := os.ReadDir(tr.ScanDir)
	must(t, err)
	if len(entries) != 1 { // .s6-svscan
		t.Errorf("refused registrations left something: %v", entries)
	}
}

// R12: a longest name works through its whole life, logger included.
func TestR12_LongestName(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	spec := sleeper(strings.Repeat("n", sm.MaxNameLen))
	spec.Log.Dir = filepath.Join(tr.Dir, "log")
	must(t, m.Register(ctx, spec))
	must(t, m.Restart(ctx, spec.Name))
	must(t, m.Unregister(ctx, spec.Name))
}

// Only our own tree reads the backoff file. That it was here before s6 means
// nothing.
func TestDelaysWhereTheTreeReadsThem(t *testing.T) {
	t.Parallel()
	spec := sleeper("web")
	spec.RestartDelay, spec.RestartMaxDelay = 2*time.Second, time.Minute
	foreign := s6test.Start(t)
	must(t, os.WriteFile(filepath.Join(foreign.ScanDir, ".s6-svscan/version"), []byte("hermes-gateway 1.2.3\n"), 0o644))
	var bad *sm.SpecError
	if err := openOn(t, foreign).Register(testContext(t), spec); !foreign.IsOwn() && (!errors.As(err, &bad) || bad.Field != "RestartDelay") {
		t.Errorf("on a tree of s6: %v", err)
	}
	tr := s6test.Start(t, s6test.Own())
	must(t, openOn(t, tr).Register(testContext(t), spec))
	b, err := os.ReadFile(filepath.Join(tr.ScanDir, "web/backoff"))
	if err != nil || string(b) != "2000 60000\n" {
		t.Errorf("backoff %q, %v", b, err)
	}
}

// Something else in the place of the name is said, not overwritten.
func TestNameTakenByOtherThings(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	must(t, os.WriteFile(filepath.Join(tr.ScanDir, "file"), []byte("precious"), 0o644))
	must(t, os.Symlink("/nowhere", filepath.Join(tr.ScanDir, "dangling")))
	if err := m.Register(ctx, sleeper("file")); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("over a file: %v", err)
	}
	if err := m.Register(ctx, sleeper("dangling")); !errors.Is(err, sm.ErrAlreadyRegistered) {
		t.Errorf("over a link: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(tr.ScanDir, "file")); err != nil || string(b) != "precious" {
		t.Errorf("the file was touched: %q %v", b, err)
	}
}
