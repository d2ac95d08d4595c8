package smtest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// web is a service whose command is no Program.
func web(t *testing.T) servicemanager.Spec {
	t.Helper()
	return servicemanager.Spec{Name: "web", Command: Program()[:1]}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFakeForeignCommand(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	must(t, f.Register(ctx, web(t)))
	st, err := f.Status(ctx, "web")
	must(t, err)
	if st.State != servicemanager.StateUp || !st.Ready {
		t.Errorf("the service is %s, want it up", describe(st))
	}
	must(t, f.Signal(ctx, "web", syscall.SIGKILL))
	must(t, f.Start(ctx, "web"))
	must(t, f.Stop(ctx, "web"))
	st, err = f.Status(ctx, "web")
	must(t, err)
	if st.LastExit == nil || st.LastExit.Signal != syscall.SIGTERM || st.Restarts != 1 {
		t.Errorf("the service is %s, want one restart and an end by SIGTERM", describe(st))
	}
}

func TestFakeFail(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	must(t, f.Register(ctx, web(t)))
	f.Fail("start", "web", servicemanager.ErrPermission)
	f.Fail("status", "", servicemanager.ErrNotSupervised)
	err := f.Start(ctx, "web")
	var e *servicemanager.Error
	if !errors.As(err, &e) || e.Op != "start" || e.Service != "web" || !errors.Is(err, servicemanager.ErrPermission) {
		t.Errorf("Start: %v", err)
	}
	if _, err := f.Status(ctx, "web"); !errors.Is(err, servicemanager.ErrNotSupervised) {
		t.Errorf("Status: %v", err)
	}
	f.Fail("status", "", nil)
	f.Fail("status", "web", servicemanager.ErrPermission)
	n := 0
	for st, err := range f.StatusAll(ctx) {
		n++
		if st.Name != "web" || !errors.Is(err, servicemanager.ErrPermission) {
			t.Errorf("StatusAll: %q %v", st.Name, err)
		}
	}
	if n != 1 {
		t.Errorf("StatusAll: %d services, want 1", n)
	}
	f.Fail("status", "web", nil)
	f.Fail("start", "web", nil)
	must(t, f.Start(ctx, "web"))
	if want := []string{"register web", "start web", "status web", "status", "start web"}; !slices.Equal(f.Calls(), want) {
		t.Errorf("calls %q, want %q", f.Calls(), want)
	}
}

func TestFakeCrashAndBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := NewFake(), t.Context()
		spec := web(t)
		spec.RestartMaxDelay = 3 * time.Second
		must(t, f.Register(ctx, spec))
		for _, delay := range []time.Duration{1, 2, 3, 3} {
			must(t, f.Crash("web", servicemanager.Exit{Code: 3}))
			st, err := f.Status(ctx, "web")
			must(t, err)
			if st.State != servicemanager.StateBackoff || !st.WantUp || !strings.Contains(st.Problem, (delay*time.Second).String()) {
				t.Errorf("the service is %s, want it to wait for %d s", describe(st), delay)
			}
			begun := time.Now()
			if _, err := f.Wait(ctx, "web", servicemanager.UntilUp); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took != delay*time.Second {
				t.Errorf("it came back after %v, want %d s", took, delay)
			}
		}
		<-time.After(steadyAfter)
		must(t, f.Crash("web", servicemanager.Exit{Signal: syscall.SIGSEGV}))
		begun := time.Now()
		st, err := f.Wait(ctx, "web", servicemanager.UntilUp)
		must(t, err)
		if took := time.Since(begun); took != time.Second || st.Restarts != 5 {
			t.Errorf("after %v up it came back after %v, %s; want 1 s and 5 restarts", steadyAfter, took, describe(st))
		}
		must(t, f.Stop(ctx, "web"))
		if err := f.Crash("web", servicemanager.Exit{}); err == nil {
			t.Error("a service without a process crashed")
		}
	})
}

func TestFakeStopTimeoutIsTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := NewFake(), t.Context()
		must(t, f.Register(ctx, servicemanager.Spec{Name: "web", Command: Program(Ignore(sigTerm))}))
		begun := time.Now()
		must(t, f.Stop(ctx, "web"))
		if took := time.Since(begun); took != servicemanager.DefaultStopTimeout {
			t.Errorf("stopped after %v, want %v", took, servicemanager.DefaultStopTimeout)
		}
	})
}

func TestFakeKill(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	must(t, f.Register(ctx, web(t)))
	st, err := f.Status(ctx, "web")
	must(t, err)
	must(t, f.Kill(st.PID, 0))
	must(t, f.Kill(st.PID, syscall.SIGKILL))
	if err := f.Kill(st.PID, 0); err == nil {
		t.Error("a dead process can be killed")
	}
	if err := f.Kill(1, syscall.SIGKILL); err == nil {
		t.Error("a process can be killed that is nobody's")
	}
}

func TestFakeSuspended(t *testing.T) {
	if sigStop == 0 {
		t.Skip("processes cannot be suspended here")
	}
	f, ctx := NewFake(FakeRestartDelay(time.Hour)), t.Context()
	must(t, f.Register(ctx, servicemanager.Spec{Name: "web", Command: Program(On(sigTell, 5))}))
	must(t, f.Signal(ctx, "web", sigStop))
	must(t, f.Signal(ctx, "web", sigTell))
	st, err := f.Status(ctx, "web")
	must(t, err)
	if !st.Paused || !st.Running() {
		t.Errorf("the service is %s, want it paused", describe(st))
	}
	must(t, f.Signal(ctx, "web", sigCont))
	st, err = f.Status(ctx, "web")
	must(t, err)
	if st.Paused || st.LastExit == nil || st.LastExit.Code != 5 {
		t.Errorf("the service is %s, want it ended by the signal that was held", describe(st))
	}
}

func TestFakeSupervisor(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	must(t, f.Register(ctx, web(t)))
	waiting := make(chan error, 1)
	go func() {
		_, err := f.Wait(ctx, "web", servicemanager.UntilDown)
		waiting <- err
	}()
	must(t, f.SetSupervised("web", false))
	if err := <-waiting; !errors.Is(err, servicemanager.ErrNotSupervised) {
		t.Errorf("Wait: %v", err)
	}
	st, err := f.Status(ctx, "web")
	must(t, err)
	if st.State != servicemanager.StateUnknown || st.PID != 0 || st.Problem == "" {
		t.Errorf("the service is %s, want it unknown", describe(st))
	}
	for op, err := range map[string]error{
		"start": f.Start(ctx, "web"), "stop": f.Stop(ctx, "web"), "restart": f.Restart(ctx, "web"),
		"signal": f.Signal(ctx, "web", sigTerm),
	} {
		if !errors.Is(err, servicemanager.ErrNotSupervised) {
			t.Errorf("%s: %v", op, err)
		}
	}
	must(t, f.SetSupervised("web", true))
	must(t, f.Stop(ctx, "web"))
	must(t, f.SetSupervised("web", false))
	must(t, f.Unregister(ctx, "web"))
}

func TestFakeOverride(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	must(t, f.Register(ctx, web(t)))
	must(t, f.Override("web", func(st *servicemanager.Status) {
		st.State, st.PID, st.Problem = servicemanager.StateFailed, 0, "10 deaths in 9 s"
	}))
	_, err := f.Wait(ctx, "web", servicemanager.UntilReady)
	if !errors.Is(err, servicemanager.ErrFailed) || !strings.Contains(err.Error(), "10 deaths in 9 s") || servicemanager.RemedyOf(err) == "" {
		t.Errorf("Wait: %v", err)
	}
	must(t, f.Override("web", nil))
	_, err = f.Wait(ctx, "web", servicemanager.UntilReady)
	must(t, err)
	if err := f.Override("other", nil); !errors.Is(err, servicemanager.ErrNotRegistered) {
		t.Errorf("Override of what is absent: %v", err)
	}
}

