package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestManagerIsChosen(t *testing.T) {
	for _, tc := range []struct {
		name    string
		args    []string
		env     map[string]string
		kind    sm.Kind // of the manager that is opened
		scanDir string
	}{
		{"best fit", nil, nil, sm.KindS6, "/run/service"},
		{"flag", []string{"--backend", "systemd"}, nil, sm.KindSystemd, ""},
		{"variable", nil, map[string]string{"HERMES_SERVICE_MANAGER": "systemd"}, sm.KindSystemd, ""},
		{"library's variable", nil, map[string]string{"SERVICE_MANAGER": "systemd"}, sm.KindSystemd, ""},
		{"variable beats the library's", nil, map[string]string{"HERMES_SERVICE_MANAGER": "s6", "SERVICE_MANAGER": "systemd"}, sm.KindS6, "/run/service"},
		{"flag beats the variable", []string{"--backend", "s6"}, map[string]string{"HERMES_SERVICE_MANAGER": "systemd"}, sm.KindS6, "/run/service"},
		{"scan directory implies s6", []string{"--scandir", "/x"}, map[string]string{"HERMES_SERVICE_MANAGER": "systemd"}, sm.KindS6, "/x"},
		{"scan directory's variable implies s6", nil, map[string]string{"HERMES_SCANDIR": "/x", "SERVICE_MANAGER": "systemd"}, sm.KindS6, "/x"},
		{"scan directory's variable is no matter elsewhere", []string{"--backend", "systemd"}, map[string]string{"HERMES_SCANDIR": "/x"}, sm.KindSystemd, ""},
		{"library's scan directory", nil, map[string]string{"SERVICE_SCANDIR": "/y"}, sm.KindS6, "/y"},
		{"flag beats the library's scan directory", []string{"--scandir", "/x"}, map[string]string{"SERVICE_SCANDIR": "/y", "HERMES_SCANDIR": "/z"}, sm.KindS6, "/x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			maps.Copy(b.env, tc.env)
			host := &fakeBackend{kind: sm.KindSystemd, m: b.fake, probe: sm.Probe{Fit: sm.FitPossible, Reason: "it is there"}}
			b.proc.Backends = []sm.Backend{host, b.backend}
			b.want(0, "*", "", append(tc.args, "list")...)
			opened, other := b.backend, host
			if tc.kind == sm.KindSystemd {
				opened, other = host, b.backend
			}
			if opened.opts == nil || other.opts != nil {
				t.Fatalf("%s was not the one that was opened", tc.kind)
			}
			if got := opened.opts.ScanDir; got != tc.scanDir {
				t.Errorf("scan directory %q, want %q", got, tc.scanDir)
			}
		})
	}
}

func TestExactVariable(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("gateway-coder"))
	b.env["HERMES_EXACT_NAMES"] = "1"
	b.want(0, "gateway-coder\n", "", "list")
	b.want(4, "*", "no such service", "status", "coder")
	b.want(0, "coder\n", "", "list", "--exact=false")
	b.env["HERMES_EXACT_NAMES"] = "maybe"
	b.want(2, "", `HERMES_EXACT_NAMES="maybe" is neither 1 nor 0`, "list")
}

func TestNoManager(t *testing.T) {
	b := newBench(t)
	b.backend.probe = sm.Probe{Fit: sm.FitNone, Reason: "nothing is here"}
	b.want(1, "", "hermes-gateway: no usable service manager found (s6: nothing is here)\n", "stop", "web")
	b.want(4, "", "no usable service manager found", "status")
	b.want(0, "no service manager can be used here\ns6: fit none: nothing is here\n", "", "detect")
}

func TestRootBecomesTheOwner(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web"))
	b.proc.Root = true
	b.env["HOME"] = "/root"
	delete(b.env, "HERMES_HOME")
	var asked []string
	b.proc.BecomeOwner = func(dir string) (*execas.Account, error) {
		asked = append(asked, dir)
		return &execas.Account{Name: "hermes", UID: 10000, GID: 10000, Home: b.home}, nil
	}
	b.want(0, "*", "hermes-gateway: running as uid 10000, the owner of /run/service\n", "status", "-v")
	if !slices.Equal(asked, []string{"/run/service"}) {
		t.Errorf("asked for %q", asked)
	}
	home := filepath.Join(b.home, ".hermes")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	b.want(0, "✓ registered default", "", "register", "default")
	if got := b.fake.specs["gateway-default"].Env["HERMES_HOME"]; got != home {
		t.Errorf("the home is %s, want the owner's %s", got, home)
	}

	b.proc.BecomeOwner = func(dir string) (*execas.Account, error) {
		return nil, &execas.OwnerError{Dir: dir, UID: 10000, Err: errors.New("invalid argument")}
	}
	b.want(4, "", "hermes-gateway: /run/service belongs to uid 10000, and root cannot become that user here: invalid argument; run this as uid 10000\n", "stop", "web")
	b.want(4, "", "run this as uid 10000", "status")
}

