package servicemanager

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Scope is whose services are meant on a host: the user's or the machine's.
type Scope int

// The scopes.
const (
	ScopeUser   Scope = iota // the caller's own services
	ScopeSystem              // the machine's
)

// String returns "user" or "system".
func (s Scope) String() string {
	if s == ScopeSystem {
		return "system"
	}
	return "user"
}

// Options guide detection. The zero value asks for the best manager, of the
// user's scope, among the registered backends, with no overrides.
type Options struct {
	// Scope is used by managers that have two.
	Scope Scope
	// Kind asks for one kind of manager; "" means the best.
	Kind Kind
	// ScanDir is the scan directory for kinds that have one; "" means the
	// conventional places.
	ScanDir string
	// Backends are the candidates; nil means those of RegisterBackend.
	Backends []Backend
	// Getenv gives overrides: SERVICE_MANAGER for Kind, SERVICE_SCANDIR for
	// ScanDir, where those are empty. nil means none; pass os.Getenv to
	// honour the environment.
	Getenv func(string) string
}

// Fit says how well a manager fits the machine.
type Fit int

// The fits, from worst to best.
const (
	FitNone     Fit = iota // it does not run here
	FitFallback            // works anywhere, supervises nothing by itself
	FitPossible            // usable, but not what supervises this machine
	FitNative              // it supervises this machine or was asked for
)

// String returns "none", "fallback", "possible" or "native".
func (f Fit) String() string {
	switch f {
	case FitFallback:
		return "fallback"
	case FitPossible:
		return "possible"
	case FitNative:
		return "native"
	default:
		return "none"
	}
}

// Evidence is one thing a probe looked at.
type Evidence struct {
	Name  string // "/proc/1/comm"
	Value string // what was seen: "s6-svscan", "permission denied"
	OK    bool   // whether it speaks for this manager
}

// Probe is what a backend found out about the machine.
type Probe struct {
	Fit      Fit
	Reason   string     // one line, always set
	Evidence []Evidence // all that was looked at, in order
	Detail   string     // the manager for people: "s6 (container supervisor)"
	ScanDir  string     // the scan directory Open would use, if any
}

// Backend makes managers of one kind.
type Backend interface {
	Kind() Kind
	// Probe looks, cheaply and without side effects, whether the manager
	// runs here.
	Probe(ctx context.Context, opts Options) Probe
	// Open connects to it. The error says what is missing and what to do.
	Open(ctx context.Context, opts Options) (ServiceManager, error)
}

// Finding is one backend with what its probe found.
type Finding struct {
	Kind    Kind
	Probe   Probe
	Backend Backend
}

// Survey probes every candidate and returns the findings, best fit first;
// among equals the order of the candidates stays. It never fails: a probe that
// panics counts as FitNone with the panic as its reason. With Options.Kind
// only that kind is probed.
func Survey(ctx context.Context, opts Options) []Finding {
	return survey(ctx, opts.resolve())
}

func survey(ctx context.Context, opts Options) []Finding {
	var found []Finding
	for _, b := range opts.candidates() {
		if opts.Kind == "" || b.Kind() == opts.Kind {
			found = append(found, Finding{Kind: b.Kind(), Probe: probe(ctx, b, opts), Backend: b})
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return int(b.Probe.Fit - a.Probe.Fit) })
	return found
}

// Detect opens the manager that fits best, or the one Options.Kind names even
// where its probe sees nothing.
//
// Errors: ErrNoBackend, *Error from the backend's Open, the context's error.
func Detect(ctx context.Context, opts Options) (ServiceManager, error) {
	opts = opts.resolve()
	if len(opts.candidates()) == 0 {
		return nil, WithRemedy(ErrNoBackend, "no backend is registered: import _ \"github.com/hermes-gateway/hermes-gateway/backends/all\" or set Options.Backends")
	}
	found := survey(ctx, opts)
	if len(found) == 0 {
		return nil, WithRemedy(fmt.Errorf("%w: there is no manager of kind %q", ErrNoBackend, opts.Kind),
			"use one of "+strings.Join(kinds(opts.candidates()), ", "))
	}
	if best := found[0]; best.Probe.Fit > FitNone || opts.Kind != "" {
		return best.Backend.Open(ctx, opts)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look for a service manager: %w", err)
	}
	var reasons []string
	for _, f := range found {
		reasons = append(reasons, string(f.Kind)+": "+f.Probe.Reason)
	}
	return nil, fmt.Errorf("%w (%s)", ErrNoBackend, strings.Join(reasons, "; "))
}

func (o Options) resolve() Options {
	if o.Getenv != nil {
		if o.Kind == "" {
			o.Kind = Kind(o.Getenv("SERVICE_MANAGER"))
		}
		if o.ScanDir == "" {
			o.ScanDir = o.Getenv("SERVICE_SCANDIR")
		}
	}
	if o.Kind == "auto" {
		o.Kind = ""
	}
	return o
}

func (o Options) candidates() []Backend {
	if o.Backends != nil {
		return o.Backends
	}
	return registered()
}

func kinds(backends []Backend) []string {
	var ks []string
	for _, b := range backends {
		ks = append(ks, string(b.Kind()))
	}
	return ks
}

func probe(ctx context.Context, b Backend, opts Options) (p Probe) {
	defer func() {
		if r := recover(); r != nil {
			p = Probe{Fit: FitNone, Reason: fmt.Sprintf("the probe panicked: %v", r)}
		}
	}()
	if err := ctx.Err(); err != nil {
		return Probe{Fit: FitNone, Reason: "not probed: " + err.Error()}
	}
	p = b.Probe(ctx, opts)
	if p.Reason == "" {
		p.Reason = "the probe gave no reason"
	}
	return p
}
