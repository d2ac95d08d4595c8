package servicemanager_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

// stub is a backend whose answers are its fields; it remembers what it was
// asked.
type stub struct {
	kind    servicemanager.Kind
	probe   servicemanager.Probe
	panics  any
	openErr error
	probed  []servicemanager.Options
	opened  []servicemanager.Options
}

func (b *stub) Kind() servicemanager.Kind { return b.kind }

func (b *stub) Probe(_ context.Context, opts servicemanager.Options) servicemanager.Probe {
	b.probed = append(b.probed, opts)
	if b.panics != nil {
		panic(b.panics)
	}
	return b.probe
}

func (b *stub) Open(_ context.Context, opts servicemanager.Options) (servicemanager.ServiceManager, error) {
	b.opened = append(b.opened, opts)
	if b.openErr != nil {
		return nil, b.openErr
	}
	return smtest.NewFake(smtest.FakeKind(b.kind)), nil
}

func fits(kind servicemanager.Kind, fit servicemanager.Fit) *stub {
	return &stub{kind: kind, probe: servicemanager.Probe{Fit: fit, Reason: string(kind) + " is " + fit.String()}}
}

func options(backends ...*stub) servicemanager.Options {
	opts := servicemanager.Options{Backends: []servicemanager.Backend{}}
	for _, b := range backends {
		opts.Backends = append(opts.Backends, b)
	}
	return opts
}

func TestSurveyOrder(t *testing.T) {
	found := servicemanager.Survey(t.Context(), options(
		fits("a", servicemanager.FitNone), fits("b", servicemanager.FitPossible), fits("c", servicemanager.FitNative),
		fits("d", servicemanager.FitFallback), fits("e", servicemanager.FitNative), fits("f", servicemanager.FitPossible),
		&stub{kind: "g", panics: "boom"}, &stub{kind: "h"},
	))
	var order []string
	for _, f := range found {
		order = append(order, string(f.Kind))
		if f.Backend == nil || f.Backend.Kind() != f.Kind {
			t.Errorf("finding %s has backend %v", f.Kind, f.Backend)
		}
		if f.Probe.Reason == "" {
			t.Errorf("finding %s has no reason", f.Kind)
		}
	}
	if want := []string{"c", "e", "b", "f", "d", "a", "g", "h"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	if last := found[6].Probe; last.Fit != servicemanager.FitNone || !strings.Contains(last.Reason, "panicked: boom") {
		t.Errorf("the probe that panics: %+v", last)
	}
}

func TestSurveyOfOneKind(t *testing.T) {
	a, b := fits("a", servicemanager.FitNative), fits("b", servicemanager.FitNone)
	opts := options(a, b)
	opts.Kind = "b"
	found := servicemanager.Survey(t.Context(), opts)
	if len(found) != 1 || found[0].Kind != "b" || len(a.probed) != 0 {
		t.Errorf("found %+v; the other was probed %d times", found, len(a.probed))
	}
}

func TestSurveyWithoutTime(t *testing.T) {
	a := fits("a", servicemanager.FitNative)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	found := servicemanager.Survey(ctx, options(a))
	if len(found) != 1 || found[0].Probe.Fit != servicemanager.FitNone || found[0].Probe.Reason != "not probed: context canceled" || len(a.probed) != 0 {
		t.Errorf("found %+v, probed %d times", found, len(a.probed))
	}
	if _, err := servicemanager.Detect(ctx, options(a)); !errors.Is(err, context.Canceled) {
		t.Errorf("Detect: %v, want context.Canceled", err)
	}
}

func TestDetectChooses(t *testing.T) {
	for _, tc := range []struct {
		name     string
		backends []*stub
		kind     servicemanager.Kind
		env      map[string]string
		want     servicemanager.Kind
	}{
		{"the only one", []*stub{fits("a", servicemanager.FitFallback)}, "", nil, "a"},
		{"the best", []*stub{fits("a", servicemanager.FitFallback), fits("b", servicemanager.FitNative)}, "", nil, "b"},
		{"the first of equals", []*stub{fits("a", servicemanager.FitPossible), fits("b", servicemanager.FitPossible)}, "", nil, "a"},
		{"not one that panics", []*stub{{kind: "a", panics: "boom"}, fits("b", servicemanager.FitFallback)}, "", nil, "b"},
		{"the kind asked for", []*stub{fits("a", servicemanager.FitNative), fits("b", servicemanager.FitPossible)}, "b", nil, "b"},
		{"the kind asked for that does not fit", []*stub{fits("a", servicemanager.FitNative), fits("b", servicemanager.FitNone)}, "b", nil, "b"},
		{"auto", []*stub{fits("a", servicemanager.FitPossible), fits("b", servicemanager.FitNative)}, "auto", nil, "b"},
		{"the kind of the environment", []*stub{fits("a", servicemanager.FitNative), fits("b", servicemanager.FitNone)}, "",
			map[string]string{"SERVICE_MANAGER": "b"}, "b"},
		{"the option before the environment", []*stub{fits("a", servicemanager.FitNone), fits("b", servicemanager.FitNative)}, "a",
			map[string]string{"SERVICE_MANAGER": "b"}, "a"},
		{"auto before the environment", []*stub{fits("a", servicemanager.FitNative), fits("b", servicemanager.FitNone)}, "auto",
			map[string]string{"SERVICE_MANAGER": "b"}, "a"},
		{"auto in the environment", []*stub{fits("a", servicemanager.FitNative), fits("b", servicemanager.FitNone)}, "",
			map[string]string{"SERVICE_MANAGER": "auto"}, "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			opts := options(tc.backends...)
			opts.Kind = tc.kind
			if tc.env != nil {
				opts.Getenv = func(key string) string { return tc.env[key] }
			}
			m, err := servicemanager.Detect(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			if m.Kind() != tc.want {
				t.Errorf("chose %s, want %s", m.Kind(), tc.want)
			}
		})
	}
}

// The environment counts only for those who pass it.
func TestDetectReadsNoEnvironment(t *testing.T) {
	t.Setenv("SERVICE_MANAGER", "b")
	t.Setenv("SERVICE_SCANDIR", "/env")
	a := fits("a", servicemanager.FitNative)
	m, err := servicemanager.Detect(t.Context(), options(a, fits("b", servicemanager.FitNative)))
	if err != nil || m.Kind() != "a" || a.opened[0].ScanDir != "" {
		t.Errorf("chose %v, %v with %+v", m, err, a.opened)
	}
}

func TestDetectPassesOptionsOn(t *testing.T) {
	for _, tc := range []struct {
		name, given, env, want string
	}{
		{"neither", "", "", ""},
		{"given", "/given", "", "/given"},
		{"environment", "", "/env", "/env"},
		{"given before environment", "/given", "/env", "/given"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := fits("a", servicemanager.FitNative)
			opts := options(a)
			opts.Scope, opts.ScanDir = servicemanager.ScopeSystem, tc.given
			opts.Getenv = func(key string) string {
				if key == "SERVICE_SCANDIR" {
					return tc.env
				}
				return ""
			}
			if _, err := servicemanager.Detect(t.Context(), opts); err != nil {
				t.Fatal(err)
			}
			for _, seen := range [][]servicemanager.Options{a.probed, a.opened} {
				if len(seen) != 1 || seen[0].ScanDir != tc.want || seen[0].Scope != servicemanager.ScopeSystem {
					t.Errorf("the backend was asked with %+v, want scan directory %q", seen, tc.want)
				}
			}
		})
	}
}

