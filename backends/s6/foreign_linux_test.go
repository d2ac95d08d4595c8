package s6

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Servicedirs that somebody else made, with what they may have, obey all verbs;
// what is in them is left as it was, the down file above all.
func TestForeignServices(t *testing.T) {
	t.Parallel()
	const run = "#!/bin/sh\nexec sleep 1000\n"
	tests := []struct {
		name string
		files
		linked bool
	}{
		{name: "plain", files: files{"run": run}},
		{name: "down", files: files{"run": run, "down": ""}},
		{name: "Finish@1", files: files{"run": run, "finish": "#!/bin/sh\nexit 125\n"}},
		{name: "logged", files: files{"run": run, "log/run": "#!/bin/sh\nexec cat >/dev/null\n"}},
		{name: "data", files: files{"run": run, "down": "", "data/parked": "theirs", "data/asked": "theirs", "timeout-kill": "60000\n"}},
		{name: "linked", files: files{"run": run}, linked: true},
		{name: "linked-down", files: files{"run": run, "down": "", "finish": "#!/bin/sh\n", "log/run": "#!/bin/sh\nexec cat >/dev/null\n"}, linked: true},
	}
	r := newRig(t)
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := &rig{t: t, tree: r.tree, m: r.m, ctx: r.ctx}
			dir := r.path(tc.name)
			if tc.linked {
				dir = r.linked(tc.name, tc.files)
			} else {
				r.servicedir(tc.name, tc.files)
			}
			before := contents(t, dir)
			_, down := tc.files["down"]
			check := func(what string, state sm.State) sm.Status {
				t.Helper()
				st := r.awaitState(tc.name, state)
				if st.Enabled == down || st.Problem != "" {
					t.Errorf("%s: %+v", what, st)
				}
				compareWithTool(t, r, what, tc.name)
				return st
			}
			r.start(tc.name)
			first := check("started", sm.StateUp)
			r.restart(tc.name)
			if st := check("restarted", sm.StateUp); st.PID == first.PID {
				t.Errorf("restart left pid %d", st.PID)
			}
			r.restart(tc.name, sm.StopWithin(2*time.Minute))
			r.signal(tc.name, syscall.SIGSTOP)
			r.await(tc.name, "paused", func(st sm.Status) bool { return st.Paused })
			r.stop(tc.name, sm.StopWithin(2*time.Minute))
			check("stopped", sm.StateDown)
			r.start(tc.name, sm.NoWait())
			check("started without waiting", sm.StateUp)
			r.stop(tc.name, sm.NoWait())
			check("stopped without waiting", sm.StateDown)
			r.restart(tc.name)
			r.stop(tc.name)
			if st, err := r.m.Wait(r.ctx, tc.name, sm.UntilFinished); err != nil || st.State != sm.StateDown {
				t.Errorf("wait: %+v, %v", st, err)
			}
			for path, text := range contents(t, dir) {
				if old, ok := before[path]; !ok || old != text {
					t.Errorf("%s was made or changed: %q, was %q", path, text, old)
				}
				delete(before, path)
			}
			for path := range before {
				t.Errorf("%s was removed", path)
			}
		})
	}
}

// contents reads all of a servicedir that is not the supervisor's.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "supervise" || d.Name() == "event") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			all[path] = string(b)
			return err
		}
		return nil
	}))
	return all
}

// A restart of a service whose own finish gives up comes back, as somebody
// waits for it; one that nobody waits for stays down, as documented.
func TestForeignFinishGivesUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n", "finish": "#!/bin/sh\nexit 125\n"})
	before := r.awaitState("web", sm.StateUp)
	r.restart("web")
	if st := r.status("web"); st.State != sm.StateUp || st.PID == before.PID {
		t.Errorf("after restart: %+v", st)
	}
	s6Only(t, r.tree, "between d and u no death is asked about")
	r.restart("web", sm.NoWait())
	if st := r.awaitState("web", sm.StateDown); st.WantUp || st.Problem != "" {
		t.Errorf("after a restart that nobody waits for: %+v", st)
	}
}

// All verbs work on a scan directory that is itself behind a link, and the
// messages name the real place.
func TestLinkedScanDirectory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	link := filepath.Join(r.tree.Dir, "link")
	must(t, os.Symlink(r.tree.ScanDir, link))
	m := openOn(t, &s6test.Tree{ScanDir: link})
	must(t, m.Register(r.ctx, sleeper("web")))
	must(t, m.Restart(r.ctx, "web"))
	if st := r.status("web"); st.State != sm.StateUp {
		t.Errorf("status: %+v", st)
	}
	must(t, m.Unregister(r.ctx, "web"))
	if m.scan.Path() != r.tree.ScanDir {
		t.Errorf("the scan directory is called %s", m.scan.Path())
	}
}