func TestFakePrint(t *testing.T) {
	for _, tc := range []struct {
		form   servicemanager.Timestamps
		prefix int
	}{
		{servicemanager.TimestampISO, len("2006-01-02 15:04:05.000000000  ")},
		{servicemanager.TimestampTAI, len("@4000000000000000") + 8 + 1},
		{servicemanager.TimestampNone, 0},
	} {
		f, ctx := NewFake(), t.Context()
		spec := web(t)
		spec.Log.Dir, spec.Log.Timestamps = t.TempDir(), tc.form
		must(t, f.Register(ctx, spec))
		must(t, f.Print("web", "one", "two"))
		r, err := f.Logs(ctx, "web", servicemanager.LogOptions{Lines: 1})
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		if len(text) != tc.prefix+len("two\n") || !strings.HasSuffix(string(text), "two\n") {
			t.Errorf("form %d: %q", tc.form, text)
		}
		must(t, r.Close())
		if _, err := r.Read(make([]byte, 1)); err == nil {
			t.Error("a closed reader reads")
		}
	}
}

func TestFakeWithoutLog(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	must(t, f.Register(ctx, web(t)))
	must(t, f.Print("web", "lost"))
	if _, err := f.Logs(ctx, "web", servicemanager.LogOptions{}); !errors.Is(err, servicemanager.ErrNotSupported) {
		t.Errorf("Logs: %v", err)
	}
}

func TestFakeSpec(t *testing.T) {
	f, ctx := NewFake(), t.Context()
	spec := web(t)
	spec.FatalExitCodes = []int{3, 1, 3}
	must(t, f.Register(ctx, spec))
	if got, ok := f.Spec("web"); !ok || !slices.Equal(got.FatalExitCodes, []int{1, 3}) {
		t.Errorf("Spec: %+v, %v", got, ok)
	}
	if _, ok := f.Spec("other"); ok {
		t.Error("there is a spec of a service that is not there")
	}
}

func TestFakeBackend(t *testing.T) {
	f, ctx := NewFake(), context.Background()
	must(t, f.Register(ctx, web(t)))
	b := FakeBackend(servicemanager.KindS6, servicemanager.FitNative, f)
	found := servicemanager.Survey(ctx, servicemanager.Options{Backends: []servicemanager.Backend{b}, ScanDir: "/run/x"})
	if len(found) != 1 || found[0].Kind != servicemanager.KindS6 || found[0].Probe.Fit != servicemanager.FitNative ||
		found[0].Probe.ScanDir != "/run/x" || found[0].Probe.Reason == "" {
		t.Errorf("Survey: %+v", found)
	}
	m, err := servicemanager.Detect(ctx, servicemanager.Options{Backends: []servicemanager.Backend{b}})
	must(t, err)
	if m.Kind() != servicemanager.KindS6 {
		t.Errorf("Kind %q", m.Kind())
	}
	must(t, m.Stop(ctx, "web"))
	must(t, m.Close())
	st, err := f.Status(ctx, "web")
	must(t, err)
	if st.State != servicemanager.StateDown {
		t.Errorf("the service is %s, want it stopped by the other manager", describe(st))
	}
	f.Fail("open", "", servicemanager.ErrPermission)
	if _, err := servicemanager.Detect(ctx, servicemanager.Options{Backends: []servicemanager.Backend{b}}); !errors.Is(err, servicemanager.ErrPermission) {
		t.Errorf("Detect: %v", err)
	}
}

// Two who remove one service: one has done it, the other finds it gone.
func TestFakeRemovedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := NewFake(), t.Context()
		must(t, f.Register(ctx, servicemanager.Spec{Name: "web", Command: Program(Ignore(sigTerm))}))
		results := make(chan error, 2)
		for range cap(results) {
			go func() { results <- f.Unregister(ctx, "web") }()
		}
		synctest.Wait()
		must(t, f.Start(ctx, "web", servicemanager.NoWait())) // in vain
		first, second := <-results, <-results
		if first != nil {
			first, second = second, first
		}
		if first != nil || !errors.Is(second, servicemanager.ErrNotRegistered) {
			t.Errorf("%v and %v, want success and ErrNotRegistered", first, second)
		}
	})
}
