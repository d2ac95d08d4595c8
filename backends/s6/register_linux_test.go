package s6

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// R36: of fifty registrars of one name exactly one wins, and what it made is
// whole.
func TestR36_FiftyRegistrarsOneWins(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range 50 {
		m := openOn(t, tr)
		wg.Go(func() {
			<-begin
			spec := sleeper("web")
			spec.Env = map[string]string{"N": itoa(i)}
			err := m.Register(ctx, spec)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, sm.ErrAlreadyRegistered):
				t.Errorf("registrar %d: %v", i, err)
			}
		})
	}
	close(begin)
	wg.Wait()
	if won != 1 {
		t.Errorf("%d registrars won, want 1", won)
	}
	m := openOn(t, tr)
	if st, err := m.Status(ctx, "web"); err != nil || st.State != sm.StateUp {
		t.Errorf("the winner's service is %v, %v", st.State, err)
	}
	if left := leftovers(t, tr); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if n := supervisors(t, tr)["web"]; n != 1 {
		t.Errorf("%d supervisors of web, want 1", n)
	}
}

// R36, T1: a scanner that looks while a servicedir is being made does not see
// it.
func TestT1_StagingIsNotSupervised(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	rescan := openOn(t, tr)
	m.crash = func(step string) {
		if step != "written" && step != "staged" {
			return
		}
		must(t, rescan.sendScanner(ctx, "a"))
		// The scanner obeys in order: once it supervises another new
		// directory it has looked at ours.
		other := "witness-" + step
		must(t, os.MkdirAll(filepath.Join(tr.Dir, other), 0o755))
		must(t, os.WriteFile(filepath.Join(tr.Dir, other, "run"), []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755))
		must(t, os.Mkdir(filepath.Join(tr.Dir, other, "event"), 0o700))
		must(t, os.Symlink(filepath.Join(tr.Dir, other), filepath.Join(tr.ScanDir, other)))
		must(t, rescan.Start(ctx, other))
		for _, name := range leftovers(t, tr) {
			if _, err := os.Stat(filepath.Join(tr.ScanDir, name, "supervise")); err == nil {
				t.Errorf("%s is supervised at step %q", name, step)
			}
		}
	}
	must(t, m.Register(ctx, sleeper("web")))
}

// R37: a registration that is cancelled, at whatever step, leaves nothing, and
// the next one succeeds.
func TestR37_CancelledRegistrationIsUndone(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	for _, step := range []string{"mkdir", "locked", "written", "staged", "renamed", "rescanned", "supervised"} {
		t.Run(step, func(t *testing.T) {
			m := openOn(t, tr)
			ctx, cancel := context.WithCancel(testContext(t))
			reached := false
			m.crash = func(at string) {
				if at == step {
					reached = true
					cancel()
				}
			}
			spec := sleeper("web-" + step)
			spec.Log.Dir = filepath.Join(tr.Dir, "log-"+step)
			err := m.Register(ctx, spec)
			if !reached {
				t.Fatal("the step was never reached")
			}
			if step == "supervised" && err == nil {
				return // it was up before anybody looked again: done, not cancelled
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("Register = %v, want context.Canceled", err)
			}
			t.Logf("Register = %v", err)
			assertGone(t, tr, spec.Name)
			m.crash = func(string) {}
			must(t, m.Register(testContext(t), spec))
		})
	}
}

func assertGone(t *testing.T, tr *s6test.Tree, name string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(tr.ScanDir, name)); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", name, err)
	}
	if left := leftovers(t, tr); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	count := supervisors(t, tr)
	for arg, n := range count {
		if arg == name || arg == name+"/log" {
			t.Errorf("%d supervisors of %s are still there", n, arg)
		}
	}
}

// R37: the scanner dies in the middle of a registration: nothing is left.
func TestR37_ScannerDiesMeanwhile(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"staged", "renamed", "rescanned"} {
		t.Run(step, func(t *testing.T) {
			tr := s6test.Start(t)
			m := openOn(t, tr)
			m.crash = func(at string) {
				if at == step {
					tr.Kill()
				}
			}
			err := m.Register(testContext(t), sleeper("web"))
			if step == "rescanned" && err == nil {
				return // its last act was to supervise the service
			}
			if !errors.Is(err, sm.ErrNotSupervised) {
				t.Fatalf("Register = %v, want ErrNotSupervised", err)
			}
			assertGone(t, tr, "web")
		})
	}
}

