package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// everyState has one service in each state there is.
func everyState(f *fake) {
	ago := func(d time.Duration) time.Time { return testNow.Add(-d) }
	f.has(up("gateway-coder"))
	f.has(sm.Status{Name: "gateway-default", State: sm.StateDown, Since: ago(3 * time.Hour)})
	f.has(sm.Status{Name: "starting", State: sm.StateStarting, WantUp: true, Enabled: true, PID: 4242, Since: ago(2 * time.Second)})
	f.has(sm.Status{Name: "stopping", State: sm.StateStopping, PID: 4243, Ready: true, Since: ago(49 * time.Hour)})
	f.has(sm.Status{Name: "finishing", State: sm.StateFinishing, WantUp: true, Enabled: true, LastExit: &sm.Exit{Code: 3, At: ago(time.Second)}})
	f.has(sm.Status{Name: "backoff", State: sm.StateBackoff, WantUp: true, Enabled: true, Restarts: 4, Since: ago(time.Second),
		LastExit: &sm.Exit{Signal: syscall.SIGKILL, At: ago(time.Second)}, Problem: "next try in 8s"})
	f.has(sm.Status{Name: "failed", State: sm.StateFailed, Restarts: 10, Since: ago(time.Minute), LastExit: &sm.Exit{Code: 78, At: ago(time.Minute)}, Problem: "exit code 78 is fatal"})
	f.has(sm.Status{Name: "lost", State: sm.StateUnknown, Problem: "no supervisor is listening"})
	paused := up("paused")
	paused.Paused, paused.PID = true, 777
	f.has(paused)
}

func TestStatusTable(t *testing.T) {
	b := newBench(t)
	everyState(b.fake)
	b.fake.has(up("secret"))
	b.fake.fail["status secret"] = sm.WithRemedy(fmt.Errorf("%w: no right to read /run/service/secret/supervise/status", sm.ErrPermission), "run this as uid 0")
	if code := b.run("status"); code != 4 {
		t.Errorf("exit %d, want 4", code)
	}
	want := `NAME       STATE      READY  PID   UPTIME  RESTARTS  LAST EXIT  WANTED
backoff    backoff    -      -     -       4         SIGKILL    up
  next try in 8s, last signal SIGKILL; see why: hermes-gateway logs -n 20 backoff
failed     failed     -      -     -       10        exit 78    down
  exit code 78 is fatal, last exit code 78; see why: hermes-gateway logs -n 20 failed, then start it: hermes-gateway start failed
finishing  finishing  -      -     -       0         exit 3     up
  the process is gone, its cleanup runs, last exit code 3; wait for it: hermes-gateway wait --for finished finishing
coder      up         yes    100   1m30s   0         -          up
default    down       -      -     -       0         -          down
  wanted down for 3h0m, not started so far; start it: hermes-gateway start default
lost       unknown    -      -     -       0         -          -
  no supervisor is listening; see whether the tree lives: hermes-gateway detect
paused     up         yes    777   1m30s   0         -          up
  paused; let it go on: kill -CONT 777
secret     unknown    -      -     -       -         -          -
  permission denied: no right to read /run/service/secret/supervise/status; run this as uid 0
starting   starting   no     4242  2s      0         -          up
  the process has not said yet that it is ready; wait for it: hermes-gateway wait --for ready starting
stopping   stopping   yes    4243  2d1h    0         -          down
  asked to stop, the process is still there; wait for it: hermes-gateway wait --for down stopping
Manager: s6 (container supervisor), scan directory /run/service, host box; 5 of 10 need attention
`
	if got := b.out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if b.err.Len() > 0 {
		t.Errorf("stderr is %q", b.err.String())
	}
}

