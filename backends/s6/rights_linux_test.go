package s6

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be two users")
	}
}

// someGroup is a group of this machine that is nobody's own: s6-svperms wants
// one with a name.
func someGroup(t *testing.T) (name string, gid uint32) {
	t.Helper()
	for _, name := range []string{"users", "nogroup", "games", "daemon"} {
		g, err := user.LookupGroup(name)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(g.Gid, 10, 32); err == nil && n != 0 {
			return name, uint32(n)
		}
	}
	t.Skip("this machine has none of the usual groups")
	return "", 0
}

// R47: an unprivileged user on root's tree is told by every call which right is
// missing, where, and what to do about it.
func TestR47_UnprivilegedOnRootsTree(t *testing.T) {
	t.Parallel()
	needRoot(t)
	r := newRig(t)
	spec := sleeper("web")
	spec.Log.Dir = filepath.Join(r.tree.Dir, "log")
	r.register(spec)
	dir := r.path("web")
	searchSupervise := "permission denied: no right to search " + dir + "/supervise as uid 10000 (the tree belongs to uid 0)"
	writeEvent := "permission denied: no right to search and write " + dir + "/event as uid 10000 (the tree belongs to uid 0)"
	grant := "run this as uid 0, or have it grant the right to a group of yours: s6-svperms -G GROUP -E GROUP " + dir
	const own = "run a tree of your own, or run this as uid 0"
	tests := []struct {
		call
		want, remedy string
	}{
		{call: call{Op: "status"}, want: searchSupervise, remedy: grant},
		{call: call{Op: "signal", Signal: int(syscall.SIGHUP)}, want: searchSupervise, remedy: grant},
		{call: call{Op: "start"}, want: writeEvent, remedy: grant},
		{call: call{Op: "stop"}, want: writeEvent, remedy: grant},
		{call: call{Op: "restart"}, want: writeEvent, remedy: grant},
		{call: call{Op: "wait", Until: sm.UntilDown}, want: writeEvent, remedy: grant},
		{call: call{Op: "watch"}, want: writeEvent, remedy: grant},
		{call: call{Op: "all"}, want: searchSupervise, remedy: grant},
		{call: call{Op: "logs"}, want: "permission denied", remedy: "run this as the owner of " + spec.Log.Dir},
		{call: call{Op: "register", Spec: sleeper("mine")}, want: "executes only what that user registers; this is uid 10000", remedy: own},
		{call: call{Op: "unregister"}, want: "executes only what that user registers; this is uid 10000", remedy: own},
	}
	for _, tc := range tests {
		c := tc.call
		c.ScanDir, c.Name = r.tree.ScanDir, "web"
		a := callAs(t, c, asUser(s6test.User))
		service, op := "web", c.Op
		switch c.Op {
		case "register":
			service = "mine"
		case "all":
			op = "status"
		}
		if !a.is("permission") || !strings.HasPrefix(a.Err, "s6: "+op+" "+service+": ") || !strings.Contains(a.Err, tc.want) || strings.Contains(a.Err, "\n") {
			t.Errorf("%s: %q\nwant %q", c.Op, a.Err, tc.want)
		}
		if a.Remedy != tc.remedy {
			t.Errorf("%s: remedy %q, want %q", c.Op, a.Remedy, tc.remedy)
		}
		if a.Status.PID != 0 || a.Status.State != sm.StateUnknown {
			t.Errorf("%s: %+v was seen", c.Op, a.Status)
		}
	}
	if a := callAs(t, call{Op: "list", ScanDir: r.tree.ScanDir}, asUser(s6test.User)); a.Err != "" || len(a.Names) != 1 {
		t.Errorf("list, where it is readable: %v, %s", a.Names, a.Err)
	}
	must(t, os.Chmod(r.tree.ScanDir, 0o711))
	a := callAs(t, call{Op: "list", ScanDir: r.tree.ScanDir}, asUser(s6test.User))
	if want := "s6: list: permission denied: no right to read " + r.tree.ScanDir; !a.is("permission") || !strings.HasPrefix(a.Err, want) || a.Remedy != "run this as uid 0" {
		t.Errorf("list, where it is not: %q; %q", a.Err, a.Remedy)
	}
	if st := r.status("web"); st.State != sm.StateUp || st.Restarts != 0 {
		t.Errorf("after all that the service is %+v", st)
	}
}

