package s6

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// exitOnTerm makes a puppet end on SIGTERM with a code, but not before it was
// told so by a line of its own, and say when the signal came.
func exitOnTerm(code int) string {
	return `trap 'echo term >"$2"; read -r x <"$1"; exit ` + itoa(code) + `' TERM`
}

// R42: list returns every servicedir, also those of others; what a scanner does
// not look at is ignored.
func TestR42_ListReturnsEveryServicedir(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	down := sleeper("web")
	down.Down = true
	r.register(down)
	r.servicedir("Getty@tty1", files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
	r.linked("linked", files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
	must(t, os.Mkdir(r.path(".hidden"), 0o755))
	must(t, os.WriteFile(r.path("file"), nil, 0o644))
	must(t, os.Symlink("nowhere", r.path("dangling")))
	got, err := r.m.List(r.ctx)
	must(t, err)
	if want := []string{"Getty@tty1", "linked", "web"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var swept []string
	for st, err := range r.m.StatusAll(r.ctx) {
		must(t, err)
		swept = append(swept, st.Name)
		if st.State != sm.StateDown {
			t.Errorf("%s is %v, want down", st.Name, st.State)
		}
	}
	if !slices.Equal(swept, got) {
		t.Errorf("status of all: %q, list: %q", swept, got)
	}
}

// R42: names that could not be registered are still services where a scanner
// supervises such a directory.
func TestR42_OddNamesOfOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range []string{"with space", "-dash", "UPPER", "a@b", "é", "x.log"} {
		r.servicedir(name, files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
		r.start(name)
		if st := r.status(name); st.State != sm.StateUp || st.Name != name {
			t.Errorf("%q is %+v, want up", name, st)
		}
		r.stop(name)
	}
	for name, want := range map[string]bool{"": true, "..": true, "a/b": true, "-gone": true, "gone now": true, "\xff": true, "gone@x": false, "gone": false} {
		_, err := r.m.Status(r.ctx, name)
		var bad *sm.SpecError
		if errors.As(err, &bad) != want || !want && !errors.Is(err, sm.ErrNotRegistered) {
			t.Errorf("status of %q, which is not there: %v, want a bad name: %v", name, err, want)
		}
	}
}

// R43: start is want up, stop is want down, restart is terminate and come back,
// and each returns when that is so.
func TestR43_VerbsWait(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := sleeper("web")
	spec.Down = true
	r.register(spec)
	r.start("web")
	first := r.status("web")
	if first.State != sm.StateUp || !first.WantUp || !first.Enabled || first.PID == 0 {
		t.Errorf("after start: %+v", first)
	}
	r.start("web")
	if st := r.status("web"); st.PID != first.PID {
		t.Errorf("start of what is up made another process: %d, was %d", st.PID, first.PID)
	}
	r.restart("web")
	second := r.status("web")
	if second.State != sm.StateUp || second.PID == first.PID || second.LastExit == nil || second.LastExit.Signal != syscall.SIGTERM {
		t.Errorf("after restart: %+v (%v), was pid %d", second, second.LastExit, first.PID)
	}
	r.stop("web")
	if st := r.status("web"); st.State != sm.StateDown || st.WantUp || st.Enabled || st.PID != 0 {
		t.Errorf("after stop: %+v", st)
	}
	if err := syscall.Kill(second.PID, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("after stop process %d is still there: %v", second.PID, err)
	}
	r.stop("web")
	r.restart("web")
	if st := r.status("web"); st.State != sm.StateUp || !st.Enabled {
		t.Errorf("after restart of what was down: %+v", st)
	}
}

// R43: a process gets the stop signal once per stop and once per restart: to
// many programs a second one means to leave at once.
func TestR43_OneSignalPerRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.StopTimeout = time.Minute
	r.register(spec)
	tests := []struct {
		name string
		do   func() error
	}{
		{name: "stop", do: func() error { return r.m.Stop(r.ctx, "web", sm.NoWait()) }},
		{name: "stop with more time than the supervisor gives", do: func() error {
			return r.m.Stop(r.ctx, "web", sm.NoWait(), sm.StopWithin(time.Hour))
		}},
		{name: "restart", do: func() error { return r.m.Restart(r.ctx, "web", sm.NoWait()) }},
		{name: "restart with more time", do: func() error {
			return r.m.Restart(r.ctx, "web", sm.NoWait(), sm.StopWithin(time.Hour))
		}},
	}
	for _, tc := range tests {
		r.start("web")
		// They are counted until the supervisor has sent another one. A
		// trap can run in the middle of another, so it is the loop that
		// tells; the end of sleep ends a wait that begins too late.
		p.do(`n=0; w=; sleep 1000 & trap 'n=$((n+1))' TERM; trap 'w=1; kill $!' WINCH; echo done >"$2"; ` +
			`while [ -z "$w" ]; do wait; done; echo "$n" >"$2"; sleep 1000`)
		p.hear("done")
		must(t, tc.do())
		r.signal("web", syscall.SIGWINCH)
		p.hear("1")
		r.signal("web", syscall.SIGKILL)
		r.await("web", "gone", func(st sm.Status) bool { return !st.Running() })
	}
}

// R44: whether a service runs is read from the supervisor's record, never from
// a line for people; the supervisor's own tool agrees.
func TestR44_StatusAgreesWithTheSupervisorsTool(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s6Only(t, r.tree, "s6-svstat 2.11 does not know the sign for never started")
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.ReadyFD = 3
	spec.Down = true
	r.register(spec)
	check := func(what string) {
		t.Helper()
		compareWithTool(t, r, what, "web")
	}
	check("registered down")
	r.start("web")
	check("started, not ready")
	p.do("echo >&3")
	r.await("web", "ready", func(st sm.Status) bool { return st.Ready })
	check("ready")
	r.signal("web", syscall.SIGSTOP)
	r.await("web", "paused", func(st sm.Status) bool { return st.Paused })
	check("paused")
	r.signal("web", syscall.SIGCONT)
	r.await("web", "running on", func(st sm.Status) bool { return !st.Paused })
	r.restart("web")
	check("restarted")
	p.expect(exitOnTerm(3))
	r.stop("web", sm.NoWait())
	p.hear("term")
	r.awaitState("web", sm.StateStopping)
	check("stopping")
	p.do("go")
	r.awaitState("web", sm.StateDown)
	check("stopped with exit code 3")
	r.start("web")
	r.stop("web")
	check("stopped by SIGTERM")
}

// R45: no s6 program is executed: all verbs work where PATH is empty.
func TestR45_EmptyPath(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := sm.Spec{Name: "web", Command: []string{"/bin/sleep", "1000"}, Restart: sm.RestartOnFailure}
	for _, c := range []call{
		{Op: "register", Spec: spec, Name: "web"}, {Op: "list"}, {Op: "status", Name: "web"}, {Op: "restart", Name: "web"},
		{Op: "signal", Name: "web", Signal: int(syscall.SIGHUP)}, {Op: "wait", Name: "web", Until: sm.UntilUp}, {Op: "stop", Name: "web"},
		{Op: "start", Name: "web"}, {Op: "unregister", Name: "web"},
	} {
		c.ScanDir = r.tree.ScanDir
		if a := callAs(t, c, withEnv("PATH=")); a.Err != "" {
			t.Errorf("%s: %s", c.Op, a.Err)
		}
	}
}

// R45: nor could one be: nothing in the client starts a program.
func TestR45_ExecutesNothing(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*.go")
	must(t, err)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		must(t, err)
		for _, i := range f.Imports {
			if i.Path.Value == `"os/exec"` {
				t.Errorf("%s imports os/exec", name)
			}
		}
	}
}

// R46: a slot that is missing is found out before anything is asked of s6.
func TestR46_MissingSlot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for op, do := range map[string]func() error{
		"start":      func() error { return r.m.Start(r.ctx, "gone") },
		"stop":       func() error { return r.m.Stop(r.ctx, "gone") },
		"restart":    func() error { return r.m.Restart(r.ctx, "gone") },
		"signal":     func() error { return r.m.Signal(r.ctx, "gone", syscall.SIGTERM) },
		"unregister": func() error { return r.m.Unregister(r.ctx, "gone") },
		"status":     func() error { _, err := r.m.Status(r.ctx, "gone"); return err },
		"wait":       func() error { _, err := r.m.Wait(r.ctx, "gone", sm.UntilDown); return err },
		"logs":       func() error { _, err := r.m.Logs(r.ctx, "gone", sm.LogOptions{}); return err },
		"watch": func() error {
			for _, err := range r.m.Watch(r.ctx, "gone") {
				return err
			}
			return nil
		},
	} {
		err := do()
		var e *sm.Error
		if !errors.Is(err, sm.ErrNotRegistered) || !errors.As(err, &e) || e.Op != op || e.Service != "gone" || e.Kind != sm.KindS6 {
			t.Errorf("%s: %v (%+v)", op, err, e)
		}
	}
	if entries, err := os.ReadDir(r.tree.ScanDir); err != nil || len(entries) != 1 {
		t.Errorf("the scan directory now holds %v, %v", entries, err)
	}
}