func TestStatusTableFits80Columns(t *testing.T) {
	b := newBench(t)
	for i := range 3 {
		st := up(fmt.Sprintf("gateway-profile-%d", i))
		st.PID, st.Restarts, st.Since = 1234567, 12, testNow.Add(-200*time.Hour)
		st.LastExit = &sm.Exit{Code: 255}
		b.fake.has(st)
	}
	b.run("status")
	for line := range strings.Lines(b.out.String()) {
		if !strings.HasPrefix(line, "Manager:") && len(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestStatusJSON(t *testing.T) {
	b := newBench(t)
	crashed := up("gateway-coder")
	crashed.PID, crashed.Restarts, crashed.Since = 123, 2, testNow.Add(-12300*time.Millisecond)
	crashed.LastExit = &sm.Exit{Code: 1, At: testNow.Add(-13 * time.Second)}
	b.fake.has(crashed)
	b.fake.has(sm.Status{Name: "web", State: sm.StateUnknown, Enabled: true, Problem: "no supervisor is listening",
		LastExit: &sm.Exit{Signal: syscall.SIGKILL}})
	if code := b.run("status", "--json"); code != 4 {
		t.Errorf("exit %d, want 4", code)
	}
	want := `{"schema":1,` +
		`"manager":{"kind":"s6","detail":"s6 (container supervisor)","scope":null,"scandir":"/run/service","reason":"a test says so"},` +
		`"managers":[{"kind":"s6","scope":null,"detail":"s6 (container supervisor)","reason":"a test says so","error":null}],` +
		`"services":[` +
		`{"name":"coder","service":"gateway-coder","profile":"coder","manager":"s6","scope":null,"state":"up","ready":true,"wanted":"up","enabled":true,` +
		`"pid":123,"since":"2026-01-02T03:03:53.378Z","uptime_seconds":12.3,"restarts":2,"paused":false,"adopted":false,` +
		`"last_exit":{"code":1,"signal":null,"at":"2026-01-02T03:03:52.678Z"},"problem":null},` +
		`{"name":"web","service":"web","profile":null,"manager":"s6","scope":null,"state":"unknown","ready":null,"wanted":null,"enabled":true,` +
		`"pid":null,"since":null,"uptime_seconds":null,"restarts":0,"paused":null,"adopted":null,` +
		`"last_exit":{"code":null,"signal":"SIGKILL","at":null},"problem":"no supervisor is listening"}],` +
		`"errors":[]}` + "\n"
	if got := b.out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestStatusJSONKeys: all keys are there, whatever is known.
func TestStatusJSONKeys(t *testing.T) {
	b := newBench(t, "coder")
	everyState(b.fake)
	b.fake.has(up("secret"))
	b.fake.fail["status secret"] = sm.ErrPermission
	if code := b.run("status", "--json", "coder", "secret", "default", "nope", "failed", "../x"); code != 2 {
		t.Errorf("exit %d, want 2 for a name that is none", code)
	}
	var doc map[string]any
	dec := json.NewDecoder(strings.NewReader(b.out.String()))
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if dec.More() {
		t.Errorf("more than one document: %s", b.out.String())
	}
	keys := func(v any) string { return strings.Join(slices.Sorted(maps.Keys(v.(map[string]any))), " ") }
	if got, want := keys(doc), "errors manager managers schema services"; got != want {
		t.Errorf("document has %s, want %s", got, want)
	}
	services := doc["services"].([]any)
	if len(services) != 4 {
		t.Errorf("%d services, want 4", len(services))
	}
	for _, s := range services {
		want := "adopted enabled last_exit manager name paused pid problem profile ready restarts scope service since state uptime_seconds wanted"
		if got := keys(s); got != want {
			t.Errorf("service has %s, want %s", got, want)
		}
		if exit := s.(map[string]any)["last_exit"]; exit != nil && keys(exit) != "at code signal" {
			t.Errorf("last_exit has %s", keys(exit))
		}
	}
	var codes []string
	for _, e := range doc["errors"].([]any) {
		if got, want := keys(e), "code op reason remedy service"; got != want {
			t.Errorf("error has %s, want %s", got, want)
		}
		m := e.(map[string]any)
		codes = append(codes, fmt.Sprint(m["op"], " ", m["service"], " ", m["code"]))
	}
	want := []string{"status secret permission", "status nope not_registered", "status ../x usage"}
	if !slices.Equal(codes, want) {
		t.Errorf("errors are %q, want %q", codes, want)
	}
}

func TestStatusExitCodes(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want int
	}{
		{"all", nil, 4},
		{"up", []string{"coder"}, 0},
		{"down", []string{"default"}, 3},
		{"starting", []string{"starting"}, 3},
		{"stopping", []string{"stopping"}, 3},
		{"finishing", []string{"finishing"}, 3},
		{"backoff", []string{"backoff"}, 1},
		{"failed", []string{"failed"}, 1},
		{"unknown", []string{"lost"}, 4},
		{"paused is up", []string{"paused"}, 0},
		{"no such service", []string{"nope"}, 4},
		{"down and failed: failed is worse", []string{"default", "failed"}, 1},
		{"up and down", []string{"coder", "default"}, 3},
		{"failed and unknown", []string{"failed", "lost", "coder"}, 4},
		{"healthy when up", []string{"--healthy", "coder"}, 0},
		{"healthy when down", []string{"--healthy", "default"}, 1},
		{"healthy when unknown", []string{"--healthy", "lost"}, 1},
		{"healthy with wrong usage", []string{"--healthy", "--bogus"}, 1},
		{"not a name", []string{"a/b"}, 2},
		{"unknown flag", []string{"--nope"}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			everyState(b.fake)
			if got := b.run(append([]string{"status"}, tc.args...)...); got != tc.want {
				t.Errorf("exit %d, want %d; %s%s", got, tc.want, b.out.String(), b.err.String())
			}
		})
	}
}

func TestStatusWithoutNamesCountsWhatShouldBeUp(t *testing.T) {
	for _, tc := range []struct {
		name     string
		services []sm.Status
		want     int
	}{
		{"none at all", nil, 0},
		{"down as wanted", []sm.Status{up("a"), down("b")}, 0},
		{"down and wanted up", []sm.Status{up("a"), {Name: "b", State: sm.StateStarting, WantUp: true}}, 3},
		{"stopping as wanted", []sm.Status{{Name: "b", State: sm.StateStopping, PID: 9}}, 0},
		{"failed for good", []sm.Status{up("a"), {Name: "b", State: sm.StateFailed}}, 1},
		{"backoff", []sm.Status{{Name: "b", State: sm.StateBackoff, WantUp: true}}, 1},
		{"unknown", []sm.Status{up("a"), {Name: "b"}}, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			for _, st := range tc.services {
				b.fake.has(st)
			}
			if got := b.run("status"); got != tc.want {
				t.Errorf("exit %d, want %d; %s", got, tc.want, b.out.String())
			}
		})
	}
}

func TestStatusWithoutAManager(t *testing.T) {
	b := newBench(t)
	b.backend.m, b.backend.err = nil, &sm.Error{Op: "open", Kind: sm.KindS6, Err: sm.WithRemedy(sm.ErrNotSupervised, "start the tree")}
	b.want(4, "", "✗ could not tell the status: no supervisor is listening; start the tree", "status")
	b.want(1, "", "no supervisor is listening", "status", "--healthy")
	b.want(4, `"manager":null,"managers":[{"kind":"s6"`, "", "status", "--json")
	var doc statusDocument
	if err := json.Unmarshal(b.out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Errors) != 1 || doc.Errors[0].Code != "not_supervised" || doc.Errors[0].Remedy == nil || *doc.Errors[0].Remedy != "start the tree" {
		t.Errorf("errors are %+v", doc.Errors)
	}
}

// TestStatusOfAManagerThatIsNotThere: it was asked for, and what it left can
// still be looked at.
func TestStatusOfAManagerThatIsNotThere(t *testing.T) {
	b := newBench(t)
	b.backend.probe = sm.Probe{Fit: sm.FitNone, Reason: "no scanner listens in /x"}
	b.want(4, "no services\n  no scanner listens in /x\n", "", "status", "--scandir", "/x")
	b.fake.has(up("web"))
	b.want(0, "needs no attention\n  no scanner listens in /x\n", "", "status", "--scandir", "/x")
	b.want(0, `"reason":"no scanner listens in /x","error":"no scanner listens in /x"}]`, "", "status", "--scandir", "/x", "--json")
}

func TestStatusOfAListThatMayNotBeRead(t *testing.T) {
	b := newBench(t, "coder")
	b.fake.has(up("gateway-coder"))
	b.fake.fail["list"] = sm.ErrPermission
	b.want(4, "*", "permission denied", "status")
	b.want(0, "coder  up", "", "status", "coder")
}

func TestStatusExplain(t *testing.T) {
	b := newBench(t)
	st := up("web")
	st.Restarts, st.Enabled = 3, false
	st.LastExit = &sm.Exit{Code: 1, At: testNow.Add(-2 * time.Minute)}
	b.fake.has(st)
	b.want(0, "  up for 1m30s because it is wanted up, but it does not come up by itself when the manager starts; died unasked: 3; the last process ended with exit code 1 at 2026-01-02T03:02:05.678Z\n", "", "status", "--explain")
	for _, part := range []string{"s6 is used: a test says so", "  + /proc/1/comm: s6-svscan", "  - /run/s6/basedir: no such directory"} {
		if !strings.Contains(b.out.String(), part) {
			t.Errorf("%q is missing in %s", part, b.out.String())
		}
	}
	b.want(2, "", "has no JSON form", "status", "--explain", "--json")
}

func TestStatusShowsServiceNamesWhereProfilesAreAmbiguous(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("gateway-web")).has(up("web")).has(up("gateway-coder"))
	b.run("list")
	if got, want := b.out.String(), "coder\ngateway-web\nweb\n"; got != want {
		t.Errorf("list printed %q, want %q", got, want)
	}
	b.run("list", "--exact")
	if got, want := b.out.String(), "gateway-coder\ngateway-web\nweb\n"; got != want {
		t.Errorf("list --exact printed %q, want %q", got, want)
	}
}