func TestDetectFails(t *testing.T) {
	denied := &servicemanager.Error{Op: "open", Kind: "a", Err: servicemanager.ErrPermission}
	for _, tc := range []struct {
		name  string
		opts  servicemanager.Options
		is    error
		texts []string
	}{
		{"without backends", servicemanager.Options{}, servicemanager.ErrNoBackend, []string{"backends/all", "Options.Backends"}},
		{"with an empty list", options(), servicemanager.ErrNoBackend, []string{"backends/all"}},
		{"with none that fits", options(fits("a", servicemanager.FitNone), &stub{kind: "b", panics: "boom"}), servicemanager.ErrNoBackend,
			[]string{"a: a is none", "b: the probe panicked: boom"}},
		{"with an unknown kind", servicemanager.Options{Kind: "z", Backends: options(fits("a", servicemanager.FitNative), fits("b", servicemanager.FitNone)).Backends},
			servicemanager.ErrNoBackend, []string{`"z"`, "use one of a, b"}},
		{"when opening fails", options(&stub{kind: "a", probe: servicemanager.Probe{Fit: servicemanager.FitNative}, openErr: denied}, fits("b", servicemanager.FitFallback)),
			servicemanager.ErrPermission, []string{"a: open"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := servicemanager.Detect(t.Context(), tc.opts)
			if m != nil || !errors.Is(err, tc.is) {
				t.Fatalf("Detect: %v, %v; want %v", m, err, tc.is)
			}
			for _, text := range tc.texts {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q has more than one line", err)
			}
		})
	}
}
