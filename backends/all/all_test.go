package all_test

import (
	"slices"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/all"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func kinds() []servicemanager.Kind {
	return []servicemanager.Kind{
		servicemanager.KindS6, servicemanager.KindSystemd, servicemanager.KindLaunchd, servicemanager.KindForeground,
	}
}

func TestBackends(t *testing.T) {
	var got []servicemanager.Kind
	for _, b := range all.Backends() {
		got = append(got, b.Kind())
	}
	if !slices.Equal(got, kinds()) {
		t.Errorf("backends %v, want %v", got, kinds())
	}
	all.Backends()[0] = nil
	if all.Backends()[0] == nil {
		t.Error("two callers share one slice")
	}
}

func TestRegistered(t *testing.T) {
	for _, kind := range kinds() {
		if b, ok := servicemanager.Lookup(kind); !ok || b.Kind() != kind {
			t.Errorf("Lookup(%q): %v, %v", kind, b, ok)
		}
	}
}

// Every probe answers on any machine, and the fallback is always there.
func TestSurvey(t *testing.T) {
	found := servicemanager.Survey(t.Context(), servicemanager.Options{})
	if len(found) != len(kinds()) {
		t.Fatalf("%d findings, want %d", len(found), len(kinds()))
	}
	for _, f := range found {
		t.Logf("%s: %+v", f.Kind, f.Probe)
		if f.Probe.Reason == "" || f.Probe.Detail == "" {
			t.Errorf("%s: probe %+v lacks reason or detail", f.Kind, f.Probe)
		}
		if f.Kind == servicemanager.KindForeground && f.Probe.Fit != servicemanager.FitFallback {
			t.Errorf("foreground fits %v, want fallback", f.Probe.Fit)
		}
	}
}
