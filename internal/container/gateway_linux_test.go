package container

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A container whose words are "gateway run", from its start to its end, as uid
// 10000, with /run on its own file system.
func TestGatewayOfAContainer(t *testing.T) {
	b := hermesRig(t).start(options{env: []string{"HERMES_DASHBOARD=yes", "HERMES_DASHBOARD_PORT=9120", "HERMES_INIT_STOP_WITHIN=3s", "HERMES_INIT_VERBOSITY=1"}},
		"gateway", "run")
	supervisedGateway(b)
	dashboardComesBack(b)
	liveRegistration(b)
	exitPolicy(b)
	noStaleSlot(b)
	deafGateway(b)
}

// R74, R26: the gateway is a service, once; the container's program only waits.
func supervisedGateway(b *box) {
	b.t.Helper()
	b.await("HERMES_GATEWAY_NO_SUPERVISE=1\n", 1)
	if text := b.output().String(); !strings.Contains(text, "runs under s6 supervision") || !strings.Contains(text, "--no-supervise") {
		b.t.Errorf("it says %q", text)
	}
	if st := b.state("default"); st.Service != "gateway-default" || st.State != "up" || st.Wanted != "up" {
		b.t.Errorf("%+v", st)
	}
	b.until("default", func() bool { return len(b.with("hermes gateway run")) == 1 })
	if n := len(b.with("hermes-gateway main gateway run")); n != 2 { // the init's own words have them too
		b.t.Errorf("%v", b.top())
	}
	b.until("default", func() bool {
		var file struct {
			State string `json:"gateway_state"`
		}
		return json.Unmarshal([]byte(b.do("cat", "/opt/data/gateway_state.json")), &file) == nil && file.State == "running"
	})
}

// R76, R77, R79: the dashboard is there, at another port; killed it comes back, and
// the gateway does not notice.
func dashboardComesBack(b *box) {
	b.t.Helper()
	gateway := b.state("default").PID
	for life, before := 1, 0; life <= 2; life++ {
		b.await("dashboard on 127.0.0.1:9120", life)
		st := b.state("dashboard")
		if got := b.do("wget", "-qO-", "http://127.0.0.1:9120/"); got != fmt.Sprintf("dashboard, pid %d\n", st.PID) || st.PID == before {
			b.t.Errorf("it answers %q; %+v, before %d", got, st, before)
		}
		if before = st.PID; life == 1 {
			b.kill("hermes dashboard")
		}
	}
	if st := b.state("default"); st.PID != gateway {
		b.t.Errorf("the gateway was %d: %+v", gateway, st)
	}
}

// R36-R48 in a live container, by docker exec: a profile's gateway is registered
// down, started, restarted, stopped and removed with all it has; R69: nobody is left
// of its orphans.
func liveRegistration(b *box) {
	b.t.Helper()
	b.profile("coder", "orphans=100")
	b.gateway("register", "coder")
	if st := b.state("coder"); st.State != "down" || len(b.with("hermes -p coder")) != 0 {
		b.t.Errorf("registered: %+v", st)
	}
	b.gateway("start", "coder")
	first := b.state("coder")
	b.logs("coder", "gateway coder is up")
	if !strings.Contains(b.gateway("logs", "coder"), "has left 100 orphans") {
		b.t.Errorf("it left none: %s", b.gateway("logs", "coder"))
	}
	b.do("sh", "-c", "while cat /proc/[0-9]*/status 2>/dev/null | grep -q '^State:.*zombie'; do :; done")
	b.gateway("restart", "coder") // it ends with 0 on TERM, and comes back nevertheless
	second := b.state("coder")
	if second.State != "up" || second.PID == first.PID {
		b.t.Errorf("restarted: %+v, was %+v", second, first)
	}
	b.gateway("stop", "coder")
	if st := b.state("coder"); st.State != "down" || st.Wanted != "down" {
		b.t.Errorf("stopped: %+v", st)
	}
	b.gateway("start", "coder")
	// While it makes its orphans each is called as it is, for a moment.
	b.until("coder", func() bool { return len(b.with("hermes -p coder")) == 1 })
	b.gateway("unregister", "coder")
	if left := b.with("-p coder"); len(left) != 0 {
		b.t.Errorf("left: %v", left)
	}
	if got := b.gateway("list"); got != "dashboard\ndefault\n" {
		b.t.Errorf("list: %q", got)
	}
}

// R29: 78 and 0 are not started again, whoever else ends is.
func exitPolicy(b *box) {
	b.t.Helper()
	for code, want := range map[int]string{78: "failed", 0: "down", 75: "backoff", 1: "backoff"} {
		b.profile("writer", fmt.Sprintf("exit=%d", code))
		b.gateway("register", "writer", "--restart-delay", "1m")
		b.gateway("start", "writer", "--no-wait") // the process may be gone before it is seen
		b.reaches("writer", want)
		if st := b.state("writer"); st.LastExit == nil || st.LastExit.Code == nil || *st.LastExit.Code != code {
			b.t.Errorf("exit %d: %+v", code, st)
		}
		b.gateway("unregister", "writer")
	}
}

// A container that is started again has what its words ask for, and none of what was
// registered in its last life.
func noStaleSlot(b *box) {
	b.t.Helper()
	b.profile("coder")
	b.gateway("register", "coder", "--up")
	b.gateway("register", "web", "--up", "--log-dir", "none", "--", "sleep", "1000")
	b.restart(10 * time.Second)
	b.await("HERMES_GATEWAY_NO_SUPERVISE=1\n", 2)
	b.await("dashboard on ", 3)
	if got := b.gateway("list"); got != "dashboard\ndefault\n" {
		b.t.Errorf("list: %q", got)
	}
	if left := append(b.with("sleep 1000"), b.with("-p coder")...); len(left) != 0 {
		b.t.Errorf("running: %v", left)
	}
}

// docker stop is over when the init's own time is, whoever does not end.
func deafGateway(b *box) {
	b.t.Helper()
	b.profile("coder", "deaf=1")
	b.gateway("register", "coder", "--up")
	b.logs("coder", "gateway coder is up")
	began := time.Now()
	b.stop(50 * time.Second)
	if code := b.wait(); code != 0 {
		b.t.Errorf("exit code %d: somebody had to kill it", code)
	}
	text := b.output().String()
	b.t.Logf("stopped in %v of 50 s, with a deaf gateway and HERMES_INIT_STOP_WITHIN=3s; it said:\n%s", time.Since(began), text[strings.LastIndex(text, "supervise"):])
}
