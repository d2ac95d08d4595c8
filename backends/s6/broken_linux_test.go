package s6

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// verbs are the calls that write to a supervisor.
func (r *rig) verbs(name string) map[string]func() error {
	return map[string]func() error{
		"start":   func() error { return r.m.Start(r.ctx, name) },
		"stop":    func() error { return r.m.Stop(r.ctx, name) },
		"restart": func() error { return r.m.Restart(r.ctx, name) },
		"signal":  func() error { return r.m.Signal(r.ctx, name, syscall.SIGHUP) },
	}
}

// Something else where the control FIFO should be is never written to.
func TestControlReplaced(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, r *rig, path string)
		read bool   // somebody reads what is there
		want error  // the class
		says string // a part of the message
	}{
		{name: "a regular file", read: true, want: control.ErrNotFIFO, says: "is not a FIFO of the supervisor", make: func(t *testing.T, _ *rig, path string) {
			must(t, os.WriteFile(path, nil, 0o666))
		}},
		{name: "a FIFO that nobody reads", want: sm.ErrNotSupervised, says: "its supervisor has lost the FIFO and cannot be commanded", make: func(t *testing.T, _ *rig, path string) {
			must(t, unix.Mkfifo(path, 0o600))
		}},
		{name: "nothing", want: sm.ErrNotSupervised, says: "its supervisor has lost the FIFO and cannot be commanded", make: func(*testing.T, *rig, string) {}},
		{name: "a link to a FIFO", read: true, says: "is a symbolic link", make: func(t *testing.T, r *rig, path string) {
			target := filepath.Join(r.tree.Dir, "target")
			must(t, unix.Mkfifo(target, 0o600))
			must(t, os.Symlink(target, path))
		}},
		{name: "a FIFO of another user", read: true, want: control.ErrNotFIFO, says: "uid 12345", make: func(t *testing.T, r *rig, path string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			must(t, unix.Mkfifo(path, 0o666))
			must(t, os.Chown(path, 12345, 12345))
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s6Only(t, r.tree, "supervisors are no processes of their own")
			r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n"})
			before := r.awaitState("web", sm.StateUp)
			path := r.path("web", "supervise", "control")
			must(t, os.Rename(path, filepath.Join(r.tree.Dir, "control")))
			tc.make(t, r, path)
			// Whoever reads what stands there now would see what is written.
			var reader *os.File
			if tc.read {
				var err error
				reader, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
				must(t, err)
				defer reader.Close()
			}
			for verb, do := range r.verbs("web") {
				err := do()
				if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) ||
					!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v, want %q about %s", verb, err, tc.says, path)
				}
				if tc.want != nil && sm.RemedyOf(err) == "" {
					t.Errorf("%s: %v has no remedy", verb, err)
				}
			}
			if st := r.status("web"); st.State != sm.StateUp || st.PID != before.PID {
				t.Errorf("the service is %+v now", st)
			}
			if reader != nil {
				var buf [64]byte
				if n, _ := unix.Read(int(reader.Fd()), buf[:]); n > 0 {
					t.Errorf("%q was written", buf[:n])
				}
			}
			// It can no longer be told to end.
			must(t, syscall.Kill(r.supervisor("web"), syscall.SIGTERM))
		})
	}
}

// A supervise directory that is a link is followed by nobody.
func TestSuperviseIsALink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n"})
	r.awaitState("web", sm.StateUp)
	supervisor := r.supervisor("web")
	elsewhere := filepath.Join(r.tree.Dir, "elsewhere")
	must(t, os.Mkdir(elsewhere, 0o755))
	must(t, unix.Mkfifo(filepath.Join(elsewhere, "control"), 0o666))
	must(t, os.WriteFile(filepath.Join(elsewhere, "lock"), nil, 0o666))
	must(t, os.WriteFile(filepath.Join(elsewhere, "death_tally"), []byte("not a tally"), 0o666))
	reader, err := os.OpenFile(filepath.Join(elsewhere, "control"), os.O_RDONLY|unix.O_NONBLOCK, 0)
	must(t, err)
	defer reader.Close()
	must(t, os.Rename(r.path("web", "supervise"), r.path("web", "moved")))
	must(t, os.Symlink(elsewhere, r.path("web", "supervise")))
	for verb, do := range r.verbs("web") {
		if err := do(); err == nil || !strings.Contains(err.Error(), "is a symbolic link, which is never followed here") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if st := r.status("web"); st.State != sm.StateUnknown || !strings.Contains(st.Problem, "symbolic link") {
		t.Errorf("status: %+v", st)
	}
	var buf [64]byte
	if n, _ := unix.Read(int(reader.Fd()), buf[:]); n > 0 {
		t.Errorf("%q was written behind the link", buf[:n])
	}
	entries, err := os.ReadDir(elsewhere)
	must(t, err)
	if len(entries) != 3 {
		t.Errorf("behind the link there is now %v", entries)
	}
	must(t, syscall.Kill(supervisor, syscall.SIGTERM))
}

