package smtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// breachVariable tells a copy of the test binary which breach to commit.
const breachVariable = "SMTEST_BREACH"

// A suite that nothing can fail proves nothing: for every breach a copy of the
// test binary runs the rule against a manager that commits it, and must fail.
// The same rule passes without the breach.
func TestSuiteFindsBreaches(t *testing.T) {
	if os.Getenv(breachVariable) != "" {
		t.Skip("this is the copy")
	}
	for _, b := range breaches() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			rule := strings.ReplaceAll(b.rule, " ", "_")
			if out, err := runRule(t, rule, "none"); err != nil || !strings.Contains(out, "--- PASS: TestBreach/"+rule) {
				t.Fatalf("without the breach: %v\n%s", err, out)
			}
			out, err := runRule(t, rule, b.name)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, "--- FAIL: TestBreach/"+rule) {
				t.Errorf("the suite has not found it: %v\n%s", err, out)
			}
		})
	}
}

func runRule(t *testing.T, rule, breach string) (string, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var pattern []string
	for part := range strings.SplitSeq("TestBreach/"+rule, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-test.v", "-test.run", strings.Join(pattern, "/"))
	// The race detector else waits a second at each exit.
	cmd.Env = append(os.Environ(), breachVariable+"="+breach, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// leaked keeps what must not be collected; the process ends soon.
var leaked sync.Map

// TestBreach is what the copies run.
func TestBreach(t *testing.T) {
	name := os.Getenv(breachVariable)
	if name == "" {
		t.Skip("it is run by TestSuiteFindsBreaches")
	}
	Run(t, func(t *testing.T) Subject {
		f := NewFake(FakeRestartDelay(20 * time.Millisecond))
		s := fakeSubject(f)
		for _, b := range breaches() {
			if b.name == name {
				alter := func(f *Fake) servicemanager.ServiceManager {
					m := &altered{Fake: f}
					b.commit(m)
					return m
				}
				s.Manager = alter(f)
				s.Reopen = func(*testing.T) servicemanager.ServiceManager { return alter(f.Reopen()) }
				s.Patience = time.Second
			}
		}
		return s
	})
}

type breach struct {
	name   string
	rule   string // the subtest that must find it
	commit func(*altered)
}

func breaches() []breach {
	var all []breach
	for _, list := range [][]breach{
		verbBreaches(), statusBreaches(), endBreaches(), fieldBreaches(), registrarBreaches(), removalBreaches(),
		waitBreaches(), watchBreaches(), signalBreaches(), logBreaches(),
	} {
		all = append(all, list...)
	}
	return all
}