func TestDetect(t *testing.T) {
	b := newBench(t)
	b.proc.Backends = append(b.proc.Backends, &fakeBackend{kind: sm.KindSystemd, probe: sm.Probe{Reason: "not running"}})
	b.want(0, "s6 is used: a test says so\n  scan directory /run/service\n"+
		"s6: fit native: a test says so\n  + /proc/1/comm: s6-svscan\n  - /run/s6/basedir: no such directory\n"+
		"systemd: fit none: not running\n", "", "detect")
	b.want(0, "systemd is used: not running", "", "detect", "--backend", "systemd")
	b.want(0, "*", "", "detect", "--json")
	var doc map[string]any
	if err := json.Unmarshal(b.out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(slices.Sorted(maps.Keys(doc)), " "), "choice errors probes schema"; got != want {
		t.Errorf("keys are %s, want %s", got, want)
	}
	if probes := doc["probes"].([]any); len(probes) != 2 {
		t.Errorf("%d probes, want 2", len(probes))
	}
}

func TestVersion(t *testing.T) {
	b := newBench(t)
	b.want(0, "hermes-gateway ", "", "version")
	b.want(0, `"schema":1,"s6_protocol":"2.15"}`, "", "version", "--json")
	info := &debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v0.1.0"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}
	if v := buildVersion(info, true); v.Version != "v0.1.0" || *v.Commit != "abc+modified" || v.Go != "go1.26" {
		t.Errorf("got %+v", v)
	}
	if v := buildVersion(nil, false); v.Version != "unknown" || v.Commit != nil {
		t.Errorf("got %+v", v)
	}
}

func TestCompletion(t *testing.T) {
	b := newBench(t, "coder", "writer")
	b.fake.has(up("gateway-coder")).has(up("web"))
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"services", []string{"stop", ""}, []string{"coder", "web"}},
		{"services that are not named yet", []string{"stop", "web", ""}, []string{"coder"}},
		{"profiles to start", []string{"start", ""}, []string{"coder", "web", "default", "writer"}},
		{"profiles to register", []string{"register", ""}, []string{"default", "writer"}},
		{"conditions", []string{"wait", "--for", ""}, []string{"up", "ready", "down", "finished"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.run(append([]string{"__complete"}, tc.args...)...)
			lines := strings.Split(b.out.String(), "\n")
			got := lines[:max(0, len(lines)-2)] // the last line is the directive
			if !slices.Equal(got, tc.want) {
				t.Errorf("offered %q, want %q; %s", got, tc.want, b.err.String())
			}
		})
	}
	b.want(0, "bash completion", "", "completion", "bash")
	b.fake.fail["list"] = sm.ErrPermission
	b.want(0, ":4\n", "*", "__complete", "stop", "")
}

func TestHelp(t *testing.T) {
	b := newBench(t)
	b.want(0, "runs the gateways of Hermes profiles", "")
	root := newRootCmd(newApp(b.proc))
	for _, cmd := range root.Commands() {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s lacks a short text, a long text or an example", cmd.Name())
		}
		b.want(0, cmd.Example, "", cmd.Name(), "--help")
	}
}

func TestClassOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		exit int
		word string
	}{
		{&usageError{"x"}, 2, "usage"},
		{sm.WithRemedy(&sm.SpecError{Field: "Name", Reason: "x"}, "y"), 2, "usage"},
		{&sm.Error{Err: sm.ErrNotRegistered}, 5, "not_registered"},
		{&sm.Error{Err: &fs.PathError{Err: fs.ErrPermission}}, 4, "permission"},
		{&execas.OwnerError{Err: errors.New("x")}, 4, "permission"},
		{sm.ErrNotSupported, 3, "not_supported"},
		{&sm.AlreadyRegisteredError{}, 1, "already_registered"},
		{sm.ErrNotSupervised, 1, "not_supervised"},
		{sm.ErrNoBackend, 1, "no_manager"},
		{sm.ErrFailed, 1, "failed"},
		{errors.New("x"), 1, "failed"},
	} {
		if got := classOf(tc.err); got.exit != tc.exit || got.word != tc.word {
			t.Errorf("%v: got %+v, want %d %s", tc.err, got, tc.exit, tc.word)
		}
	}
}
