package smtest

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// field is a way to use an optional field of a Spec.
type field struct {
	name string
	set  func(*suite, *servicemanager.Spec)
}

func fields() []field {
	type spec = servicemanager.Spec
	logDir := func(s *suite, sp *spec) { sp.Log.Dir = filepath.Join(s.Dir, sp.Name) }
	return []field{
		{"Description", func(_ *suite, sp *spec) { sp.Description = "100% of it's \"words\" \\ $HOME ☃" }},
		{"Env", func(_ *suite, sp *spec) { sp.Env = map[string]string{"A": "b"} }},
		{"EnvFile", func(s *suite, sp *spec) {
			sp.EnvFile = filepath.Join(s.Dir, sp.Name+".env")
			s.must(os.WriteFile(sp.EnvFile, []byte("A=b\n"), 0o600))
		}},
		{"Dir", func(_ *suite, sp *spec) { sp.Dir = filepath.Dir(sp.Command[0]) }},
		{"User", func(s *suite, sp *spec) {
			if uid := os.Getuid(); uid >= 0 {
				sp.User = strconv.Itoa(uid)
			}
		}},
		{"Limits.NoFile", func(_ *suite, sp *spec) { sp.Limits.NoFile = 200 }},
		{"Boot", func(_ *suite, sp *spec) { sp.Boot = servicemanager.BootManual }},
		{"After", func(s *suite, sp *spec) {
			other := s.spec()
			other.Down = true
			sp.After = []string{s.add(other).Name}
		}},
		{"Restart", func(_ *suite, sp *spec) { sp.Restart = servicemanager.RestartOnFailure }},
		{"Restart", func(_ *suite, sp *spec) { sp.Restart = servicemanager.RestartNever }},
		{"RestartDelay", func(_ *suite, sp *spec) { sp.RestartDelay = 2 * time.Second }},
		{"RestartMaxDelay", func(_ *suite, sp *spec) { sp.RestartMaxDelay = time.Minute }},
		{"FatalExitCodes", func(_ *suite, sp *spec) { sp.FatalExitCodes = []int{78, 1, 255} }},
		{"StopSignal", func(_ *suite, sp *spec) { sp.StopSignal = syscall.SIGINT }},
		{"StopTimeout", func(_ *suite, sp *spec) { sp.StopTimeout = 1500 * time.Millisecond }},
		{"Ready", func(_ *suite, sp *spec) { sp.Ready = servicemanager.ReadyNotify }},
		{"ReadyFD", func(_ *suite, sp *spec) { sp.ReadyFD = 5 }},
		{"Log", logDir},
		{"Log.MaxFiles", func(s *suite, sp *spec) { logDir(s, sp); sp.Log.MaxFiles = 3 }},
		{"Log.MaxBytes", func(s *suite, sp *spec) { logDir(s, sp); sp.Log.MaxBytes = 1 << 16 }},
		{"Log.Timestamps", func(s *suite, sp *spec) { logDir(s, sp); sp.Log.Timestamps = servicemanager.TimestampTAI }},
		{"Log.Timestamps", func(s *suite, sp *spec) { logDir(s, sp); sp.Log.Timestamps = servicemanager.TimestampNone }},
		{"Log.Tee", func(s *suite, sp *spec) { logDir(s, sp); sp.Log.Tee = true }},
	}
}

func fieldRules() []rule {
	known := []string{"Env bytes", "Command bytes"}
	var rules []rule
	for _, f := range fields() {
		known = append(known, f.name)
		rules = append(rules, rule{name: f.name + " is honoured, or refused as announced", check: func(s *suite) {
			spec := s.spec()
			spec.Down = true
			f.set(s, &spec)
			s.addWith(f.name, spec)
		}})
	}
	return append(rules, rule{name: "only fields are announced as refused", addless: true, check: func(s *suite) {
		for _, word := range s.Refuses {
			if !slices.Contains(known, word) {
				s.t.Errorf("Subject.Refuses names %q; known are %q", word, known)
			}
		}
	}})
}
