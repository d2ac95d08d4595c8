package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// connection is an open manager with how it was chosen.
type connection struct {
	manager servicemanager.ServiceManager
	chosen  servicemanager.Finding
	home    hermes.Home
}

func (c *connection) kind() servicemanager.Kind { return c.manager.Kind() }

// absent says whether the manager was only asked for and its probe sees nothing
// of it: services may still be there, but none can be added.
func (c *connection) absent() bool { return c.chosen.Probe.Fit == servicemanager.FitNone }

// able returns an optional interface of a manager, if it can work here.
func able[T any](m servicemanager.ServiceManager, c servicemanager.Capability) (T, bool) {
	if !m.Supports(c) {
		var none T
		return none, false
	}
	return servicemanager.As[T](m)
}

// open chooses and opens the manager, once. As root it first becomes the owner
// of the scan directory, for good.
func (a *app) open(ctx context.Context) (*connection, error) {
	if a.conn != nil {
		return a.conn, nil
	}
	chosen, err := a.choose(ctx)
	if err != nil {
		return nil, err
	}
	a.tried = chosen
	if err := a.becomeOwner(chosen); err != nil {
		return nil, err
	}
	home, err := a.findHome()
	if err != nil {
		return nil, &usageError{err.Error()}
	}
	opts := a.options()
	if chosen.Probe.ScanDir != "" {
		opts.ScanDir = chosen.Probe.ScanDir // the one that was looked at, for whoever this now is
	}
	m, err := chosen.Backend.Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.conn = &connection{manager: m, chosen: chosen, home: home}
	a.sayManager()
	return a.conn, nil
}

// choose does what servicemanager.Detect does up to opening.
func (a *app) choose(ctx context.Context) (servicemanager.Finding, error) {
	opts := a.options()
	found := servicemanager.Survey(ctx, opts)
	if best, ok := pick(found, opts, a.getenv); ok {
		return best, nil
	}
	m, err := servicemanager.Detect(ctx, opts) // for its error
	if err == nil {
		m.Close()
		err = servicemanager.ErrNoBackend
	}
	return servicemanager.Finding{}, err
}

// pick returns the finding that is opened: the best that fits, or the only one
// where a kind was asked for.
func pick(found []servicemanager.Finding, opts servicemanager.Options, getenv func(string) string) (servicemanager.Finding, bool) {
	if len(found) == 0 {
		return servicemanager.Finding{}, false
	}
	asked := opts.Kind != "" || getenv("SERVICE_MANAGER") != "" && getenv("SERVICE_MANAGER") != "auto"
	return found[0], found[0].Probe.Fit > servicemanager.FitNone || asked
}

// becomeOwner keeps root from working in a directory that another user can
// change under its hands.
func (a *app) becomeOwner(chosen servicemanager.Finding) error {
	if chosen.Kind != servicemanager.KindS6 || chosen.Probe.ScanDir == "" || a.proc.BecomeOwner == nil {
		return nil
	}
	acct, err := a.proc.BecomeOwner(chosen.Probe.ScanDir)
	if err != nil {
		remedy := "run this as the owner of " + chosen.Probe.ScanDir
		var owned *execas.OwnerError
		if errors.As(err, &owned) {
			remedy = fmt.Sprintf("run this as uid %d", owned.UID)
		}
		return servicemanager.WithRemedy(err, remedy)
	}
	if acct == nil {
		return nil
	}
	a.proc.Root = false
	for k, v := range acct.Env(a.getenv) {
		a.env[k] = v
	}
	a.sayf("running as uid %d, the owner of %s", acct.UID, chosen.Probe.ScanDir)
	return nil
}

func (a *app) sayManager() {
	c := a.conn.chosen
	where := ""
	if c.Probe.ScanDir != "" {
		where = ", scan directory " + c.Probe.ScanDir
	}
	a.sayf("using %s%s: %s", detailOf(c), where, c.Probe.Reason)
}

func detailOf(f servicemanager.Finding) string {
	if f.Probe.Detail != "" {
		return f.Probe.Detail
	}
	return string(f.Kind)
}
