package servicemanager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// registered backends belong to the process: a test gives back what it found.
func emptyRegistry(t *testing.T) {
	t.Helper()
	swap := func(to []Backend) []Backend {
		registry.mu.Lock()
		defer registry.mu.Unlock()
		was := registry.backends
		registry.backends = to
		return was
	}
	was := swap(nil)
	t.Cleanup(func() { swap(was) })
}

type kindOnly struct {
	Backend
	kind Kind
}

func (k kindOnly) Kind() Kind { return k.kind }

func (k kindOnly) Probe(context.Context, Options) Probe { return Probe{Fit: FitNative, Reason: "test"} }

func (k kindOnly) Open(context.Context, Options) (ServiceManager, error) {
	return nil, &Error{Op: "open", Kind: k.kind, Err: ErrNotSupervised}
}

func TestRegistry(t *testing.T) {
	emptyRegistry(t)
	if b, ok := Lookup("a"); ok || b != nil {
		t.Errorf("Lookup in an empty registry: %v", b)
	}
	RegisterBackend(kindOnly{kind: "a"})
	RegisterBackend(kindOnly{kind: "b"})
	for _, kind := range []Kind{"a", "b"} {
		if b, ok := Lookup(kind); !ok || b.Kind() != kind {
			t.Errorf("Lookup(%s) = %v, %v", kind, b, ok)
		}
	}
	if _, ok := Lookup("c"); ok {
		t.Error("Lookup finds what was not registered")
	}
	if found := Survey(t.Context(), Options{}); len(found) != 2 || found[0].Kind != "a" || found[1].Kind != "b" {
		t.Errorf("Survey: %+v", found)
	}
	if found := Survey(t.Context(), Options{Backends: []Backend{}}); len(found) != 0 {
		t.Errorf("Survey of an empty list looks into the registry: %+v", found)
	}
	_, err := Detect(t.Context(), Options{})
	var e *Error
	if !errors.As(err, &e) || e.Kind != "a" {
		t.Errorf("Detect: %v, want it to open a", err)
	}
}

func TestRegisterBackendPanics(t *testing.T) {
	emptyRegistry(t)
	RegisterBackend(kindOnly{kind: "a"})
	for _, tc := range []struct {
		name string
		b    Backend
		text string
	}{
		{"nil", nil, "nil"},
		{"twice", kindOnly{kind: "a"}, "a registered twice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, tc.text) {
					t.Errorf("panic says %q, want %q in it", said, tc.text)
				}
			}()
			RegisterBackend(tc.b)
		})
	}
	if len(registered()) != 1 {
		t.Errorf("registered are %v", registered())
	}
	RegisterBackend(kindOnly{kind: "b"}) // the lock was given back
}

func TestRegistryFromManyGoroutines(t *testing.T) {
	emptyRegistry(t)
	var work sync.WaitGroup
	for i := range 16 {
		work.Go(func() {
			kind := Kind(fmt.Sprint("k", i))
			RegisterBackend(kindOnly{kind: kind})
			if _, ok := Lookup(kind); !ok {
				t.Errorf("%s is not found", kind)
			}
		})
	}
	work.Wait()
	if n := len(registered()); n != 16 {
		t.Errorf("%d backends, want 16", n)
	}
}
