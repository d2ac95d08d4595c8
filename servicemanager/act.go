package servicemanager

import "time"

// ActOption changes how Start, Stop and Restart behave. Wrappers pass the
// options they are given on as they are.
type ActOption struct{ set func(*Act) }

// Act is what a list of options comes to; backends read it, callers never need
// it.
type Act struct {
	// NoWait: return when the supervisor has accepted the request.
	NoWait bool
	// StopWithin replaces the service's own stop timeout when positive.
	StopWithin time.Duration
}

// ResolveAct applies the options in order; later ones win.
func ResolveAct(opts ...ActOption) Act {
	var a Act
	for _, o := range opts {
		if o.set != nil {
			o.set(&a)
		}
	}
	return a
}

// NoWait returns as soon as the supervisor has accepted the request, without
// waiting for the state. Where a transaction needs more than one request
// (Restart of a service whose exit would keep it down), NoWait gives up the
// later ones and says so in the backend's documentation.
func NoWait() ActOption { return ActOption{func(a *Act) { a.NoWait = true }} }

// StopWithin kills the process when it outlives d, instead of the service's
// own stop timeout. Values of zero and below are ignored.
func StopWithin(d time.Duration) ActOption {
	return ActOption{func(a *Act) {
		if d > 0 {
			a.StopWithin = d
		}
	}}
}
