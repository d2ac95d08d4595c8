package s6

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// slowFinish is a service whose finish lasts until the test lets it end: it
// reads from a FIFO.
func slowFinish(t *testing.T, tr *s6test.Tree, name string) (release func()) {
	t.Helper()
	dir := filepath.Join(tr.ScanDir, name)
	files{
		"event/": "", "timeout-finish": "0\n", "run": "#!/bin/sh\nexec sleep 1000\n",
		"finish": "#!/bin/sh\n[ -p gate ] || exit 0\nread -r x <gate\nrm gate\n",
	}.write(t, dir)
	must(t, syscall.Mkfifo(filepath.Join(dir, "gate"), 0o600))
	return func() {
		f, err := os.OpenFile(filepath.Join(dir, "gate"), os.O_WRONLY, 0)
		must(t, err)
		f.WriteString("go\n")
		f.Close()
	}
}

// A Stop gives way, with an error, to somebody who wants the service up before
// it is down; a Start gives way to somebody who wants it down.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		ours, their func(ctx context.Context, m *manager) error
	}{
		{"stop by start",
			func(ctx context.Context, m *manager) error { return m.Stop(ctx, "slow") },
			func(ctx context.Context, m *manager) error { return m.Start(ctx, "slow", sm.NoWait()) }},
		{"restart by stop",
			func(ctx context.Context, m *manager) error { return m.Restart(ctx, "slow") },
			func(ctx context.Context, m *manager) error { return m.Stop(ctx, "slow", sm.NoWait()) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tr := s6test.Start(t)
			ctx := testContext(t)
			release := slowFinish(t, tr, "slow")
			m, other := openOn(t, tr), openOn(t, tr)
			must(t, m.Start(ctx, "slow"))
			ended := make(chan error, 1)
			go func() { ended <- tc.ours(ctx, m) }()
			for st, err := range other.Watch(ctx, "slow") {
				must(t, err)
				if st.State == sm.StateFinishing {
					break
				}
			}
			before, err := other.Status(ctx, "slow")
			must(t, err)
			must(t, tc.their(ctx, other))
			for st, err := range other.Watch(ctx, "slow") { // the supervisor has obeyed
				must(t, err)
				if st.WantUp != before.WantUp {
					break
				}
			}
			release()
			err = <-ended
			if tc.name == "restart by stop" && err == nil {
				return // the last word of the restart came after the stop's
			}
			if !errors.Is(err, sm.ErrFailed) || sm.RemedyOf(err) == "" {
				t.Errorf("the one that was overtaken: %v, want ErrFailed with a remedy", err)
			}
		})
	}
}

// One unregistrar does not remove what somebody registered under the name
// meanwhile.
func TestUnregisterMeansTheServiceItSaw(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m, other := openOn(t, tr), openOn(t, tr)
	must(t, m.Register(ctx, sleeper("web")))
	m.crash = func(step string) {
		if step == "stopped" {
			must(t, other.Unregister(ctx, "web"))
			must(t, other.Register(ctx, sleeper("web")))
		}
	}
	if err := m.Unregister(ctx, "web"); !errors.Is(err, sm.ErrNotRegistered) {
		t.Errorf("Unregister = %v, want ErrNotRegistered", err)
	}
	// Its directory was away for an instant; a run that had just begun then may
	// have to begin again.
	if st, err := other.Wait(ctx, "web", sm.UntilUp); err != nil {
		t.Errorf("the new service is %v, %v", st.State, err)
	}
	if got := supervisors(t, tr); got["web"] != 1 {
		t.Errorf("supervisors: %v", got)
	}
}

// A registrar that cleans up after others leaves alone what is just being
// removed.
func TestUnregisterBesideARegistrar(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m, other := openOn(t, tr), openOn(t, tr)
	must(t, m.Register(ctx, sleeper("web")))
	m.crash = func(step string) {
		if step == "renamed away" {
			other.clean(ctx)
			if left := leftovers(t, tr); len(left) != 1 {
				t.Errorf("there is %v now, want the directory that is being removed", left)
			}
		}
	}
	must(t, m.Unregister(ctx, "web"))
	if left := leftovers(t, tr); len(left) > 0 {
		t.Errorf("there is still %v", left)
	}
}

// A scanner that is stopped, or refuses a service, does not make a cancelled
// registration stay; with a logger neither.
func TestR37_ScannerDoesNotComeRound(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	must(t, syscall.Kill(tr.PID(), syscall.SIGSTOP))
	defer syscall.Kill(tr.PID(), syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	spec := sleeper("web")
	spec.Log.Dir = filepath.Join(tr.Dir, "log")
	err := m.Register(ctx, spec)
	if !errors.Is(err, context.DeadlineExceeded) || sm.RemedyOf(err) == "" {
		t.Errorf("Register = %v", err)
	}
	must(t, syscall.Kill(tr.PID(), syscall.SIGCONT))
	must(t, m.Register(testContext(t), sleeper("witness"))) // the scanner has come round
	assertGone(t, tr, "web")
}

// Many Ensures of one name, of the same and of different content, all end, and
// those that asked for what is there in the end are not told that it failed.
func TestEnsureTogether(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	var wg sync.WaitGroup
	for range 20 {
		m := openOn(t, tr)
		wg.Go(func() {
			if _, err := sm.Ensure(ctx, m, sleeper("same")); err != nil {
				t.Errorf("Ensure of the same: %v", err)
			}
		})
	}
	wg.Wait()
	for i := range 10 {
		m := openOn(t, tr)
		wg.Go(func() {
			spec := sleeper("contested")
			spec.Env = map[string]string{"N": itoa(i % 2)}
			_, err := sm.Ensure(ctx, m, spec)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("an Ensure hung: %v", err)
			}
		})
	}
	wg.Wait()
	m := openOn(t, tr)
	if _, err := sm.Ensure(ctx, m, sleeper("contested")); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if left := leftovers(t, tr); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Supervisors that outlived their scanner are ended although another scanner
// listens now, which knows nothing of them.
func TestUnregisterAfterTheScannerWasReplaced(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.Log.Dir = filepath.Join(tr.Dir, "log")
	must(t, m.Register(testContext(t), spec))
	tr.Kill()
	tr.Run()
	must(t, m.Unregister(testContext(t), "web"))
	if left := leftovers(t, tr); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The log of a service that has never written is empty.
func TestLogsBeforeTheFirstLine(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	spec := sleeper("web")
	spec.Down, spec.Log.Dir = true, filepath.Join(tr.Dir, "log")
	must(t, m.Register(ctx, spec))
	logs, err := m.Logs(ctx, "web", sm.LogOptions{})
	must(t, err)
	defer logs.Close()
	if text, err := io.ReadAll(logs); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
}

// A dangling link is no service; it can be unregistered out of the way.
func TestDanglingLink(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	ctx := testContext(t)
	m := openOn(t, tr)
	must(t, os.Symlink("/nowhere", filepath.Join(tr.ScanDir, "web")))
	if _, err := sm.Ensure(ctx, m, sleeper("web")); err != nil {
		t.Errorf("Ensure over a dangling link: %v", err)
	}
}

// Wait does not wait for a supervisor that the scanner never starts.
func TestWaitWithoutSupervisor(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	must(t, m.Register(testContext(t), sleeper("witness"))) // the scanner has looked, and will not again
	must(t, os.MkdirAll(filepath.Join(tr.ScanDir, "never/event"), 0o700))
	if _, err := m.Wait(testContext(t), "never", sm.UntilUp); !errors.Is(err, sm.ErrNotSupervised) {
		t.Errorf("Wait = %v, want ErrNotSupervised", err)
	}
}