func TestAdviceRepeatsTheFlagsThatWereGiven(t *testing.T) {
	b := newBench(t)
	b.fake.has(down("web"))
	b.want(3, "start it: hermes-gateway --scandir '/tmp/my tree' start web", "", "status", "--scandir", "/tmp/my tree", "web")
}

func TestAdviceIsExactWhereANameMeansTwo(t *testing.T) {
	b := newBench(t, "coder")
	b.fake.has(down("coder")).has(down("web")).has(down("gateway-web"))
	b.run("status")
	for _, part := range []string{"hermes-gateway --exact start coder\n", "hermes-gateway --exact start web\n", "hermes-gateway start gateway-web\n"} {
		if !strings.Contains(b.out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, b.out.String())
		}
	}
	for _, args := range [][]string{{"--exact", "start", "coder"}, {"--exact", "start", "web"}, {"start", "gateway-web"}} {
		b.want(0, "✓ started "+args[len(args)-1], "", args...)
	}
	b.want(2, "", `"web" is both the profile web (service gateway-web) and the service web; say gateway-web for the one, --exact web for the other`, "start", "web")
	b.want(2, "", `"coder" is both`, "status", "coder")
}

func TestStatusTimesOut(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web"))
	b.fake.stuck["status web"] = true
	if got := b.run("status", "web", "--timeout", "20ms"); got != 4 {
		t.Errorf("exit %d, want 4; %s", got, b.err.String())
	}
}

