package cli

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestRegisterProfile(t *testing.T) {
	b := newBench(t, "coder")
	b.want(0, "✓ registered coder\n  it is down; start it: hermes-gateway start coder\n", "", "register", "coder")
	spec := b.fake.specs["gateway-coder"]
	if got, want := spec.Command[1:], []string{"-p", "coder", "gateway", "run"}; !slices.Equal(got, want) {
		t.Errorf("arguments are %q, want %q", got, want)
	}
	if want := filepath.Join(b.home, "profiles", "coder"); spec.Dir != want || !spec.Down {
		t.Errorf("directory %q, down %v", spec.Dir, spec.Down)
	}
	if spec.Restart != sm.RestartOnFailure || !slices.Equal(spec.FatalExitCodes, []int{78}) {
		t.Errorf("policy %s, fatal %v", spec.Restart, spec.FatalExitCodes)
	}
	logs := filepath.Join(b.home, "logs", "gateways", "coder")
	if spec.Log.Dir != logs {
		t.Errorf("logs in %q, want %q", spec.Log.Dir, logs)
	}
	if _, err := os.Stat(logs); err != nil {
		t.Errorf("the log directory was not made: %v", err)
	}
	want := map[string]string{"HERMES_HOME": b.home, "HERMES_SUPERVISED_CHILD": "1", "HERMES_S6_SUPERVISED_CHILD": "1"}
	if !maps.Equal(spec.Env, want) {
		t.Errorf("environment %v, want %v", spec.Env, want)
	}
	b.want(1, "", "✗ could not register coder: service already registered with the same spec\n", "register", "coder")
	b.want(1, "", "another spec; put this one in its place with --replace", "register", "coder", "--description", "other")
	b.want(0, "✓ replaced and started coder (pid 100)\n", "", "register", "coder", "--replace", "--up")
	b.want(0, `"did":"replaced"`, "", "register", "coder", "--replace", "--json")

	b.want(0, "✓ registered default", "", "register", "default")
	if got, want := b.fake.specs["gateway-default"].Command[1:], []string{"gateway", "run"}; !slices.Equal(got, want) {
		t.Errorf("R14: arguments of the default profile are %q, want %q", got, want)
	}
	if got := b.fake.specs["gateway-default"].Dir; got != b.home {
		t.Errorf("the default profile runs in %q, want %q", got, b.home)
	}
}

func TestRegisterService(t *testing.T) {
	b := newBench(t, "coder")
	prog := os.Args[0]
	b.env["TOKEN"] = "s3cr3t\nwith lines and $HOME 'quotes'"
	b.want(0, "✓ registered and started web (pid 100)\n", "", "register", "web", "--up",
		"--env", "TOKEN", "--env", "A=b=c", "--env", "EMPTY=", "--env-file", "secrets", "--dir", "/tmp", "--run-as", "nobody:nogroup",
		"--log-dir", "/tmp/logs", "--ready", "--stop-timeout", "3s", "--restart", "on-failure", "--restart-delay", "2s",
		"--fatal-exit", "3,4", "--fatal-exit", "5", "--after", "coder", "--after", "db", "--nofile", "4096", "--description", "the web",
		"--", prog, "--port", "8080", "--json")
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got := b.fake.specs["web"]
	want := sm.Spec{
		Name: "web", Description: "the web", Command: []string{prog, "--port", "8080", "--json"},
		Env:     map[string]string{"TOKEN": b.env["TOKEN"], "A": "b=c", "EMPTY": ""},
		EnvFile: filepath.Join(cwd, "secrets"), Dir: "/tmp", User: "nobody:nogroup", Limits: sm.Limits{NoFile: 4096},
		After: []string{"gateway-coder", "db"}, Restart: sm.RestartOnFailure, RestartDelay: 2 * time.Second,
		FatalExitCodes: []int{3, 4, 5}, StopTimeout: 3 * time.Second, Ready: sm.ReadyNotify, Log: sm.LogSpec{Dir: "/tmp/logs"},
	}
	if got.Hash() != want.Hash() || got.Down {
		t.Errorf("registered %+v\nwant %+v", got, want)
	}

	b.want(0, "✓ registered plain", "", "register", "plain", "--", prog)
	plain := b.fake.specs["plain"]
	if want := filepath.Join(b.home, "logs", "services", "plain"); plain.Log.Dir != want || plain.Restart != sm.RestartAlways || len(plain.FatalExitCodes) > 0 {
		t.Errorf("registered %+v", plain)
	}
	b.want(0, "✓ registered mute", "", "register", "mute", "--log-dir", "none", "--ready-fd", "5", "--", prog)
	if mute := b.fake.specs["mute"]; mute.Log.Dir != "" || mute.ReadyFD != 5 {
		t.Errorf("registered %+v", mute)
	}
	b.want(0, "✓ registered Upper.Case", "", "--exact", "register", "Upper.Case", "--log-dir", "none", "--", prog)

	b.want(0, "✓ registered coder", "", "register", "--profile", "coder", "--", prog, "mine")
	if spec := b.fake.specs["gateway-coder"]; !slices.Equal(spec.Command, []string{prog, "mine"}) || spec.Env["HERMES_HOME"] != b.home {
		t.Errorf("registered %+v", spec)
	}
}

