package container

import (
	"strings"
	"testing"
	"time"
)

// A pod that shares its process namespace: the init is a subreaper there, and ends
// what is its own alone.
func TestR70_SharedProcesses(t *testing.T) {
	r := hermesRig(t)
	first := r.start(options{entrypoint: []string{"sleep"}}, "1001")
	b := r.start(options{beside: first.container, bare: true, tmpfs: []string{"/run"}}, "gateway", "run")
	b.await("HERMES_GATEWAY_NO_SUPERVISE=1\n", 1)
	if got := b.do("cat", "/proc/1/comm"); got != "sleep\n" {
		t.Fatalf("process 1 is %q", got)
	}
	b.profile("coder", "orphans=50")
	b.gateway("start", "coder")
	b.logs("coder", "gateway coder is up")
	b.do("sh", "-c", "while cat /proc/[0-9]*/status 2>/dev/null | grep -q '^State:.*zombie'; do :; done")
	b.stop(10 * time.Second)
	if code := b.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := first.do("ps", "-o", "args"); !strings.Contains(got, "sleep 1001\n") || strings.Contains(got, "hermes") {
		t.Errorf("left: %q", got)
	}
}

// Two containers with one /run: the second one has its program and no tree, and can
// ask the first one's, whose processes it cannot see.
func TestSharedRun(t *testing.T) {
	r := hermesRig(t)
	shared := map[string]string{"/run": strings.ToLower(t.Name())}
	first := r.start(options{shared: shared}, "gateway", "run")
	first.await("HERMES_GATEWAY_NO_SUPERVISE=1\n", 1)
	before := first.state("default")
	second := r.start(options{shared: shared}, "sleep", "1002")
	second.await("the supervision tree cannot run", 1)
	if !strings.Contains(second.output().String(), "/run/service") {
		t.Errorf("it says %q", second.output())
	}
	if got := second.gateway("list"); got != "dashboard\ndefault\n" {
		t.Errorf("list: %q", got)
	}
	t.Logf("seen from the other container: %+v; it said: %s", second.state("default"), second.output())
	second.stop(10 * time.Second)
	if code := second.wait(); code != 143 {
		t.Errorf("exit code %d", code)
	}
	if after := first.state("default"); after.State != "up" || after.PID != before.PID {
		t.Errorf("the gateway was %+v, is %+v", before, after)
	}
	first.stop(10 * time.Second)
	if code := first.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