func TestFailureText(t *testing.T) {
	cause := errors.New("cause")
	for _, tc := range []struct {
		name string
		f    failure
		want string
	}{
		{"plain", failure{err: cause}, "hermes-gateway: cause"},
		{"of the manager", failure{err: &sm.Error{Op: "open", Kind: "s6", Err: cause}}, "hermes-gateway: s6: open: cause"},
		{"about a service", failure{op: "stop", name: "web", err: &sm.Error{Op: "stop", Service: "web", Kind: "s6", Err: cause}}, "✗ could not stop web: cause"},
		{"with a remedy inside", failure{op: "stop", name: "web", err: &sm.Error{Op: "stop", Service: "web", Kind: "s6", Err: sm.WithRemedy(cause, "do it")}}, "✗ could not stop web: cause; do it"},
		{"with a remedy outside", failure{op: "stop", name: "web", err: sm.WithRemedy(&sm.Error{Op: "stop", Service: "web", Kind: "s6", Err: cause}, "do it")}, "✗ could not stop web: cause; do it"},
		{"of several lines", failure{op: "stop", name: "web", err: errors.New("a\nb")}, "✗ could not stop web: a b"},
		{"late", failure{op: "stop", name: "web", err: &lateError{"timed out after 1s; web is stopping (pid 3)", &sm.Error{Op: "stop", Kind: "s6", Err: cause}}}, "✗ could not stop web: timed out after 1s; web is stopping (pid 3)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.f.line(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
