package servicemanager_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestExitInWords(t *testing.T) {
	for _, tc := range []struct {
		exit servicemanager.Exit
		want string
	}{
		{servicemanager.Exit{}, "exit code 0"},
		{servicemanager.Exit{Code: 217}, "exit code 217"},
		{servicemanager.Exit{Signal: syscall.SIGKILL}, "signal SIGKILL"},
		{servicemanager.Exit{Code: 3, Signal: syscall.SIGTERM}, "signal SIGTERM"},
		{servicemanager.Exit{Signal: 63}, "signal SIG63"},
	} {
		if got := tc.exit.String(); got != tc.want {
			t.Errorf("%+v is %q, want %q", tc.exit, got, tc.want)
		}
	}
}

func TestRunning(t *testing.T) {
	for pid, want := range map[int]bool{0: false, -1: false, 1: true, 4711: true} {
		if got := (servicemanager.Status{PID: pid}).Running(); got != want {
			t.Errorf("with pid %d Running is %v", pid, got)
		}
	}
}

func TestSignalNames(t *testing.T) {
	named := 0
	for n := 1; n <= 64; n++ {
		sig := syscall.Signal(n)
		name := servicemanager.SignalName(sig)
		if !strings.HasPrefix(name, "SIG") {
			t.Errorf("signal %d is %q", n, name)
		}
		if name != "SIG"+itoa(n) {
			named++
		}
		for _, word := range []string{name, strings.TrimPrefix(name, "SIG"), strings.ToLower(name), itoa(n)} {
			if got, ok := servicemanager.ParseSignal(word); !ok || got != sig {
				t.Errorf("%q is signal %d %v, want %d", word, got, ok, sig)
			}
		}
	}
	if named < 13 {
		t.Errorf("only %d signals have names", named)
	}
	if got := servicemanager.SignalName(syscall.SIGTERM); got != "SIGTERM" {
		t.Errorf("SIGTERM is %q", got)
	}
}

func itoa(n int) string {
	return strings.TrimPrefix(servicemanager.Exit{Code: n}.String(), "exit code ")
}

func TestParseSignalRefuses(t *testing.T) {
	for _, word := range []string{"", "SIG", "SIGSIGTERM", "NOSUCH", "0", "65", "-1", "15 ", " 15", "1.5", "TERM\n", "99999999999999999999"} {
		if sig, ok := servicemanager.ParseSignal(word); ok {
			t.Errorf("%q is signal %d", word, sig)
		}
	}
}

func TestResolveAct(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts []servicemanager.ActOption
		want servicemanager.Act
	}{
		{"none", nil, servicemanager.Act{}},
		{"the zero option", []servicemanager.ActOption{{}}, servicemanager.Act{}},
		{"no wait", []servicemanager.ActOption{servicemanager.NoWait()}, servicemanager.Act{NoWait: true}},
		{"within", []servicemanager.ActOption{servicemanager.StopWithin(time.Second)}, servicemanager.Act{StopWithin: time.Second}},
		{"both", []servicemanager.ActOption{servicemanager.StopWithin(1), servicemanager.NoWait()}, servicemanager.Act{NoWait: true, StopWithin: 1}},
		{"the last wins", []servicemanager.ActOption{servicemanager.StopWithin(1), servicemanager.StopWithin(2)}, servicemanager.Act{StopWithin: 2}},
		{"zero is ignored", []servicemanager.ActOption{servicemanager.StopWithin(1), servicemanager.StopWithin(0)}, servicemanager.Act{StopWithin: 1}},
		{"less is ignored", []servicemanager.ActOption{servicemanager.StopWithin(-1)}, servicemanager.Act{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := servicemanager.ResolveAct(tc.opts...); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}
