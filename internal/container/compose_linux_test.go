package container

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// manifest reads a file of the directory image.
func manifest(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../image", name))
	must(t, err)
	return string(text)
}

// value is what a file says once after a word.
func value(t testing.TB, text, word string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^ *`+regexp.QuoteMeta(word)+` (.+)$`).FindAllStringSubmatch(text, -1)
	if len(found) != 1 {
		t.Fatalf("%q is there %d times", word, len(found))
	}
	return strings.Trim(found[0][1], `"`)
}

func listed(t testing.TB, text string) []string {
	t.Helper()
	var words []string
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return words
}

// variables are those that the init and the image know.
func variables(text string) []string {
	return regexp.MustCompile(`\bHERMES_[A-Z_]+`).FindAllString(text, -1)
}

func TestCompose(t *testing.T) { compose(hermesRig(t)) }

// A container as compose.yaml has it: with a /run that does not outlive it.
func compose(r rig) {
	r.t.Helper()
	text := manifest(r.t, "compose.yaml")
	user, _, _ := strings.Cut(value(r.t, text, "user:"), ":")
	o := options{user: user, bare: value(r.t, text, "read_only:") == "true" && value(r.t, text, "cap_drop:") == `["ALL"]`, tmpfs: listed(r.t, value(r.t, text, "tmpfs:"))}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(variables(text)))) {
		o.env = append(o.env, name+"="+value(r.t, text, name+":"))
	}
	b := r.start(o, listed(r.t, value(r.t, text, "command:"))...)
	b.await("HERMES_GATEWAY_NO_SUPERVISE=1\n", 1)
	b.await("dashboard on 127.0.0.1:9119", 1)
	b.do(listed(r.t, value(r.t, text, "test:"))[1:]...)
	b.profile("coder", "deaf=1")
	b.gateway("register", "coder", "--up", "--stop-timeout", "1s")
	b.logs("coder", "gateway coder is up")

	grace, err := time.ParseDuration(value(r.t, text, "stop_grace_period:"))
	must(r.t, err)
	began := time.Now()
	b.restart(grace)
	r.t.Logf("ended and started again in %v; a deaf gateway with a second to stop was waited for", time.Since(began))
	b.await("HERMES_GATEWAY_NO_SUPERVISE=1\n", 2)
	if got := b.gateway("list"); got != "dashboard\ndefault\n" {
		r.t.Errorf("list: %q", got)
	}
	if !strings.Contains(b.do("cat", "/opt/data/logs/gateways/coder/current"), "does not end on") {
		r.t.Error("the gateway was not told to end")
	}
	began = time.Now()
	b.stop(grace)
	if code := b.wait(); code != 0 {
		r.t.Errorf("exit code %d", code)
	}
	r.t.Logf("stopped in %v", time.Since(began))
}

// R75: nobody asks for the dashboard.
func TestR75_NoDashboard(t *testing.T) {
	b := hermesRig(t).start(options{user: "0", env: []string{"HERMES_DASHBOARD=on"}}, "sleep", "infinity")
	b.reaches("dashboard", "down")
	if st := b.state("dashboard"); st.Wanted != "down" || len(b.with("hermes dashboard")) != 0 {
		t.Errorf("%+v", st)
	}
	if got := b.do("hermes", "chat"); !strings.Contains(got, `["hermes","chat"]`) { // R101
		t.Errorf("docker exec hermes: %q", got)
	}
	if got := b.exec("0", []string{"hermes-gateway", "status", "dashboard", "--json"}); !strings.Contains(got.out, `"state":"down"`) {
		t.Errorf("for root: %+v", got)
	}
	b.stop(10 * time.Second)
	if code := b.wait(); code != 143 {
		t.Errorf("exit code %d", code)
	}
}

// R76: a dashboard that refuses its settings is left alone.
func TestR76_DashboardRefuses(t *testing.T) {
	b := hermesRig(t).start(options{env: []string{"HERMES_DASHBOARD=1", "HERMES_DASHBOARD_HOST=0.0.0.0"}}, "sleep", "infinity")
	b.await("the dashboard is not for everybody at 0.0.0.0", 1)
	b.reaches("dashboard", "failed")
	if st := b.state("dashboard"); st.Wanted != "down" || st.LastExit == nil || *st.LastExit.Code != 78 {
		t.Errorf("%+v", st)
	}
}

// What the manifests name exists, and they say the same.
func TestManifests(t *testing.T) {
	r := hermesRig(t)
	compose := manifest(t, "compose.yaml")
	known := r.run(options{entrypoint: []string{"hermes-gateway", "init", "--help"}})
	dashboard, err := os.ReadFile("../../image/rootfs/etc/services.d/dashboard/run")
	must(t, err)
	condition, err := os.ReadFile("../../image/rootfs/etc/services.d/dashboard/enabled-if")
	must(t, err)
	for _, name := range []string{"compose.yaml", "kubernetes.yaml", "kubernetes-shared.yaml"} {
		text := manifest(t, name)
		for _, v := range variables(text) {
			if !slices.Contains(variables(known.out+string(dashboard)+string(condition)), v) {
				t.Errorf("%s: nobody knows %s", name, v)
			}
		}
		var paths []string
		for _, m := range regexp.MustCompile(`(?m)mountPath: (\S+)|"(/[^:"]+):|:(/[^"]+)"`).FindAllStringSubmatch(text, -1) {
			paths = append(paths, m[1]+m[2]+m[3])
		}
		if got := r.run(options{entrypoint: []string{"ls", "-d"}}, paths...); got.code != 0 || len(paths) < 3 {
			t.Errorf("%s: %v: %+v", name, paths, got)
		}
		for _, m := range regexp.MustCompile(`(?m)^ *(?:- )?image: (\S+)$`).FindAllStringSubmatch(text, -1) {
			if m[1] != "hermes-gateway" { // as make image calls it
				t.Errorf("%s: image %s", name, m[1])
			}
		}
		if name == "compose.yaml" {
			continue
		}
		for here, there := range map[string]string{
			"args:": "command:", "runAsUser:": "user:", "terminationGracePeriodSeconds:": "stop_grace_period:",
		} {
			got, want := value(t, text, here), value(t, compose, there)
			if want, _, _ = strings.Cut(want, ":"); got != strings.TrimSuffix(want, "s") {
				t.Errorf("%s: %s is %s, and %s in compose.yaml", name, here, got, want)
			}
		}
	}
}
