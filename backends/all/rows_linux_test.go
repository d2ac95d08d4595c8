package all_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/all"
	"github.com/hermes-gateway/hermes-gateway/backends/foreground"
	"github.com/hermes-gateway/hermes-gateway/backends/launchd"
	"github.com/hermes-gateway/hermes-gateway/backends/s6"
	"github.com/hermes-gateway/hermes-gateway/backends/systemd"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// machine makes the files that detection looks at.
func machine(t *testing.T, comm string, dirs ...string) []sm.Backend {
	t.Helper()
	root := t.TempDir()
	for _, d := range append(dirs, "proc/1") {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "proc/1/comm"), []byte(comm+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return []sm.Backend{foreground.Backend(), launchd.Backend(), systemd.Backend(systemd.WithRoot(root)), s6.Backend(s6.WithRoot(root))}
}

// R1: one interface, and whatever a manager cannot do is known before it is
// asked.
func TestR1_OneInterface(t *testing.T) {
	tr := s6test.Start(t)
	m, err := sm.Detect(t.Context(), sm.Options{Kind: sm.KindS6, ScanDir: tr.ScanDir, Backends: all.Backends()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, c := range sm.Capabilities() {
		if want := c != sm.CapInstall; m.Supports(c) != want {
			t.Errorf("s6 supports %v: %v, want %v", c, m.Supports(c), want)
		}
	}
}

// R2, R3: the managers of hosts have no registration at run time, say so when
// asked, and refuse all three of its methods.
func TestR2R3_HostsHaveNoRegistration(t *testing.T) {
	for _, kind := range []sm.Kind{sm.KindSystemd, sm.KindLaunchd, sm.KindForeground} {
		r := sm.NoRegistrar{Manager: kind}
		_, lerr := r.List(t.Context())
		for op, err := range map[string]error{
			"register": r.Register(t.Context(), sm.Spec{Name: "web"}), "unregister": r.Unregister(t.Context(), "web"), "list": lerr,
		} {
			var e *sm.Error
			if !errors.Is(err, sm.ErrNotSupported) || !errors.Is(err, errors.ErrUnsupported) || !errors.As(err, &e) || e.Op != op || e.Kind != kind || sm.RemedyOf(err) == "" {
				t.Errorf("%s %s: %v", kind, op, err)
			}
		}
	}
	// Until their managers come, opening one says that, and what to use.
	for _, b := range []sm.Backend{systemd.Backend(), launchd.Backend(), foreground.Backend()} {
		if _, err := b.Open(t.Context(), sm.Options{}); !errors.Is(err, sm.ErrNotSupported) || sm.RemedyOf(err) == "" {
			t.Errorf("Open of %s: %v", b.Kind(), err)
		}
	}
}

// R4: four kinds, each probe with its evidence, and no probe that panics ends
// detection.
func TestR4_KindsAndEvidence(t *testing.T) {
	found := sm.Survey(t.Context(), sm.Options{Backends: append(all.Backends(), panicking{})})
	var kinds []string
	for _, f := range found {
		kinds = append(kinds, string(f.Kind))
		if f.Probe.Reason == "" || strings.Contains(f.Probe.Reason, "\n") {
			t.Errorf("%s gives the reason %q", f.Kind, f.Probe.Reason)
		}
		if len(f.Probe.Evidence) == 0 && f.Kind != sm.KindForeground && f.Kind != "panicking" {
			t.Errorf("%s shows no evidence", f.Kind)
		}
	}
	slices.Sort(kinds)
	if want := []string{"foreground", "launchd", "panicking", "s6", "systemd"}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}

type panicking struct{}

func (panicking) Kind() sm.Kind                              { return "panicking" }
func (panicking) Probe(context.Context, sm.Options) sm.Probe { panic("boom") }
func (panicking) Open(context.Context, sm.Options) (sm.ServiceManager, error) {
	panic("never opened")
}

// R7, R8: the evidence of a supervisor decides, never a container's marker.
func TestR7R8_EvidenceDecides(t *testing.T) {
	for _, tc := range []struct {
		name string
		on   []sm.Backend
		want sm.Kind
	}{
		{"systemd as process 1 in a container", machine(t, "systemd", "run/systemd/system", ".dockerenv"), sm.KindSystemd},
		{"s6 in a container without any marker", machine(t, "s6-svscan", "run/s6/basedir", "run/service"), sm.KindS6},
		{"a container without a supervisor", machine(t, "sh", ".dockerenv"), sm.KindForeground},
		{"systemd installed but not booted", machine(t, "sh", "usr/lib/systemd"), sm.KindForeground},
	} {
		if best := sm.Survey(t.Context(), sm.Options{Backends: tc.on})[0]; best.Kind != tc.want {
			t.Errorf("%s: %s (%s), want %s", tc.name, best.Kind, best.Probe.Reason, tc.want)
		}
	}
}

// R10: a tree below any other process 1 is found by its scan directory. This
// machine's process 1 is none of ours.
func TestR10_TreeBelowAnotherProcess1(t *testing.T) {
	tr := s6test.Start(t)
	best := sm.Survey(t.Context(), sm.Options{ScanDir: tr.ScanDir, Backends: all.Backends()})[0]
	if best.Kind != sm.KindS6 || best.Probe.Fit != sm.FitNative || best.Probe.ScanDir != tr.ScanDir {
		t.Errorf("%+v", best)
	}
}
