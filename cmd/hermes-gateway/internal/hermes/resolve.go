package hermes

import (
	"slices"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// World is what a typed name is resolved against.
type World struct {
	Kind servicemanager.Kind
	Home Home
	// Known are the names of the services the manager reports.
	Known []string
	// Unsure: Known may lack some, because the manager could not be read. A
	// name that nothing else is known of then stands for the service of
	// exactly that name, and the manager has the last word.
	Unsure bool
	// Exact: names are the manager's own.
	Exact bool
}

// Target is what a typed name means.
type Target struct {
	Typed   string
	Service ServiceName
	Profile ProfileName // zero where it is no profile's service
	Known   bool        // the manager reports the service
	Real    bool        // the profile exists in the home
	// Verbatim: the profile's name would not mean this service here.
	Verbatim bool
	// Shared: the service's own name is a profile's as well, whose service
	// exists.
	Shared bool
}

// String returns the name a person uses: the profile's, else the service's.
func (t Target) String() string {
	if !t.Profile.IsZero() && !t.Verbatim {
		return t.Profile.s
	}
	return t.Service.s
}

// NeedsExact says whether a service's own name would be refused as ambiguous:
// it is also that of a profile which exists, or whose service does.
func (t Target) NeedsExact(home Home) bool {
	if !t.Profile.IsZero() {
		return false
	}
	p, err := ParseProfileName(t.Service.s, MaxLongProfileLen)
	return t.Shared || err == nil && home.Real(p)
}

// Resolve finds out what a typed name means: a profile, if that profile or its
// service exists, else the service of exactly that name. If both exist it
// refuses to guess.
//
// Errors: *AmbiguousError; *UnknownError, which is
// servicemanager.ErrNotRegistered; *servicemanager.SpecError for what can name
// neither.
func (w World) Resolve(typed string) (Target, error) {
	if w.Exact {
		return w.exact(typed)
	}
	service := Target{Typed: typed, Service: Reported(typed), Known: w.knows(typed)}
	service.Profile = ProfileOf(w.Kind, service.Service)
	service.Verbatim = w.knows(service.Profile.s)
	profile, isProfile := w.profile(typed)
	switch {
	case isProfile && service.Known:
		return Target{}, &AmbiguousError{Profile: profile, Service: service}
	case isProfile:
		return profile, nil
	case service.Known:
		service.Real = w.Home.Real(service.Profile)
		return service, nil
	}
	return w.unknown(service)
}

// profile reads typed as a profile's name. Only under s6 a profile's service
// can be told by its name.
func (w World) profile(typed string) (Target, bool) {
	p, err := ParseProfileName(typed, MaxLongProfileLen)
	if err != nil || w.Kind != servicemanager.KindS6 {
		return Target{}, false
	}
	t := Target{Typed: typed, Service: p.Service(), Profile: p, Known: w.knows(p.Service().s), Real: w.Home.Real(p)}
	return t, t.Known || t.Real
}

func (w World) exact(typed string) (Target, error) {
	t := Target{Typed: typed, Service: Reported(typed), Known: w.knows(typed), Verbatim: true}
	t.Profile = ProfileOf(w.Kind, t.Service)
	if t.Known {
		t.Real = w.Home.Real(t.Profile)
		return t, nil
	}
	return w.unknown(t)
}

// unknown decides about a name that nothing is known of.
func (w World) unknown(t Target) (Target, error) {
	if _, err := ParseServiceName(t.Typed); err != nil {
		return Target{}, err
	}
	t.Real = w.Home.Real(t.Profile)
	if w.Unsure || t.Real { // the service that a profile does not have yet
		return t, nil
	}
	e := &UnknownError{Name: t.Typed}
	if p, err := ParseProfileName(t.Typed, MaxLongProfileLen); err == nil && w.Kind == servicemanager.KindS6 && !w.Exact {
		e.Why = w.Home.Check(p)
	}
	return Target{}, e
}

func (w World) knows(name string) bool { return slices.Contains(w.Known, name) }
