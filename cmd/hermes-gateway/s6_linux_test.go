package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func contains(part string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, part) }
}

// uidOf returns the real uid line of a process.
func uidOf(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Uid:"); ok {
			return strings.Fields(rest)[0]
		}
	}
	t.Fatalf("pid %d has no uid", pid)
	return ""
}

// TestS6_Life is the main job, with the command that people type, on a real
// tree: two services are registered, one is killed and comes back, logs are
// followed, all is removed.
func TestS6_Life(t *testing.T) {
	r := newRig(t, runtimeUID)
	r.profile("coder")
	r.want(0, "no services", "status")
	r.want(0, "✓ registered coder", "register", "coder")
	r.want(3, "start it: hermes-gateway start coder", "status", "coder")
	r.want(0, "✓ registered and started web (pid ", "register", "web", "--up", "--", r.prog, "test-service", "web")
	r.want(0, "✓ started coder (pid ", "start", "coder")
	r.want(0, "none needs attention", "status")
	r.want(0, "coder\nweb\n", "list")

	before := r.status("web")
	if before.State != "up" || before.Wanted != "up" || !before.Ready || !before.Enabled || before.PID == 0 || before.Restarts != 0 {
		t.Fatalf("web is %+v", before)
	}
	if got, want := uidOf(t, before.PID), fmt.Sprint(r.uid); got != want {
		t.Errorf("web runs as uid %s, want %s", got, want)
	}

	logs := r.stream("logs", "-f", "web")
	logs.until("the first process", contains(fmt.Sprintf(`serving ["web"] as uid %d pid %d`, r.uid, before.PID)))
	watch := r.stream("status", "--watch", "web")
	watch.until("first state", contains(fmt.Sprintf("web up (pid %d)", before.PID)))
	must(t, syscall.Kill(before.PID, syscall.SIGKILL))
	watch.until("new process", func(line string) bool {
		return strings.Contains(line, "web up (pid ") && !strings.Contains(line, fmt.Sprintf("(pid %d)", before.PID))
	})
	if code := watch.interrupt(); code != 0 {
		t.Errorf("watch ended with %d, want 0; %s", code, watch.err.String())
	}
	after := r.status("web")
	if after.State != "up" || after.PID == before.PID || after.Restarts != 1 || after.LastExit == nil || after.LastExit.Signal == nil || *after.LastExit.Signal != "SIGKILL" {
		t.Errorf("after the kill web is %+v", after)
	}

	logs.until("the second process", contains(fmt.Sprintf("pid %d", after.PID)))
	r.want(0, "✓ restarted web (pid ", "restart", "web")
	third := r.status("web")
	logs.until("the third process", contains(fmt.Sprintf("pid %d", third.PID)))
	if code := logs.interrupt(); code != 0 {
		t.Errorf("logs -f ended with %d, want 0; %s", code, logs.err.String())
	}
	if third.PID == after.PID || third.Restarts != 1 {
		t.Errorf("after the restart web is %+v: a restart that was asked for is no death", third)
	}
	r.want(0, "coder | ", "logs", "-n", "1", "coder", "web")

	r.want(0, "✓ unregistered 2: coder, web", "unregister", "coder", "web")
	r.want(0, "no services", "status")
	left, err := os.ReadDir(r.scan)
	must(t, err)
	if len(left) != 1 || left[0].Name() != ".s6-svscan" {
		t.Errorf("left behind: %v", left)
	}
}