// What the administrator grants to a group with s6's own tool is enough for its
// members to read, command and await a service.
func TestGroupMember(t *testing.T) {
	t.Parallel()
	needRoot(t)
	group, gid := someGroup(t)
	r := newRig(t)
	r.servicedir("theirs", files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
	ours := sleeper("ours")
	ours.Restart = sm.RestartOnFailure
	ours.Command = []string{"/bin/sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"}
	r.register(ours)
	member := asUser(s6test.User, gid)
	for _, name := range []string{"theirs", "ours"} {
		do := func(c call) answer {
			t.Helper()
			c.ScanDir, c.Name = r.tree.ScanDir, name
			a := callAs(t, c, member)
			if a.Err != "" {
				t.Errorf("%s %s: %s", c.Op, name, a.Err)
			}
			return a
		}
		r.tool("s6-svperms", "-G", group, "-E", group, r.path(name))
		do(call{Op: "start"})
		before := r.status(name)
		if a := do(call{Op: "status"}); a.Status.State != sm.StateUp || a.Status.PID != before.PID {
			t.Errorf("%s: the member sees %+v", name, a.Status)
		}
		do(call{Op: "restart"})
		if st := r.status(name); st.State != sm.StateUp || st.PID == before.PID {
			t.Errorf("%s after restart: %+v", name, st)
		}
		do(call{Op: "wait", Until: sm.UntilReady})
		do(call{Op: "signal", Signal: int(syscall.SIGCONT)})
		do(call{Op: "stop"})
		do(call{Op: "wait", Until: sm.UntilFinished})
		if st := r.status(name); st.State != sm.StateDown {
			t.Errorf("%s after stop: %+v", name, st)
		}
		do(call{Op: "start", NoWait: true})
		r.awaitState(name, sm.StateUp)
	}
	if !r.exists("theirs", "down") || r.exists("ours", "down") {
		t.Error("the down files are not as they should be")
	}
}

// What needs more than what was granted is refused, and the error says which
// right it takes.
func TestGroupMemberIsRefused(t *testing.T) {
	t.Parallel()
	needRoot(t)
	group, gid := someGroup(t)
	r := newRig(t)
	r.register(sleeper("ours"))
	member := asUser(s6test.User, gid)
	r.tool("s6-svperms", "-G", group, "-E", group, r.path("ours"))
	refused := func(c call, want string) {
		t.Helper()
		c.ScanDir, c.Name = r.tree.ScanDir, "ours"
		if a := callAs(t, c, member); !a.is("permission") || !strings.Contains(a.Err, want) || a.Remedy == "" {
			t.Errorf("%s: %q, want %q", c.Op, a.Err, want)
		}
	}
	refused(call{Op: "stop", Within: time.Hour}, "no right to write in "+r.path("ours")+" as uid 10000")
	refused(call{Op: "signal", Signal: int(syscall.SIGTTIN)}, "send SIGTTIN to pid ")
	if st := r.status("ours"); st.State != sm.StateUp {
		t.Errorf("after what was refused: %+v", st)
	}
	// The right to look without the right to command.
	r.tool("s6-svperms", "-g", group, "-E", group, r.path("ours"))
	if a := callAs(t, call{Op: "status", ScanDir: r.tree.ScanDir, Name: "ours"}, member); a.Status.State != sm.StateUp {
		t.Errorf("status: %+v, %s", a.Status, a.Err)
	}
	for _, op := range []string{"start", "stop", "restart", "signal"} {
		refused(call{Op: op, Signal: int(syscall.SIGHUP)}, "no right to write "+r.path("ours", "supervise", "control"))
	}
	// A tree with a tight umask hides the records it makes anew each time.
	must(t, os.Chmod(r.path("ours", "supervise", "status"), 0o600))
	refused(call{Op: "status"}, "no right to read "+r.path("ours", "supervise", "status"))
	a := callAs(t, call{Op: "status", ScanDir: r.tree.ScanDir, Name: "ours"}, member)
	if a.Remedy != "run this as uid 0, or let the tree run with umask 022" {
		t.Errorf("remedy %q", a.Remedy)
	}
}

// A supervisor's death does not take a member's rights away, nor does it need
// the scanner's ear to wait for the next.
func TestGroupMemberOutlivesASupervisor(t *testing.T) {
	t.Parallel()
	needRoot(t)
	group, gid := someGroup(t)
	r := newRig(t)
	r.register(sleeper("web"))
	r.tool("s6-svperms", "-G", group, "-E", group, r.path("web"))
	must(t, syscall.Kill(r.supervisor("web"), syscall.SIGKILL))
	for _, op := range []string{"stop", "start"} {
		if a := callAs(t, call{Op: op, ScanDir: r.tree.ScanDir, Name: "web"}, asUser(s6test.User, gid)); a.Err != "" {
			t.Errorf("%s: %s", op, a.Err)
		}
	}
	if st := r.status("web"); st.State != sm.StateUp {
		t.Errorf("status: %+v", st)
	}
}

// Who may only look sees all changes as well: the death of a supervisor by its
// process, and what has no event by looking again.
func TestOnlookerSeesChanges(t *testing.T) {
	t.Parallel()
	needRoot(t)
	r := newRig(t)
	r.register(sleeper("web"))
	r.tool("s6-svperms", "-o", "-e", r.path("web"))
	c := begin(t, call{Op: "watch", ScanDir: r.tree.ScanDir, Name: "web"}, asUser(s6test.User))
	until := func(what string, is func(sm.Status) bool) sm.Status {
		t.Helper()
		for {
			a := c.next()
			if a.Err != "" {
				t.Fatalf("waiting for %s: %s", what, a.Err)
			}
			if is(a.Status) {
				return a.Status
			}
		}
	}
	first := until("up", func(st sm.Status) bool { return st.State == sm.StateUp })
	r.signal("web", syscall.SIGSTOP)
	until("paused", func(st sm.Status) bool { return st.Paused })
	r.signal("web", syscall.SIGCONT)
	until("on", func(st sm.Status) bool { return !st.Paused })
	must(t, syscall.Kill(r.supervisor("web"), syscall.SIGKILL))
	until("up anew", func(st sm.Status) bool { return st.State == sm.StateUp && st.PID != first.PID })
	r.stop("web")
	until("down", func(st sm.Status) bool { return st.State == sm.StateDown })
	must(t, r.m.Unregister(r.ctx, "web"))
	for {
		a := c.next()
		if a.Err == "" {
			continue
		}
		if !a.is("not registered") {
			t.Errorf("the watch ended with %s", a.Err)
		}
		break
	}
}

// Root may read a user's tree, wait in it and watch it, and changes nothing
// there: the user could lead its hand.
func TestRootOnAUsersTree(t *testing.T) {
	t.Parallel()
	needRoot(t)
	r := newRig(t, s6test.AsUser(s6test.User))
	asOwner := func(c call) {
		t.Helper()
		c.ScanDir = r.tree.ScanDir
		if a := callAs(t, c, asUser(s6test.User)); a.Err != "" {
			t.Fatalf("%s as the owner: %s", c.Op, a.Err)
		}
	}
	down := sleeper("web")
	down.Down = true
	asOwner(call{Op: "register", Spec: down})
	if st := r.status("web"); st.State != sm.StateDown {
		t.Errorf("status: %+v", st)
	}
	if names, err := r.m.List(r.ctx); err != nil || len(names) != 1 {
		t.Errorf("list: %v, %v", names, err)
	}
	watch := r.watch("web")
	watch.expectState(sm.StateDown)
	w := r.wait("web", sm.UntilUp)
	asOwner(call{Op: "start", Name: "web"})
	if got := w.result(t); got.err != nil || got.st.State != sm.StateUp {
		t.Errorf("wait: %+v, %v", got.st, got.err)
	}
	watch.expectState(sm.StateUp)
	calls := r.verbs("web")
	calls["register"] = func() error { return r.m.Register(r.ctx, sleeper("roots")) }
	calls["unregister"] = func() error { return r.m.Unregister(r.ctx, "web") }
	for op, do := range calls {
		a := answerOf(do())
		if !a.is("permission") || !strings.Contains(a.Err, "runs as uid 10000, and root changes nothing in it") || a.Remedy != "run this as uid 10000" {
			t.Errorf("%s: %q; %q", op, a.Err, a.Remedy)
		}
	}
	if st := r.status("web"); st.State != sm.StateUp || st.Restarts != 0 {
		t.Errorf("the service is %+v", st)
	}
	watch.end()
	must(t, filepath.Walk(r.tree.ScanDir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != s6test.User {
			t.Errorf("%s belongs to uid %d now", path, info.Sys().(*syscall.Stat_t).Uid)
		}
		return err
	}))
}

// A third user on a user's tree is told whom to become.
func TestStrangerOnAUsersTree(t *testing.T) {
	t.Parallel()
	needRoot(t)
	r := newRig(t, s6test.AsUser(s6test.User))
	if a := callAs(t, call{Op: "register", ScanDir: r.tree.ScanDir, Spec: sleeper("web")}, asUser(s6test.User)); a.Err != "" {
		t.Fatal(a.Err)
	}
	for _, op := range []string{"status", "start", "stop", "restart", "watch"} {
		a := callAs(t, call{Op: op, ScanDir: r.tree.ScanDir, Name: "web"}, asUser(12345))
		if !a.is("permission") || !strings.Contains(a.Err, "as uid 12345 (the tree belongs to uid 10000)") || !strings.HasPrefix(a.Remedy, "run this as uid 10000, or ") {
			t.Errorf("%s: %q; %q", op, a.Err, a.Remedy)
		}
	}
}
