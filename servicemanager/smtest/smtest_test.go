package smtest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

func fakeSubject(f *Fake) Subject {
	return Subject{
		Manager: f,
		Reopen:  func(*testing.T) servicemanager.ServiceManager { return f.Reopen() },
		Kill:    f.Kill,
		Fake:    true,
	}
}

func TestConformanceOfFake(t *testing.T) {
	quick := FakeRestartDelay(20 * time.Millisecond)
	for _, tc := range []struct {
		name string
		opts []FakeOption
	}{
		{"registrar", []FakeOption{quick}},
		{"installer", []FakeOption{quick, FakeInstaller(), FakeKind(servicemanager.KindSystemd)}},
		{"without events", []FakeOption{quick, FakeWithout(servicemanager.CapWatch)}},
		{"core only", []FakeOption{quick, FakeWithout(servicemanager.CapWait, servicemanager.CapWatch,
			servicemanager.CapLogs, servicemanager.CapSignal, servicemanager.CapSurvey)}},
		{"read only", []FakeOption{FakeWithout(servicemanager.CapRegister)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			Run(t, func(*testing.T) Subject { return fakeSubject(NewFake(tc.opts...)) })
		})
	}
}

// The services of all rules may also live together, as on a machine's manager.
func TestConformanceOfSharedFake(t *testing.T) {
	f := NewFake(FakeRestartDelay(20 * time.Millisecond))
	Run(t, func(*testing.T) Subject { return fakeSubject(f.Reopen()) })
	names, err := f.List(context.Background())
	if err != nil || len(names) > 0 {
		t.Errorf("the suite has left %q, %v", names, err)
	}
}

// A manager that serves one caller and refuses what is optional.
func TestConformanceOfModestFake(t *testing.T) {
	refuses := []string{"After", "Boot", "RestartDelay", "RestartMaxDelay", "EnvFile", "ReadyFD", "Ready", "Log.Tee", "FatalExitCodes"}
	Run(t, func(*testing.T) Subject {
		f := NewFake(FakeRestartDelay(20 * time.Millisecond))
		m := &altered{Fake: f}
		m.register = func(ctx context.Context, spec servicemanager.Spec) error {
			for _, field := range refuses {
				if uses(spec, field) {
					return &servicemanager.Error{Op: "register", Service: spec.Name, Kind: f.Kind(),
						Err: &servicemanager.SpecError{Field: field, Reason: "is too much"}}
				}
			}
			return f.Register(ctx, spec)
		}
		return Subject{Manager: m, Kill: f.Kill, Fake: true, Refuses: refuses}
	})
}

func uses(spec servicemanager.Spec, field string) bool {
	return map[string]bool{
		"After":           len(spec.After) > 0,
		"Boot":            spec.Boot != servicemanager.BootAuto,
		"RestartDelay":    spec.RestartDelay != 0,
		"RestartMaxDelay": spec.RestartMaxDelay != 0,
		"EnvFile":         spec.EnvFile != "",
		"ReadyFD":         spec.ReadyFD > 3, // 3 is used by an invalid spec only
		"Ready":           spec.Ready != servicemanager.ReadyNone && spec.ReadyFD == 0,
		"Log.Tee":         spec.Log.Tee,
		"FatalExitCodes":  len(spec.FatalExitCodes) > 0 && spec.FatalExitCodes[0] != 0,
	}[field]
}