func TestBadRegistrations(t *testing.T) {
	prog := os.Args[0]
	for _, tc := range []struct {
		name string
		args []string
		code int
		err  string
	}{
		{"no name", []string{}, 2, "register needs a NAME"},
		{"no name but a command", []string{"--", prog}, 2, "register needs a NAME"},
		{"two names", []string{"a", "b"}, 2, `takes one NAME, and "b" is more`},
		{"no command after --", []string{"a", "--"}, 2, "no command after --"},
		{"name and another profile", []string{"a", "--profile", "b", "--", prog}, 2, "exclude each other"},
		{"profile that does not exist", []string{"nope"}, 5, "no directory"},
		{"empty profile", []string{""}, 2, "is empty"},
		{"profile with a slash", []string{"a/b"}, 2, "byte 1"},
		{"profile with a dot", []string{".."}, 2, "byte 0"},
		{"profile with a dash in front", []string{"--profile", "-x"}, 2, "dash"},
		{"profile with upper case", []string{"Coder"}, 2, "upper-case"},
		{"profile with a newline", []string{"coder\n"}, 2, "byte 5"},
		{"profile with a NUL", []string{"co\x00der"}, 2, "byte 2"},
		{"profile that is not UTF-8", []string{"co\xffder"}, 2, "byte 2"},
		{"profile of 65 bytes", []string{strings.Repeat("a", 65)}, 2, "65 bytes, the limit is 64; --long-names lifts it"},
		{"profile of 193 bytes", []string{"--long-names", strings.Repeat("a", 193)}, 2, "193 bytes, the limit is 192"},
		{"service with upper case", []string{"Web", "--", prog}, 2, "upper-case letter; profile names are lower case; if that name is meant, add --exact"},
		{"service with a dot", []string{"a.b", "--", prog}, 2, "add --exact"},
		{"empty service", []string{"", "--", prog}, 2, "is empty"},
		{"service with a slash", []string{"a/b", "--", prog}, 2, "byte 1"},
		{"service with a dot in front", []string{".a", "--", prog}, 2, "dot"},
		{"service that ends in .log", []string{"a.log", "--", prog}, 2, ".log"},
		{"service of 201 bytes", []string{strings.Repeat("a", 201), "--", prog}, 2, "201 bytes, the limit is 200"},
		{"service with a newline", []string{"a\n", "--", prog}, 2, "byte 1"},
		{"service that is not UTF-8", []string{"a\xff", "--", prog}, 2, "byte 1"},
		{"program that does not exist", []string{"web", "--", "/no/such/program"}, 2, "no such file"},
		{"program not on PATH", []string{"web", "--", "no-such-program-anywhere"}, 2, "PATH"},
		{"variable that is none", []string{"web", "--env", "1A=b", "--", prog}, 2, "not a variable name"},
		{"variable with a space", []string{"web", "--env", "A B=c", "--", prog}, 2, "not a variable name"},
		{"variable that is not set", []string{"web", "--env", "NOT_SET_HERE", "--", prog}, 2, "--env NOT_SET_HERE=VALUE"},
		{"variable with a NUL", []string{"web", "--env", "A=b\x00c", "--", prog}, 2, "NUL"},
		{"policy that is none", []string{"web", "--restart", "sometimes", "--", prog}, 2, "always, on-failure, never"},
		{"fatal 0", []string{"web", "--fatal-exit", "0", "--", prog}, 2, "between 1 and 255"},
		{"fatal word", []string{"web", "--fatal-exit", "x", "--", prog}, 2, "fatal-exit"},
		{"readiness on stdout", []string{"web", "--ready-fd", "1", "--", prog}, 2, "ReadyFD"},
		{"both kinds of readiness", []string{"web", "--ready-fd", "4", "--ready", "--", prog}, 2, "cannot be combined"},
		{"user that cannot be", []string{"web", "--run-as", "a:b:c", "--", prog}, 2, "User"},
		{"after itself", []string{"web", "--after", "web", "--", prog}, 2, "the service itself"},
		{"after a bad name", []string{"web", "--after", "a/b", "--", prog}, 2, `"a/b"`},
		{"description of two lines", []string{"web", "--description", "a\nb", "--", prog}, 2, "one line"},
		{"empty directory", []string{"web", "--dir", "", "--", prog}, 2, "--dir is empty"},
		{"negative stop timeout", []string{"web", "--stop-timeout", "-1s", "--", prog}, 2, "negative"},
		{"log directory that cannot be made", []string{"web", "--log-dir", "/dev/null/logs", "--", prog}, 1, "--log-dir none"},
		{"unknown flag", []string{"web", "--nope", "--", prog}, 2, "unknown flag"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, "coder")
			b.want(tc.code, "", tc.err, append([]string{"register"}, tc.args...)...)
			if len(b.fake.specs) > 0 {
				t.Errorf("registered %v", b.fake.specs)
			}
			if strings.Count(b.err.String(), "\n") != 1 {
				t.Errorf("stderr is not one line: %q", b.err.String())
			}
		})
	}
}

