package s6

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// R49: what root registers with a control group can be started, stopped,
// awaited and read by its members, and by nobody else; nothing of it can be
// changed by them.
func TestR49_ControlGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a tree of root needs root; the run as root does it")
	}
	t.Parallel()
	const group, member, stranger = 10077, 10001, 10002
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr, WithControlGroup(group))
	spec := sleeper("web")
	spec.Log.Dir = filepath.Join(tr.Dir, "log")
	must(t, m.Register(ctx, spec))
	for _, op := range []string{"stop", "start", "restart", "status", "wait", "signal", "list", "logs"} {
		c := call{Op: op, ScanDir: tr.ScanDir, Name: "web", Until: sm.UntilUp, Signal: 1}
		if a := callAs(t, c, asUser(member, group)); a.Err != "" && op != "logs" {
			t.Errorf("%s as a member: %s", op, a.Err)
		}
		a := callAs(t, c, asUser(stranger))
		if op == "list" {
			continue // reading names is everybody's
		}
		if !a.is("permission") || a.Remedy == "" {
			t.Errorf("%s as a stranger: %q, want a permission error with a remedy", op, a.Err)
		}
	}
	// Members act on what is there; what is there is root's.
	for op, c := range map[string]call{
		"register":   {Op: "register", ScanDir: tr.ScanDir, Spec: sleeper("theirs")},
		"unregister": {Op: "unregister", ScanDir: tr.ScanDir, Name: "web"},
	} {
		if a := callAs(t, c, asUser(member, group)); !a.is("permission") || !strings.Contains(a.Remedy, "tree of your own") {
			t.Errorf("%s as a member: %q", op, a.Err)
		}
	}
	for _, path := range []string{".", "web", "web/run", "web/data/registered", "web/log/run", "web/supervise"} {
		info, err := os.Stat(filepath.Join(tr.ScanDir, path))
		must(t, err)
		if info.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s can be written by others: %v", path, info.Mode())
		}
	}
	must(t, m.Unregister(ctx, "web"))
	assertGone(t, tr, "web")
}

// R80, T2: registering by an unprivileged user is refused on root's tree even
// where that user could write in the scan directory.
func TestR80_NobodyMakesRootRunCode(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a tree of root needs root; the run as root does it")
	}
	t.Parallel()
	tr := s6test.Start(t)
	must(t, os.Chmod(tr.ScanDir, 0o777))
	a := callAs(t, call{Op: "register", ScanDir: tr.ScanDir, Spec: sleeper("evil")}, asUser(10001))
	if !a.is("permission") {
		t.Errorf("Register = %q", a.Err)
	}
	assertGone(t, tr, "evil")
}

// R25: on a tree of root a service runs as its User, and so does its logger.
func TestR25_User(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root's tree can change users; the run as root does it")
	}
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	helper := filepath.Join(tr.Dir, "hermes-gateway")
	build := exec.Command("go", "build", "-o", helper, "github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	m := openOn(t, tr, WithHelper(helper))
	own := s6test.Dir(t, 10001)
	spec := readySleeper("web")
	spec.User, spec.Log.Dir = "10001:10002", filepath.Join(own, "log")
	must(t, m.Register(ctx, spec))
	st, err := m.Wait(ctx, "web", sm.UntilReady)
	must(t, err)
	status, err := os.ReadFile(filepath.Join("/proc", itoa(st.PID), "status"))
	must(t, err)
	for _, want := range []string{"Uid:\t10001\t10001\t10001\t10001", "Gid:\t10002\t10002\t10002\t10002"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the process is not %q:\n%.600s", want, status)
		}
	}
	logs, err := m.Logs(ctx, "web", sm.LogOptions{Follow: true}) // waits for the directory
	must(t, err)
	logs.Close()
	must(t, m.Restart(ctx, "web"))
	must(t, m.Unregister(ctx, "web"))
}

// A user's tree runs nothing as anybody else.
func TestUserOnAUsersTree(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the unprivileged run does it")
	}
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.User = "0"
	var se *sm.SpecError
	if err := m.Register(testContext(t), spec); !errors.As(err, &se) || se.Field != "User" {
		t.Errorf("Register = %v", err)
	}
}

// R6: an unprivileged user cannot read what process 1 executes, and does not
// need to.
func TestR6_Process1ExeIsNotReadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may; the unprivileged run does it")
	}
	if _, err := os.Readlink(filepath.Join("/proc/1", "exe")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("reading it: %v, the ground of the rule is gone", err)
	}
	var f finding
	f.lookAtProcess1("")
	if len(f.evidence) != 2 || strings.Contains(f.evidence[0].Value, "permission") {
		t.Errorf("evidence: %+v", f.evidence)
	}
}