// R38: a name that is taken is an error that says whether it is the same
// service.
func TestR38_DuplicateSaysWhetherItIsTheSame(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	must(t, m.Register(ctx, sleeper("web")))
	other := sleeper("web")
	other.Env = map[string]string{"A": "b"}
	for _, tc := range []struct {
		name string
		spec sm.Spec
		same bool
	}{
		{"the same", sleeper("web"), true},
		{"the same, not started", sm.Spec{Name: "web", Command: []string{"sleep", "1000"}, Down: true}, true},
		{"another environment", other, false},
	} {
		var have *sm.AlreadyRegisteredError
		if err := m.Register(ctx, tc.spec); !errors.As(err, &have) || have.Same != tc.same {
			t.Errorf("%s: %v, want AlreadyRegisteredError with Same=%v", tc.name, err, tc.same)
		}
	}
	change, err := sm.Ensure(ctx, m, sleeper("web"))
	if err != nil || change != sm.ChangeNone {
		t.Errorf("Ensure of the same = %v, %v", change, err)
	}
}

// R39: a service registered down is supervised and not started.
func TestR39_RegisteredDown(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.Down = true
	must(t, m.Register(ctx, spec))
	st, err := m.Status(ctx, "web")
	if err != nil || st.State != sm.StateDown || st.Enabled || st.LastExit != nil {
		t.Errorf("status %+v, %v", st, err)
	}
}

// R40: when Register returns, s6's own tools see the service.
func TestR40_VisibleOnReturn(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.Log.Dir = filepath.Join(tr.Dir, "log")
	must(t, m.Register(testContext(t), spec))
	for _, dir := range []string{"web", "web/log"} {
		if out, err := exec.Command(s6test.Tool(t, "s6-svok"), filepath.Join(tr.ScanDir, dir)).CombinedOutput(); err != nil {
			t.Errorf("s6-svok %s: %v %s", dir, err, out)
		}
	}
	out, err := exec.Command(s6test.Tool(t, "s6-svstat"), "-o", "up,wantedup", filepath.Join(tr.ScanDir, "web")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "true true" {
		t.Errorf("s6-svstat: %v %q", err, out)
	}
}

// R41, T5: after Unregister no supervisor is left, and the same name can be
// registered again at once, again and again, with one supervisor each time.
func TestR41T5_NoSupervisorIsLeaked(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.Log.Dir = filepath.Join(tr.Dir, "log")
	for range 15 {
		must(t, m.Register(ctx, spec))
		if got := supervisors(t, tr); got["web"] != 1 || got["web/log"] != 1 {
			t.Fatalf("supervisors while registered: %v", got)
		}
		must(t, m.Unregister(ctx, "web"))
		assertGone(t, tr, "web")
	}
	if err := m.Unregister(ctx, "web"); !errors.Is(err, sm.ErrNotRegistered) {
		t.Errorf("Unregister of what is gone: %v", err)
	}
}

// Unregister removes a link and leaves what it points to; it refuses a
// directory that somebody wrote by hand.
func TestUnregisterOnlyWhatCanBeMadeAgain(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	run := []byte("#!/bin/sh\nexec sleep 1000\n")
	for _, dir := range []string{filepath.Join(tr.Dir, "elsewhere"), filepath.Join(tr.ScanDir, "byhand")} {
		must(t, os.MkdirAll(filepath.Join(dir, "event"), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, "run"), run, 0o755))
	}
	must(t, os.Symlink(filepath.Join(tr.Dir, "elsewhere"), filepath.Join(tr.ScanDir, "linked")))
	must(t, m.Start(ctx, "linked"))
	must(t, m.Start(ctx, "byhand"))

	must(t, m.Unregister(ctx, "linked"))
	assertGone(t, tr, "linked")
	if _, err := os.Stat(filepath.Join(tr.Dir, "elsewhere", "run")); err != nil {
		t.Errorf("the link's target was touched: %v", err)
	}
	err := m.Unregister(ctx, "byhand")
	if !errors.Is(err, sm.ErrNotSupported) || sm.RemedyOf(err) == "" {
		t.Errorf("Unregister of a hand-made directory = %v", err)
	}
	if st, err := m.Status(ctx, "byhand"); err != nil || st.State != sm.StateUp {
		t.Errorf("it was not left alone: %v %v", st.State, err)
	}
}