func TestReplaceRemovesNothingForABadCommand(t *testing.T) {
	b := newBench(t)
	b.want(0, "*", "", "register", "web", "--log-dir", "none", "--", os.Args[0])
	b.want(2, "", "no such file", "register", "web", "--replace", "--log-dir", "none", "--", "/no/such/program")
	if len(b.fake.called("unregister")) > 0 {
		t.Error("the old service was removed for one that cannot be")
	}
}

func TestLongNames(t *testing.T) {
	long := strings.Repeat("a", 65)
	b := newBench(t, long)
	b.want(2, "", "the limit is 64", "register", long)
	b.want(2, "", "the limit is 64", "start", long)
	b.want(0, "✓ registered "+long, "", "register", long, "--long-names")
	b.want(0, "✓ started "+long, "", "start", long)
}

func TestGatewayCommandTemplate(t *testing.T) {
	b := newBench(t, "coder")
	b.env["HERMES_GATEWAY_COMMAND"] = os.Args[0] + " 'a b' {profile} {-p}"
	b.want(0, "*", "", "register", "coder")
	if got, want := b.fake.specs["gateway-coder"].Command[1:], []string{"a b", "coder", "-p", "coder"}; !slices.Equal(got, want) {
		t.Errorf("arguments are %q, want %q", got, want)
	}
	b.env["HERMES_GATEWAY_COMMAND"] = "'open"
	b.want(2, "", "HERMES_GATEWAY_COMMAND", "register", "default")
	b.env["HERMES_GATEWAY_COMMAND"] = "no-such-program-anywhere"
	b.want(2, "", "say in HERMES_GATEWAY_COMMAND how to run it", "register", "default")
	b.want(2, "", "say in HERMES_GATEWAY_COMMAND how to run it", "start", "default")
}

func TestRegisterWhereNothingCanBeRegistered(t *testing.T) {
	b := newBench(t)
	b.backend.m = hostManager{sm.NoRegistrar{Manager: sm.KindSystemd}, b.fake}
	b.want(3, "", "not supported by this service manager; registration at run time exists under s6 only; install the service instead", "register", "web", "--", os.Args[0])
	b.want(3, "", "not supported", "unregister", "web")
}

// hostManager is a manager without registration.
type hostManager struct {
	sm.NoRegistrar
	bare
}

// bare is a manager that can do the least.
type bare interface {
	Kind() sm.Kind
	Supports(sm.Capability) bool
	Start(context.Context, string, ...sm.ActOption) error
	Stop(context.Context, string, ...sm.ActOption) error
	Restart(context.Context, string, ...sm.ActOption) error
	Status(context.Context, string) (sm.Status, error)
	Close() error
}

func (hostManager) Kind() sm.Kind               { return sm.KindSystemd }
func (hostManager) Supports(sm.Capability) bool { return false }