// T3: a service whose finish says 125 after a clean exit comes back from a
// restart.
func TestT3_RestartComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Restart = sm.RestartOnFailure
	r.register(spec)
	for _, opts := range [][]sm.ActOption{nil, {sm.StopWithin(time.Minute)}} {
		before := r.status("web")
		p.expect("trap 'exit 0' TERM")
		r.restart("web", opts...)
		st := r.status("web")
		// An exit with code 0 that was asked for leaves no trace in the record.
		if st.State != sm.StateUp || st.PID == before.PID || st.LastExit != nil {
			t.Errorf("after restart: %+v (%v), was pid %d", st, st.LastExit, before.PID)
		}
	}
	// A death that nobody asked for still keeps it down.
	p.do("exit 0")
	if st := r.awaitState("web", sm.StateDown); st.WantUp || st.Problem != "" {
		t.Errorf("after a clean exit: %+v", st)
	}
}

// T3: it comes back also where nobody waits for it.
func TestT3_RestartComesBackUnwatched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Restart = sm.RestartOnFailure
	r.register(spec)
	before := r.status("web")
	p.expect("trap 'exit 0' TERM")
	r.restart("web", sm.NoWait())
	r.awaitOther("web", before.PID)
}

// T3: it comes back also where the client is killed right after its request.
func TestT3_RestartComesBackWithoutTheClient(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Restart = sm.RestartOnFailure
	spec.FatalExitCodes = []int{78}
	r.register(spec)
	for _, code := range []int{0, 78} {
		before := r.awaitState("web", sm.StateUp)
		p.expect(exitOnTerm(code))
		client := begin(t, call{Op: "restart", ScanDir: r.tree.ScanDir, Name: "web"})
		p.hear("term")
		client.kill()
		p.do("go")
		st := r.awaitOther("web", before.PID)
		if st.State != sm.StateUp || !st.Enabled || st.LastExit == nil || st.LastExit.Code != code {
			t.Errorf("it came back as %+v (%v), want up after exit code %d", st, st.LastExit, code)
		}
	}
}

