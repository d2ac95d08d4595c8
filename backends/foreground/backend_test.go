package foreground_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/foreground"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestProbe(t *testing.T) {
	b := foreground.Backend()
	for _, opts := range []servicemanager.Options{
		{}, {Scope: servicemanager.ScopeSystem}, {Kind: servicemanager.KindForeground}, {ScanDir: t.TempDir()},
	} {
		p := b.Probe(t.Context(), opts)
		if p.Fit != servicemanager.FitFallback || p.Detail != "foreground (no supervisor)" || p.ScanDir != "" {
			t.Errorf("%+v: probe %+v, want the fallback", opts, p)
		}
		if p.Reason == "" || strings.Contains(p.Reason, "\n") {
			t.Errorf("%+v: reason %q is not one line", opts, p.Reason)
		}
	}
}

func TestOpen(t *testing.T) {
	m, err := foreground.Backend().Open(t.Context(), servicemanager.Options{})
	var e *servicemanager.Error
	if m != nil || !errors.As(err, &e) || e.Kind != servicemanager.KindForeground || e.Op != "open" {
		t.Fatalf("Open: %v, %v; want a *servicemanager.Error of this kind", m, err)
	}
	if !errors.Is(err, servicemanager.ErrNotSupported) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Open: %v is not ErrNotSupported", err)
	}
	if servicemanager.RemedyOf(err) == "" {
		t.Errorf("Open: %v has no remedy", err)
	}
}
