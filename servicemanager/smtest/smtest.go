package smtest

import (
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// defaultPatience is long for machines under load.
const defaultPatience = 60 * time.Second

// rule is one sentence of the contract.
type rule struct {
	name    string
	check   func(*suite)
	needs   []servicemanager.Capability // it is skipped on managers without
	addless bool                        // it needs no service, so no way to add one
}

// rules returns the contract, by subject.
func rules() []group {
	return []group{
		{"capabilities", capabilityRules()},
		{"adding and removing", addRules()},
		{"fields of a spec", fieldRules()},
		{"starting and stopping", lifecycleRules()},
		{"stopping in time", stopRules()},
		{"restarting", restartRules()},
		{"deaths nobody asked for", policyRules()},
		{"status", statusRules()},
		{"waiting", waitRules()},
		{"watching", watchRules()},
		{"signals", signalRules()},
		{"all services", surveyRules()},
		{"logs", logRules()},
		{"readiness", readinessRules()},
		{"ensure and remove", ensureRules()},
		{"what a process gets", processRules()},
		{"errors", errorRules()},
		{"contexts", contextRules()},
		{"closing", closeRules()},
	}
}

type group struct {
	name  string
	rules []rule
}

// Run checks a service manager against the contract written in the comments of
// package servicemanager. Each rule is a subtest, with a Subject of its own
// from open, in parallel with others. The test that calls Run must not be
// parallel, as the last rule counts the goroutines and files of the process.
//
// The binary's TestMain must call [Main].
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	var names atomic.Int64
	name := func() string {
		return "smtest-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(names.Add(1), 10)
	}
	t.Run("contract", func(t *testing.T) {
		for _, g := range rules() {
			t.Run(g.name, func(t *testing.T) {
				t.Parallel()
				for _, r := range g.rules {
					t.Run(r.name, func(t *testing.T) {
						t.Parallel()
						newSuite(t, open(t), name).obey(r)
					})
				}
			})
		}
	})
	t.Run("leaks", func(t *testing.T) {
		r := leakRule()
		t.Run(r.name, func(t *testing.T) { newSuite(t, open(t), name).obey(r) })
	})
}