// A restart asked for while finish runs, after a death nobody asked for, undoes
// what finish decides.
func TestRestartDuringFinish(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{
		"run":            p.run(),
		"finish":         "#!/bin/sh\nread -r word <" + p.inPath + "\nexit 125\n",
		"timeout-finish": "1000\n",
	})
	for verb, do := range map[string]func() error{
		"restart": func() error { return r.m.Restart(r.ctx, "web") },
		"start":   func() error { return r.m.Start(r.ctx, "web") },
	} {
		before := r.awaitState("web", sm.StateUp)
		p.do("exit 0")
		r.awaitState("web", sm.StateFinishing)
		done := make(chan error, 1)
		go func() { done <- do() }()
		p.do("go") // before or after the verb has asked: both must do
		must(t, <-done)
		if st := r.status("web"); st.State != sm.StateUp || st.PID == before.PID {
			t.Errorf("after %s: %+v, was pid %d", verb, st, before.PID)
		}
	}
}

// Start says when run can never be executed: that fails without any event.
func TestStartOfWhatCannotBeExecuted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s6Only(t, r.tree, "it tells why, at once")
	r.servicedir("interpreter", files{"run": "#!/nonexistent/interpreter\n", "down": ""})
	r.servicedir("none", files{"down": ""})
	r.servicedir("mode", files{"run": "exec sleep 1000\n", "down": ""})
	tests := []struct{ name, want string }{
		{name: "none", want: "has no run"},
		{name: "mode", want: "run is not executable; chmod +x "},
		{name: "interpreter", want: "has not managed to execute " + r.path("interpreter", "run")},
	}
	for _, tc := range tests {
		err := r.m.Start(r.ctx, tc.name)
		if err == nil || !strings.Contains(err.Error(), tc.want) || sm.RemedyOf(err) == "" {
			t.Errorf("start of %s: %v, want %q", tc.name, err, tc.want)
		}
	}
	st := r.status("interpreter")
	if st.State != sm.StateStarting || !strings.Contains(st.Problem, "run cannot be executed or is being retried") || !strings.HasPrefix(st.Problem, "no process for ") {
		t.Errorf("after ten seconds without a process: %+v", st)
	}
	r.stop("interpreter")
	if st := r.status("interpreter"); st.State != sm.StateDown || st.Problem != "" {
		t.Errorf("after stop: %+v", st)
	}
}
