package servicemanager

import (
	"slices"
	"sync"
)

var registry struct {
	mu       sync.Mutex // guards backends
	backends []Backend
}

// RegisterBackend adds a backend to those that Detect, Survey and Lookup use
// when Options names none. The in-tree backends are registered by importing
// backends/all. It panics on nil and on a kind that is registered already:
// both are mistakes of the program, not of its environment.
func RegisterBackend(b Backend) {
	if b == nil {
		panic("servicemanager: RegisterBackend of nil")
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	for _, have := range registry.backends {
		if have.Kind() == b.Kind() {
			panic("servicemanager: backend " + string(b.Kind()) + " registered twice")
		}
	}
	registry.backends = append(registry.backends, b)
}

// Lookup returns the registered backend of a kind.
func Lookup(kind Kind) (Backend, bool) {
	for _, b := range registered() {
		if b.Kind() == kind {
			return b, true
		}
	}
	return nil, false
}

func registered() []Backend {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return slices.Clone(registry.backends)
}