func TestS6_VerbsAndExitCodes(t *testing.T) {
	r := newRig(t, runtimeUID)
	r.profile("coder")
	r.want(0, "✓ registered and started coder (pid ", "start", "coder")
	r.want(0, "coder is already up", "start", "coder")
	r.want(0, "coder is now up", "wait", "coder")
	r.want(0, "coder is now ready", "wait", "coder", "--for", "ready")
	r.want(124, "timed out after 100ms; coder is up (pid ", "wait", "coder", "--for", "down", "--timeout", "100ms")
	r.want(0, "✓ stopped coder", "stop", "coder")
	r.want(0, "coder is already down", "stop", "coder")
	r.want(0, "coder is now finished", "wait", "coder", "--for", "finished")
	r.want(3, "down", "status", "coder")
	r.want(0, "✓ restarted coder", "restart", "coder")
	r.want(0, "up", "status", "coder")

	r.want(5, "no such profile or service", "stop", "nope")
	r.want(4, "no such profile or service", "status", "nope")
	r.want(2, "byte 1", "stop", "a/b")
	r.want(1, "already registered", "register", "coder", "--description", "other")
	r.want(0, "✓ replaced coder", "register", "coder", "--replace")
	r.want(5, "no such profile or service", "unregister", "nope")
	r.want(0, "already gone", "unregister", "nope", "--if-exists")
	r.want(0, "nothing is installed under s6", "install", "coder")
	r.want(0, "s6 is used: ", "detect")

	if got := r.run("stop", "nope", "--json"); got.code != 5 || got.out != "" || !strings.HasPrefix(got.err, `{"errors":[{"op":"stop","service":"nope","code":"not_registered"`) {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
}

// TestS6_FatalExit: a gateway that says its configuration is wrong is not
// started again, and status says so.
func TestS6_FatalExit(t *testing.T) {
	r := newRig(t, runtimeUID)
	r.profile("coder")
	r.want(0, "✓ registered coder", "register", "--profile", "coder", "--", r.prog, "test-service", "exit", "78")
	r.run("start", "coder") // its process exists, or is gone again: both are true
	r.want(0, "coder is now finished", "wait", "coder", "--for", "finished")
	r.want(1, "see why: hermes-gateway logs -n 20 coder, then start it: hermes-gateway start coder", "status", "coder")
	if st := r.status("coder"); st.State != "failed" || st.Problem == nil || st.LastExit == nil || st.LastExit.Code == nil || *st.LastExit.Code != 78 {
		t.Errorf("coder is %+v", st)
	}
	r.want(1, "failed", "wait", "coder", "--for", "up")
	r.want(1, "failed", "status", "--healthy")
}

// TestS6_StubbornService: a process that ignores TERM is killed after its stop
// timeout; a caller that does not wait that long is told what is going on.
func TestS6_StubbornService(t *testing.T) {
	r := newRig(t, runtimeUID)
	r.want(0, "✓ registered and started web", "register", "web", "--up", "--stop-timeout", "2s", "--", r.prog, "test-service", "stubborn")
	log := r.stream("logs", "-f", "web")
	log.until("its first line", contains("serving")) // from then on it ignores TERM
	log.interrupt()
	r.want(124, "timed out after 100ms; web is stopping (pid ", "stop", "web", "--timeout", "100ms")
	r.want(0, "web", "stop", "web")
	if st := r.status("web"); st.State != "down" || st.LastExit == nil || st.LastExit.Signal == nil || *st.LastExit.Signal != "SIGKILL" {
		t.Errorf("web is %+v", st)
	}
}

// TestS6_BytesReachTheProcess: arguments and variables with everything that a
// shell would change.
func TestS6_BytesReachTheProcess(t *testing.T) {
	r := newRig(t, runtimeUID)
	odd := "a 'b' \"c\" $HOME `d` \\ *\n\té"
	r.extraEnv = []string{"ODD=" + odd}
	r.want(0, "✓ registered and started web", "register", "web", "--up", "--env", "ODD", "--", r.prog, "test-service", odd)
	log := r.stream("logs", "-f", "web")
	log.until("its first line", contains("serving")) // the shell before it is gone
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", r.status("web").PID))
	must(t, err)
	if !strings.Contains("\x00"+string(b), "\x00ODD="+odd+"\x00") {
		t.Errorf("the environment is %q", b)
	}
	b, err = os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.status("web").PID))
	must(t, err)
	if !strings.HasSuffix(string(b), "\x00test-service\x00"+odd+"\x00") {
		t.Errorf("the arguments are %q", b)
	}
}

func TestS6_RootBecomesTheOwnerOfTheTree(t *testing.T) {
	needRoot(t)
	r := newRig(t, runtimeUID)
	r.profile("coder")
	r.as = 0
	r.want(0, "running as uid 10000, the owner of "+r.scan, "status", "-v")
	r.want(0, "✓ registered and started coder", "register", "coder", "--up")
	for _, path := range []string{filepath.Join(r.scan, "gateway-coder"), filepath.Join(r.scan, "gateway-coder", "run"), filepath.Join(r.home, "logs", "gateways", "coder")} {
		info, err := os.Stat(path)
		must(t, err)
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != runtimeUID {
			t.Errorf("%s belongs to uid %d, want %d", path, uid, runtimeUID)
		}
	}
	if got := uidOf(t, r.status("coder").PID); got != "10000" {
		t.Errorf("coder runs as uid %s", got)
	}
	r.want(0, "✓ stopped coder", "stop", "coder")
	r.want(0, "✓ unregistered coder", "unregister", "coder")
}

// TestS6_UnprivilegedOnRootsTree: no right is a row and a code of its own,
// never "not running".
func TestS6_UnprivilegedOnRootsTree(t *testing.T) {
	needRoot(t)
	r := newRig(t, 0)
	r.want(0, "✓ registered and started web", "register", "web", "--up", "--log-dir", "none", "--", r.prog, "test-service", "web")
	r.as = runtimeUID
	r.want(0, "web\n", "list")
	for _, args := range [][]string{
		{"stop", "web"}, {"restart", "web"}, {"unregister", "web"},
		{"register", "mine", "--log-dir", "none", "--", r.prog, "test-service"},
	} {
		got := r.want(4, "permission denied", args...)
		if strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, "; ") {
			t.Errorf("%q: the error is not one line with a remedy: %q", args, got.err)
		}
	}
	if got := r.run("status"); got.code != 0 && got.code != 4 || !strings.Contains(got.out, "web") {
		t.Errorf("status: exit %d, %q, %q", got.code, got.out, got.err)
	}
	r.as = 0
	if st := r.status("web"); st.State != "up" {
		t.Errorf("web is %+v", st)
	}
}

// TestS6_RunAs: on root's tree a service drops to its account through
// exec-gateway, and so does its logger.
func TestS6_RunAs(t *testing.T) {
	needRoot(t)
	r := newRig(t, 0)
	logs := filepath.Join(r.home, "weblogs")
	must(t, os.Mkdir(logs, 0o700))
	must(t, os.Chown(logs, runtimeUID, runtimeUID))
	r.want(0, "✓ registered and started web", "register", "web", "--up", "--run-as", "10000", "--log-dir", logs, "--", r.prog, "test-service", "web")
	follow := r.stream("logs", "-f", "web")
	follow.until("its first line", contains(`serving ["web"] as uid 10000`))
	follow.interrupt()
	if got := uidOf(t, r.status("web").PID); got != "10000" {
		t.Errorf("web runs as uid %s", got)
	}
	info, err := os.Stat(filepath.Join(logs, "current"))
	must(t, err)
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != runtimeUID {
		t.Errorf("the log is written by uid %d", uid)
	}
	r.want(0, "✓ unregistered web", "unregister", "web")
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be two users")
	}
}
