package s6

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// docs/backends.md tells the truth: every field of a Spec has a row, and a
// service with that field set is registered or refused as the row says.
func TestTableOfFields(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/backends.md")
	if errors.Is(err, os.ErrNotExist) && os.Getenv("S6TEST_AS_USER") != "" {
		t.Skip("this run is away from the sources; the first one read them")
	}
	must(t, err)
	rows := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\w+) \| (yes|no) \|`).FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	tr := s6test.Start(t)
	m := openOn(t, tr)
	envFile := filepath.Join(tr.Dir, "env")
	must(t, os.WriteFile(envFile, nil, 0o600))
	set := map[string]func(*sm.Spec){
		"Name":            func(*sm.Spec) {},
		"Description":     func(s *sm.Spec) { s.Description = "a service" },
		"Command":         func(*sm.Spec) {},
		"Env":             func(s *sm.Spec) { s.Env = map[string]string{"A": "b"} },
		"EnvFile":         func(s *sm.Spec) { s.EnvFile = envFile },
		"Dir":             func(s *sm.Spec) { s.Dir = tr.Dir },
		"User":            func(s *sm.Spec) { s.User = strconv.Itoa(os.Geteuid()) },
		"Limits":          func(s *sm.Spec) { s.Limits.NoFile = 64 },
		"Down":            func(s *sm.Spec) { s.Down = true },
		"Boot":            func(s *sm.Spec) { s.Boot = sm.BootManual },
		"After":           func(s *sm.Spec) { s.After = []string{"other"} },
		"Restart":         func(s *sm.Spec) { s.Restart = sm.RestartNever },
		"RestartDelay":    func(s *sm.Spec) { s.RestartDelay = 2 * time.Second },
		"RestartMaxDelay": func(s *sm.Spec) { s.RestartMaxDelay = time.Minute },
		"FatalExitCodes":  func(s *sm.Spec) { s.FatalExitCodes = []int{78} },
		"StopSignal":      func(s *sm.Spec) { s.StopSignal = syscall.SIGINT },
		"StopTimeout":     func(s *sm.Spec) { s.StopTimeout = time.Second },
		"Ready":           func(s *sm.Spec) { s.Ready = sm.ReadyNotify },
		"ReadyFD":         func(s *sm.Spec) { s.ReadyFD = 5 },
		"Log":             func(s *sm.Spec) { s.Log.Dir = filepath.Join(tr.Dir, "log") },
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[sm.Spec]()) {
		t.Run(f.Name, func(t *testing.T) {
			if set[f.Name] == nil || rows[f.Name] == "" {
				t.Fatalf("docs/backends.md has the row %q; this test sets it: %v", rows[f.Name], set[f.Name] != nil)
			}
			if strings.HasPrefix(f.Name, "Restart") && strings.HasSuffix(f.Name, "Delay") {
				s6Only(t, tr, "it honours restart delays")
			}
			spec := sleeper("s-" + f.Name)
			set[f.Name](&spec)
			err := m.Register(testContext(t), spec)
			var se *sm.SpecError
			if rows[f.Name] == "yes" && err != nil || rows[f.Name] == "no" && !errors.As(err, &se) {
				t.Errorf("the table says %s, Register says %v", rows[f.Name], err)
			}
		})
	}
	if len(rows) != len(set) {
		t.Errorf("docs/backends.md has %d rows, a Spec has %d fields", len(rows), len(set))
	}
}
