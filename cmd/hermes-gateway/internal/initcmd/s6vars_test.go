package initcmd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// variables is an environment, NAME=VALUE by NAME=VALUE.
func variables(text string) func(string) string {
	return func(name string) string {
		for _, entry := range strings.Fields(text) {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return strings.ReplaceAll(value, "_", " ")
			}
		}
		return ""
	}
}

// Each variable of s6-overlay comes to what it means there, and all of ours win.
func TestVariablesOfS6Overlay(t *testing.T) {
	t.Parallel()
	show := func(o options) string {
		return fmt.Sprintf("%v %v %v %v %v %v %v %v %v %v", o.grace, o.stopWithin, o.past.servicesGrace, o.hooks.finishTimeout, o.hooks.goOn, o.hooks.quiet, o.verbosity, o.past.logging, o.past.stage2Hook, len(o.past.warnings))
	}
	const usual = "8s 9s 0s 5s false false 0  [] 0"
	for env, want := range map[string]string{
		"":                                           usual,
		"S6_KEEP_ENV=1":                              usual,
		"S6_KILL_GRACETIME=500":                      "500ms 9s 0s 5s false false 0  [] 0",
		"S6_KILL_GRACETIME=0":                        "1ms 9s 0s 5s false false 0  [] 0",
		"S6_KILL_GRACETIME=20000":                    "20s 23s 0s 5s false false 0  [] 0",
		"S6_SERVICES_GRACETIME=20000":                "8s 23s 20s 5s false false 0  [] 0",
		"S6_KILL_FINISH_MAXTIME=30000":               "8s 36s 0s 30s false false 0  [] 0",
		"S6_KILL_FINISH_MAXTIME=0":                   "8s 9s 0s 0s false false 0  [] 0",
		"S6_BEHAVIOUR_IF_STAGE2_FAILS=0":             "8s 9s 0s 5s true true 0  [] 0",
		"S6_BEHAVIOUR_IF_STAGE2_FAILS=1":             "8s 9s 0s 5s true false 0  [] 0",
		"S6_BEHAVIOUR_IF_STAGE2_FAILS=2":             "8s 9s 0s 5s false false 0  [] 0",
		"S6_VERBOSITY=0":                             "8s 9s 0s 5s false false 0  [] 0",
		"S6_VERBOSITY=2":                             "8s 9s 0s 5s false false 1  [] 0",
		"S6_VERBOSITY=5":                             "8s 9s 0s 5s false false 3  [] 0",
		"S6_LOGGING=0":                               usual,
		"S6_LOGGING=2":                               "8s 9s 0s 5s false false 0 2 [] 0",
		"S6_STAGE2_HOOK=/hook_-x":                    "8s 9s 0s 5s false false 0  [/hook -x] 0",
		"S6_KILL_GRACETIME=3s":                       "8s 9s 0s 5s false false 0  [] 1",
		"S6_VERBOSITY=-1":                            "8s 9s 0s 5s false false 0  [] 1",
		"S6_KILL_GRACETIME=500 HERMES_INIT_GRACE=4s": "4s 9s 0s 5s false false 0  [] 0",
		"S6_SERVICES_GRACETIME=20000 HERMES_INIT_STOP_WITHIN=5s":                    "8s 5s 20s 5s false false 0  [] 0",
		"S6_KILL_FINISH_MAXTIME=1 HERMES_INIT_FINISH_TIMEOUT=4s":                    "8s 9s 0s 4s false false 0  [] 0",
		"S6_BEHAVIOUR_IF_STAGE2_FAILS=2 HERMES_INIT_HOOK_FAILURE=continue":          "8s 9s 0s 5s true false 0  [] 0",
		"S6_BEHAVIOUR_IF_STAGE2_FAILS=0 HERMES_INIT_HOOK_FAILURE=continue":          "8s 9s 0s 5s true false 0  [] 0",
		"S6_BEHAVIOUR_IF_STAGE2_FAILS=0 HERMES_INIT_HOOK_FAILURE=stop":              "8s 9s 0s 5s false false 0  [] 0",
		"S6_VERBOSITY=5 HERMES_INIT_VERBOSITY=0":                                    "8s 9s 0s 5s false false 0  [] 0",
		"S6_KILL_GRACETIME=1 S6_SERVICES_GRACETIME=2 S6_KILL_FINISH_MAXTIME=100000": "1ms 1m40.003s 2ms 1m40s false false 0  [] 0",
	} {
		o, err := parse(nil, variables(env))
		if got := show(o); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", env, got, err, want)
		}
	}
	o, err := parse([]string{"--grace", "4s", "--stop-within", "6s", "--hook-failure", "stop"}, variables("S6_KILL_GRACETIME=500 S6_SERVICES_GRACETIME=50000 S6_BEHAVIOUR_IF_STAGE2_FAILS=0"))
	if got := show(o); got != "4s 6s 50s 5s false false 0  [] 0" || err != nil {
		t.Errorf("flags: %s, %v", got, err)
	}
}

func TestWaitForServicesOfS6Overlay(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]string{
		"": "false 1m0s", "S6_CMD_WAIT_FOR_SERVICES=0": "false 1m0s", "S6_CMD_WAIT_FOR_SERVICES=x": "false 1m0s", "S6_CMD_WAIT_FOR_SERVICES=1": "true 0s",
		"S6_CMD_WAIT_FOR_SERVICES=1 S6_CMD_WAIT_FOR_SERVICES_MAXTIME=1500": "true 1.5s",
		"S6_CMD_WAIT_FOR_SERVICES=2 S6_CMD_WAIT_FOR_SERVICES_MAXTIME=x":    "true 0s",
		"S6_CMD_WAIT_FOR_SERVICES_MAXTIME=1500":                            "false 1.5s", // for those of s6-rc
		"S6_CMD_WAIT_FOR_SERVICES=1 HERMES_INIT_WAIT_READY=4s":             "true 4s",
		"S6_CMD_WAIT_FOR_SERVICES=1 HERMES_INIT_WAIT_READY=false":          "false 0s",
	} {
		o, err := parse(nil, variables(env))
		if got := fmt.Sprint(o.waitReady, " ", o.readyWithin); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", env, got, err, want)
		}
	}
}

func TestVariablesThatMeanNothing(t *testing.T) {
	t.Parallel()
	environ := []string{
		"PATH=/bin", "S6=1", "S6_KEEP_ENV=1", "S6_READ_ONLY_ROOT=1", "S6_CMD_USE_TERMINAL=1", "S6_SYNC_DISKS=0",
		"S6_VERBOSITY=1", "S6_CMD_WAIT_FOR_SERVICES=1", "S6_RUNTIME_PROFILE=x", "S6_CMD_ARG0=/x", "S6_CMD_ARG0=/y", "NOT_S6_X=1",
	}
	if got := notUnderstood(environ); !slices.Equal(got, []string{"S6_CMD_ARG0", "S6_RUNTIME_PROFILE"}) {
		t.Errorf("%q", got)
	}
	if got := notUnderstood([]string{"S6_SYNC_DISKS=1"}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
