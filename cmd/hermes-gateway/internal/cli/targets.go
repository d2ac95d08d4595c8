package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// registeredLister is a manager that can tell the services that Register made
// from others in the same place.
type registeredLister interface {
	Registered(ctx context.Context) ([]string, error)
}

// world gathers what names are resolved against. A manager that may not be
// listed makes it unsure, and comes back as the error as well.
func (a *app) world(ctx context.Context, s *connection) (hermes.World, error) {
	w := hermes.World{Kind: s.kind(), Home: s.home, Exact: a.flags.exact}
	known, err := servicemanager.Names(ctx, s.manager)
	w.Known = known
	w.Unsure = errors.Is(err, servicemanager.ErrPermission) || errors.Is(err, servicemanager.ErrNotSupported)
	return w, err
}

// resolve finds the services that the typed names mean, each once, in the
// order they were typed.
func (a *app) resolve(ctx context.Context, s *connection, op string, names []string) ([]hermes.Target, []failure, error) {
	w, err := a.world(ctx, s)
	if err != nil && !w.Unsure {
		return nil, nil, err
	}
	var targets []hermes.Target
	var failures []failure
	for _, name := range names {
		t, err := w.Resolve(name)
		if err != nil {
			failures = append(failures, failure{op: op, name: quoted(name), service: name, err: a.withNameRemedy(err)})
			continue
		}
		same := func(o hermes.Target) bool { return o.Service == t.Service }
		if !slices.ContainsFunc(targets, same) {
			targets = append(targets, t)
		}
	}
	return targets, failures, nil
}

// withNameRemedy says what to do about a name that means nothing, or too much.
func (a *app) withNameRemedy(err error) error {
	var both *hermes.AmbiguousError
	var unknown *hermes.UnknownError
	var waiting *hermes.UnregisteredError
	switch {
	case errors.As(err, &both):
		return servicemanager.WithRemedy(err, "say "+both.Profile.Service.String()+" for the one, --exact "+both.Service.Service.String()+" for the other")
	case errors.As(err, &waiting):
		return servicemanager.WithRemedy(err, "register it: "+a.command("register", waiting.Target.String()))
	case errors.As(err, &unknown):
		return servicemanager.WithRemedy(err, "see what there is: "+a.command("list"))
	}
	return err
}

// all returns what --all means: the services of all profiles and those that
// were registered through a manager; services that somebody else keeps in the
// same place, as container images do, are left alone. Where a manager installs
// services instead, all that it installed.
func (a *app) all(ctx context.Context, s *connection) ([]hermes.Target, error) {
	w, err := a.world(ctx, s)
	if err != nil {
		return nil, err
	}
	var ours []string
	if r, ok := servicemanager.As[registeredLister](s.manager); ok {
		if ours, err = r.Registered(ctx); err != nil {
			return nil, err
		}
	}
	var targets []hermes.Target
	for _, t := range a.targetsOf(s, w.Known) {
		if w.Kind != servicemanager.KindS6 || !t.Profile.IsZero() || slices.Contains(ours, t.Service.String()) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// commandOn spells a command about a service for people to copy.
func (a *app) commandOn(t hermes.Target, verb string, options ...string) string {
	words := append([]string{verb}, options...)
	if a.conn != nil && a.conn.kind() == servicemanager.KindS6 && !a.flags.exact && t.NeedsExact(a.conn.home) {
		words = append([]string{"--exact"}, words...)
	}
	return a.command(append(words, t.Typed)...)
}

// quoted makes a name visible that could be mistaken for nothing.
func quoted(name string) string {
	if servicemanager.ValidName(name) {
		return name
	}
	return strconv.Quote(name)
}