// Links inside a servicedir lead none of our writing elsewhere.
func TestLinksInAServicedir(t *testing.T) {
	t.Parallel()
	scan := s6test.Dir(t, os.Geteuid())
	elsewhere := filepath.Join(s6test.Dir(t, os.Geteuid()), "elsewhere")
	theirs := files{"parked": "theirs", "asked": "theirs", "registered": "theirs", "tally": strings.Repeat("tallies", 4)}
	theirs.write(t, elsewhere)
	dir := filepath.Join(scan, "web")
	files{"supervise/": ""}.write(t, dir)
	must(t, os.Symlink(elsewhere, filepath.Join(dir, "data")))
	must(t, os.Symlink(filepath.Join(elsewhere, "tally"), filepath.Join(dir, "supervise", "death_tally")))
	s, err := openOn(t, &s6test.Tree{ScanDir: scan}).service("web")
	must(t, err)
	defer s.close()
	up := sm.Status{PID: 1}
	s.askFor(up, sm.Act{})()
	s.forgetFailure()
	s.settle(up)
	s.forgive()
	for name, text := range theirs {
		if b, err := os.ReadFile(filepath.Join(elsewhere, name)); err != nil || string(b) != text {
			t.Errorf("%s behind the link is now %q, %v", name, b, err)
		}
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != len(theirs) {
		t.Errorf("behind the link there is now %v, %v", entries, err)
	}
}

// Without its event directory a supervisor cannot be listened to; what needs no
// listening still works.
func TestEventDirectoryMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n"})
	r.awaitState("web", sm.StateUp)
	must(t, os.RemoveAll(r.path("web", "event")))
	calls := r.verbs("web")
	delete(calls, "signal")
	calls["wait"] = func() error { _, err := r.m.Wait(r.ctx, "web", sm.UntilDown); return err }
	calls["watch"] = func() error {
		for _, err := range r.m.Watch(r.ctx, "web") {
			return err
		}
		return nil
	}
	for op, do := range calls {
		err := do()
		if err == nil || errors.Is(err, sm.ErrNotSupervised) || !strings.Contains(err.Error(), "event directory is gone") || sm.RemedyOf(err) != "make it again: mkdir -m 3730 "+r.path("web", "event") {
			t.Errorf("%s: %v", op, err)
		}
	}
	must(t, r.m.Signal(r.ctx, "web", syscall.SIGWINCH))
	if st := r.status("web"); st.State != sm.StateUp {
		t.Errorf("status: %+v", st)
	}
	must(t, os.Mkdir(r.path("web", "event"), 0o700))
	r.restart("web")
}

// A servicedir that no scanner has looked at yet has no supervisor, and the
// error says who should look.
func TestNeverScanned(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	// A scanner says that it is ready before it looks for the first time.
	r.servicedir("witness", files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
	files{"run": "#!/bin/sh\nexec sleep 1000\n"}.write(t, r.path("web"))
	for verb, do := range r.verbs("web") {
		err := do()
		if !errors.Is(err, sm.ErrNotSupervised) || sm.RemedyOf(err) != "have the scanner look: s6-svscanctl -a "+r.tree.ScanDir {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if st := r.status("web"); st.State != sm.StateUnknown || st.Problem != "no supervisor" {
		t.Errorf("status: %+v", st)
	}
	// With the event directory that Register makes there is something to wait
	// on, and start has the scanner look.
	must(t, os.Mkdir(r.path("web", "event"), 0o700))
	must(t, os.WriteFile(r.path("web", "down"), nil, 0o644))
	r.start("web")
}

// A lock file that is gone means that nobody can tell whether there is a
// supervisor.
func TestLockMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n"})
	r.awaitState("web", sm.StateUp)
	supervisor := r.supervisor("web")
	must(t, os.Remove(r.path("web", "supervise", "lock")))
	for verb, do := range r.verbs("web") {
		if err := do(); !errors.Is(err, sm.ErrNotSupervised) || sm.RemedyOf(err) == "" {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if st := r.status("web"); st.State != sm.StateUnknown || st.PID != 0 || st.Problem != "no supervisor" {
		t.Errorf("status: %+v", st)
	}
	must(t, syscall.Kill(supervisor, syscall.SIGTERM))
}

// Whatever happens to the record while the supervisor lives, the verbs come
// through: the next change makes a new one.
func TestVerbsMendTheRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.servicedir("web", files{"run": "#!/bin/sh\nexec sleep 1000\n", "down": ""})
	path := r.path("web", "supervise", "status")
	for name, spoil := range map[string]func(){
		"gone":  func() { must(t, os.Remove(path)) },
		"short": func() { must(t, os.Truncate(path, 20)) },
		"empty": func() { must(t, os.Truncate(path, 0)) },
	} {
		r.start("web")
		before := r.awaitState("web", sm.StateUp)
		spoil()
		if st := r.status("web"); st.State != sm.StateUnknown || st.Problem == "" {
			t.Errorf("status %s: %+v", name, st)
		}
		if err := r.m.Signal(r.ctx, "web", syscall.SIGHUP); !errors.Is(err, sm.ErrNotRunning) {
			t.Errorf("signal with status %s: %v", name, err)
		}
		r.stop("web")
		if st := r.status("web"); st.State != sm.StateDown || st.PID == before.PID {
			t.Errorf("stop with status %s: %+v", name, st)
		}
	}
}
