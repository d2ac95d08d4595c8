package notify

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestSupervisor(t *testing.T) {
	for _, tc := range []struct {
		name string
		seen evidence
		want servicemanager.Kind
	}{
		{"nothing", evidence{}, ""},
		{"parent is process 1 only", evidence{pid: 7, ppid: 1}, ""},
		{"descriptor", evidence{pipe: true}, servicemanager.KindS6},
		{"descriptor below systemd", evidence{pipe: true, socket: true, invocation: "ab"}, servicemanager.KindS6},
		{"s6 without readiness", evidence{parent: "s6-supervise", invocation: "ab"}, servicemanager.KindS6},
		{"socket", evidence{socket: true}, servicemanager.KindSystemd},
		{"invocation, old systemd", evidence{invocation: "ab", pid: 7}, servicemanager.KindSystemd},
		{"invocation is ours", evidence{invocation: "ab", execPID: "7", pid: 7}, servicemanager.KindSystemd},
		{"shell in a terminal service", evidence{invocation: "ab", execPID: "6", pid: 7}, ""},
		{"launchd job", evidence{xpcName: "org.example.web", ppid: 1}, servicemanager.KindLaunchd},
		{"login shell on macOS", evidence{xpcName: "0", ppid: 1}, ""},
		{"shell in a terminal program", evidence{xpcName: "org.example.web", ppid: 99}, ""},
		{"application", evidence{xpcName: "application.org.example.1.2", ppid: 1}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := supervisor(tc.seen); got != tc.want {
				t.Errorf("supervisor %q, want %q", got, tc.want)
			}
		})
	}
}

func TestExit(t *testing.T) {
	cause := errors.New("full")
	for _, tc := range []struct {
		name string
		err  error
		code int
		text string
	}{
		{"exit", Exit(3, cause), 3, "full"},
		{"exit wrapped", fmt.Errorf("disk: %w", Exit(3, cause)), 3, "disk: full"},
		{"exit zero", Exit(0, cause), 0, "full"},
		{"silent", Exit(3, nil), 3, "exit status 3"},
		{"fatal", Fatal(cause), 78, "full"},
		{"again", Again(cause), 75, "full"},
		{"outermost wins", Exit(4, Fatal(cause)), 4, "full"},
		{"not an exit status", Exit(256, cause), 1, "full"},
		{"negative", Exit(-1, cause), 1, "full"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var e *exitError
			if !errors.As(tc.err, &e) || e.code != tc.code || tc.err.Error() != tc.text {
				t.Errorf("%#v %q, want code %d, %q", e, tc.err, tc.code, tc.text)
			}
			if tc.name != "silent" && !errors.Is(tc.err, cause) {
				t.Error("the cause is lost")
			}
		})
	}
}
