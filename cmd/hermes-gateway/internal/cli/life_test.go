package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

// TestLifeOnTheFake drives a manager that behaves as the contract says,
// instead of one that says what a test wants.
func TestLifeOnTheFake(t *testing.T) {
	b := newBench(t, "coder")
	fake := smtest.NewFake(smtest.FakeKind(sm.KindS6), smtest.FakeRestartDelay(time.Hour))
	b.proc.Backends = []sm.Backend{smtest.FakeBackend(sm.KindS6, sm.FitNative, fake)}
	b.proc.Now = time.Now

	b.want(0, "no services", "", "status")
	b.want(0, "✓ registered coder", "", "register", "coder")
	b.want(3, "wanted down", "", "status", "coder")
	b.want(0, "✓ registered and started web (pid ", "", "register", "web", "--up", "--", os.Args[0], "serve")
	b.want(0, "✓ started coder (pid ", "", "start", "coder")
	b.want(0, "✓ restarted 2: coder, web", "", "restart", "coder", "web")
	b.want(0, "none needs attention", "", "status")
	b.want(0, "coder\nweb\n", "", "list")

	if err := fake.Print("web", "hello", "again"); err != nil {
		t.Fatal(err)
	}
	b.want(0, "again\n", "", "logs", "-n", "1", "web")
	if strings.Contains(b.out.String(), "hello") {
		t.Errorf("logs -n 1 printed %q", b.out.String())
	}

	if err := fake.Crash("gateway-coder", sm.Exit{Code: 78}); err != nil {
		t.Fatal(err)
	}
	b.want(1, "see why: hermes-gateway logs -n 20 coder, then start it: hermes-gateway start coder", "", "status", "coder")
	b.want(1, "failed", "", "status")
	b.want(1, "", "could not wait for coder", "wait", "coder", "--for", "up")
	if err := fake.Crash("web", sm.Exit{Code: 1}); err != nil {
		t.Fatal(err)
	}
	b.want(1, "backoff", "", "status", "web")
	b.want(0, "✓ started web", "", "start", "web")
	b.want(124, "", "timed out after 50ms; web is up (pid ", "wait", "web", "--for", "down", "--timeout", "50ms")
	b.want(0, "✓ stopped web", "", "stop", "web")

	if err := fake.SetSupervised("web", false); err != nil {
		t.Fatal(err)
	}
	b.want(4, "unknown", "", "status", "web")
	b.want(1, "", "no supervisor is listening", "start", "web")
	if err := fake.SetSupervised("web", true); err != nil {
		t.Fatal(err)
	}
	b.want(0, "✓ unregistered 2: web, coder", "", "unregister", "web", "coder")
	b.want(0, "no services", "", "status")
	if t.Failed() {
		t.Logf("calls: %q", fake.Calls())
	}
}

// TestHostFake: a manager that installs instead of registering.
func TestHostFake(t *testing.T) {
	b := newBench(t)
	fake := smtest.NewFake(smtest.FakeInstaller())
	b.proc.Backends = []sm.Backend{smtest.FakeBackend(sm.KindSystemd, sm.FitNative, fake)}
	b.want(3, "", "not supported", "register", "web", "--", os.Args[0])
	b.want(0, "✓ installed web (pid ", "", "install", "web", "--", os.Args[0])
	b.want(0, "web\n", "", "list")
	b.want(0, `"manager":"systemd","scope":"user","state":"up"`, "", "status", "--json")
	b.want(0, "✓ restarted web", "", "restart", "--all")
	b.want(0, "✓ uninstalled web", "", "uninstall", "web")
	b.want(0, "web is already gone", "", "uninstall", "web", "--if-exists")
	b.want(5, "", "no such service", "start", "web")
}

func TestCapabilitiesThatAreMissing(t *testing.T) {
	b := newBench(t)
	fake := smtest.NewFake(smtest.FakeKind(sm.KindS6), smtest.FakeWithout(sm.CapWait, sm.CapWatch, sm.CapLogs))
	b.proc.Backends = []sm.Backend{smtest.FakeBackend(sm.KindS6, sm.FitNative, fake)}
	b.want(0, "*", "", "register", "web", "--up", "--log-dir", "none", "--", os.Args[0])
	b.want(3, "", "waiting: not supported by this service manager (s6)", "wait", "web")
	b.want(3, "", "watching: not supported by this service manager (s6)", "status", "web", "--watch")
	b.want(3, "", "reading logs: not supported by this service manager (s6)", "logs", "web")
}