// Without a scanner nothing is written.
func TestRegisterWithoutScanner(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	s6Only(t, tr, "the remedy names it")
	m := openOn(t, tr)
	must(t, m.Register(testContext(t), sleeper("old")))
	tr.Kill()
	err := m.Register(testContext(t), sleeper("web"))
	if !errors.Is(err, sm.ErrNotSupervised) || !strings.Contains(err.Error(), "s6-svscan "+tr.ScanDir) {
		t.Errorf("Register = %v", err)
	}
	assertGone(t, tr, "web")
	// What is there can be removed all the same.
	must(t, m.Unregister(testContext(t), "old"))
	assertGone(t, tr, "old")
}

// A registrar or unregistrar that is killed leaves the old state or the new
// one, and the next registration cleans up after it.
func TestKilledRegistrar(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		verb, step string
		there      bool // the service exists afterwards
	}{
		{"register", "mkdir", false},
		{"register", "locked", false},
		{"register", "written", false},
		{"register", "staged", false},
		{"register", "renamed", true},
		{"register", "rescanned", true},
		{"register", "supervised", true},
		{"unregister", "renamed away", false},
		{"unregister", "supervisors gone", false},
	} {
		t.Run(tc.verb+" "+tc.step, func(t *testing.T) {
			t.Parallel()
			tr := s6test.Start(t)
			ctx := testContext(t)
			m := openOn(t, tr)
			log := filepath.Join(tr.Dir, "log")
			if tc.verb == "unregister" {
				must(t, m.Register(ctx, crashSpec(log)))
			}
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), "CRASH_STEP="+tc.step, "CRASH_VERB="+tc.verb, "CRASH_SCANDIR="+tr.ScanDir, "CRASH_LOG="+log)
			out, err := cmd.CombinedOutput()
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
				t.Fatalf("the child was not killed at its step: %v %s", err, out)
			}
			names, err := m.List(ctx)
			must(t, err)
			if slices.Contains(names, crashName) != tc.there {
				t.Errorf("services afterwards: %v, want %s there: %v", names, crashName, tc.there)
			}
			err = m.Register(ctx, crashSpec(log))
			if tc.there {
				var have *sm.AlreadyRegisteredError
				if !errors.As(err, &have) || !have.Same {
					t.Fatalf("the next registration: %v, want the same there already", err)
				}
				must(t, m.Start(ctx, crashName))
				awaitLogger(t, m, crashName)
			} else {
				must(t, err)
			}
			if st, err := m.Status(ctx, crashName); err != nil || st.State != sm.StateUp {
				t.Errorf("status afterwards: %+v %v", st, err)
			}
			if left := leftovers(t, tr); len(left) > 0 {
				t.Errorf("not cleaned up: %v", left)
			}
			if got := supervisors(t, tr); got[crashName] != 1 || got[crashName+"/log"] != 1 {
				t.Errorf("supervisors afterwards: %v", got)
			}
		})
	}
}

// awaitLogger waits until a service's logger is supervised, which no verb on the
// service waits for.
func awaitLogger(t *testing.T, m *manager, name string) {
	t.Helper()
	dir, err := m.scan.SubFollow(name + "/log")
	must(t, err)
	s := &service{m: m, name: name + "/log", dir: dir}
	defer s.close()
	mo, err := s.monitor(testContext(t), false)
	must(t, err)
	defer mo.close()
	must(t, s.awaitSupervised(testContext(t), mo))
}

// A full disk makes a registration fail and leaves nothing of it.
func TestRegisterOnFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a small file system can be mounted by root only; the run as root does it")
	}
	t.Parallel()
	dir := s6test.Dir(t, 0)
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,mode=755"))
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	tr := s6test.Start(t, s6test.In(dir))
	ctx := testContext(t)
	m := openOn(t, tr)
	must(t, m.Register(ctx, sleeper("before")))
	full := filepath.Join(dir, "full")
	_ = os.WriteFile(full, make([]byte, 1<<20), 0o600) // fails when the disk is full
	err := m.Register(ctx, sleeper("web"))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Register on a full disk = %v, want ENOSPC", err)
	}
	assertGone(t, tr, "web")
	if st, err := m.Status(ctx, "before"); err != nil || st.State != sm.StateUp {
		t.Errorf("the other service is %v, %v", st.State, err)
	}
	must(t, os.Remove(full))
	must(t, m.Register(ctx, sleeper("web")))
}
