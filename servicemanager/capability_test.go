package servicemanager_test

import (
	"fmt"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

// plainManager has the core only.
type plainManager struct{ servicemanager.ServiceManager }

// tracing hides what it wraps, but for Unwrap.
type tracing struct {
	servicemanager.ServiceManager
	inner servicemanager.ServiceManager
}

func (t tracing) Unwrap() servicemanager.ServiceManager { return t.inner }

func wrapped(m servicemanager.ServiceManager) tracing { return tracing{m, m} }

// waiting is a wrapper with a Waiter of its own.
type waiting struct {
	tracing
	servicemanager.Waiter
}

func TestAs(t *testing.T) {
	fake := smtest.NewFake()
	own := waiting{wrapped(fake), smtest.NewFake()}
	for _, tc := range []struct {
		name string
		m    servicemanager.ServiceManager
		want servicemanager.Waiter // nil where none is found
	}{
		{"nil", nil, nil},
		{"none", plainManager{fake}, nil},
		{"itself", fake, fake},
		{"through one wrapper", wrapped(fake), fake},
		{"through three wrappers", wrapped(wrapped(wrapped(fake))), fake},
		{"the first layer wins", own, own},
		{"the first layer wins below a wrapper", wrapped(own), own},
		{"none behind wrappers", wrapped(wrapped(plainManager{fake})), nil},
		{"a wrapper around nothing", tracing{fake, nil}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := servicemanager.As[servicemanager.Waiter](tc.m)
			if ok != (tc.want != nil) || got != tc.want {
				t.Errorf("found %T %v, want %T", got, ok, tc.want)
			}
		})
	}
}

// A nil *fake in an interface is found all the same: As looks at types.
func TestAsFindsByType(t *testing.T) {
	if _, ok := servicemanager.As[servicemanager.Installer](smtest.NewFake()); !ok {
		t.Error("the type has Install, so As must find it whatever Supports says")
	}
}

func TestWords(t *testing.T) {
	for _, list := range []struct {
		name  string
		known []fmt.Stringer
		words []string
		other fmt.Stringer
		word  string
	}{
		{"states", stringers(servicemanager.States()),
			[]string{"unknown", "down", "starting", "up", "stopping", "finishing", "backoff", "failed"},
			servicemanager.State(99), "unknown"},
		{"capabilities", stringers(servicemanager.Capabilities()),
			[]string{"register", "install", "wait", "watch", "logs", "signal", "survey"},
			servicemanager.Capability(0), "unknown capability"},
		{"conditions", []fmt.Stringer{servicemanager.UntilUp, servicemanager.UntilReady, servicemanager.UntilDown, servicemanager.UntilFinished},
			[]string{"up", "ready", "down", "finished"},
			servicemanager.Condition(0), "unknown condition"},
		{"policies", []fmt.Stringer{servicemanager.RestartAlways, servicemanager.RestartOnFailure, servicemanager.RestartNever},
			[]string{"always", "on-failure", "never"},
			servicemanager.RestartPolicy(-1), "unknown policy"},
		{"scopes", []fmt.Stringer{servicemanager.ScopeUser, servicemanager.ScopeSystem},
			[]string{"user", "system"},
			servicemanager.Scope(9), "user"},
		{"fits", []fmt.Stringer{servicemanager.FitNone, servicemanager.FitFallback, servicemanager.FitPossible, servicemanager.FitNative},
			[]string{"none", "fallback", "possible", "native"},
			servicemanager.Fit(-1), "none"},
		{"changes", []fmt.Stringer{servicemanager.ChangeNone, servicemanager.ChangeCreated, servicemanager.ChangeUpdated, servicemanager.ChangeRestartNeeded},
			[]string{"none", "created", "updated", "restart-needed"},
			servicemanager.Change(9), "none"},
	} {
		t.Run(list.name, func(t *testing.T) {
			if len(list.known) != len(list.words) {
				t.Fatalf("%d values, %d words", len(list.known), len(list.words))
			}
			for i, v := range list.known {
				if v.String() != list.words[i] {
					t.Errorf("%d is %q, want %q", i, v, list.words[i])
				}
			}
			if list.other.String() != list.word {
				t.Errorf("an unknown value is %q, want %q", list.other, list.word)
			}
		})
	}
}

func stringers[T fmt.Stringer](values []T) []fmt.Stringer {
	var all []fmt.Stringer
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

func TestStatesAreInOrder(t *testing.T) {
	for i, s := range servicemanager.States() {
		if int(s) != i {
			t.Errorf("state %v is number %d, want %d", s, s, i)
		}
	}
}
