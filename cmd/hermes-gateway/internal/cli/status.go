package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// statusFlags are the flags of status.
type statusFlags struct{ watch, explain bool }

// sighting is one service as status found it.
type sighting struct {
	target hermes.Target
	status *servicemanager.Status // nil where it could not be had
	err    error                  // why
}

// overview is all that one run of status found.
type overview struct {
	conn      *connection // nil without a manager
	named     bool        // names were given
	sightings []sighting
	failures  []failure // names that mean nothing, or no manager
}

func newStatusCmd(a *app) *cobra.Command {
	var sf statusFlags
	cmd := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Say how services are",
		Long: `Status prints a line for each named service, or for all. A service that is not
plainly up gets a second line: why, and what to type next. The last line names
the manager and says how many services need attention.

Exit codes, for each service: 0 up; 3 down, starting, stopping or finishing;
1 failed or waiting to be restarted; 4 unknown, no such service, no manager or
no right to ask. The worst counts, in the order 4, 1, 3, 0. Without names only
services that should be up count, and those that failed or cannot be told.
With --healthy every code but 0 is 1, as health checks of containers want it.

--watch stays and follows what happens, until it is interrupted: it redraws the
table on a terminal, and prints a line for each change elsewhere. It follows
the services that exist when it begins.

--json prints one document: schema, manager, managers, services and errors. All
keys are always there, unknown is null, times are UTC.`,
		Example: `  hermes-gateway status
  hermes-gateway status coder --json
  hermes-gateway status --healthy --quiet`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.status(cmd, sf, args)
		},
	}
	cmd.Flags().BoolVar(&sf.watch, "watch", false, "follow changes until interrupted")
	cmd.Flags().BoolVar(&sf.explain, "explain", false, "say why this manager is used, and why each service is up or down")
	cmd.Flags().Bool("healthy", false, "exit with 1 for everything but 0") // read by Run
	return cmd
}

func (a *app) status(cmd *cobra.Command, sf statusFlags, names []string) error {
	switch {
	case a.flags.json && sf.watch:
		return wrongUsage(cmd, "--watch has no JSON form")
	case a.flags.json && sf.explain:
		return wrongUsage(cmd, "--explain has no JSON form (detect --json tells the choice, status --json the rest)")
	}
	ctx, cancel, _ := a.within(cmd.Context(), actTimeout)
	defer cancel()
	o, err := a.survey(ctx, names)
	if err != nil {
		return err
	}
	if sf.watch && o.conn != nil && len(o.failures) == 0 {
		return a.watch(cmd.Context(), o, sf)
	}
	if err := a.printOverview(ctx, o, sf); err != nil {
		return err
	}
	code := o.exit()
	if code != exitDone {
		return &exitError{code}
	}
	return nil
}

// survey looks at the named services, or at all. What cannot be looked at is
// part of what it finds; only an interruption is an error.
func (a *app) survey(ctx context.Context, names []string) (*overview, error) {
	o := &overview{named: len(names) > 0}
	s, err := a.open(ctx)
	if err != nil {
		return o, o.blame(ctx, failure{op: "status", err: err})
	}
	o.conn = s
	if !o.named {
		return o, a.surveyAll(ctx, o)
	}
	targets, failures, err := a.resolve(ctx, s, "status", names)
	if err != nil {
		return o, o.blame(ctx, failure{op: "status", err: err})
	}
	o.failures = failures
	for _, t := range targets {
		st, err := s.manager.Status(ctx, t.Service.String())
		if err == nil {
			o.sightings = append(o.sightings, sighting{target: t, status: &st})
			continue
		}
		if unregistered := needsService(t); unregistered != nil && errors.Is(err, servicemanager.ErrNotRegistered) {
			err = unregistered
		}
		if err := o.add(ctx, t, a.withNameRemedy(err)); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (a *app) surveyAll(ctx context.Context, o *overview) error {
	var names []string
	var found []sighting
	for st, err := range servicemanager.StatusAll(ctx, o.conn.manager) {
		switch {
		case st.Name == "" && err != nil:
			return o.blame(ctx, failure{op: "status", err: err})
		case err != nil:
			found = append(found, sighting{err: err})
		default:
			found = append(found, sighting{status: &st})
		}
		names = append(names, st.Name)
	}
	for i, t := range a.targetsOf(o.conn, names) {
		found[i].target = t
		if found[i].err == nil {
			o.sightings = append(o.sightings, found[i])
			continue
		}
		if err := o.add(ctx, t, found[i].err); err != nil {
			return err
		}
	}
	return nil
}

// add records a service that could not be looked at: a row of its own where it
// exists, a failure where it does not.
func (o *overview) add(ctx context.Context, t hermes.Target, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, servicemanager.ErrNotRegistered) {
		o.failures = append(o.failures, failure{op: "status", name: t.String(), service: t.Service.String(), err: err})
		return nil
	}
	o.sightings = append(o.sightings, sighting{target: t, err: err})
	return nil
}

// blame records what concerns all services; an interruption ends the command.
func (o *overview) blame(ctx context.Context, f failure) error {
	if ctx.Err() != nil && errors.Is(f.err, context.Canceled) {
		return f.err
	}
	o.failures = append(o.failures, f)
	return nil
}

func (a *app) printOverview(ctx context.Context, o *overview, sf statusFlags) error {
	if a.wantsJSON() {
		return writeJSON(a.out, a.statusDocument(o))
	}
	nothing := len(o.sightings) == 0 && len(o.failures) > 0
	if o.conn != nil && !nothing && !a.flags.quiet {
		if sf.explain {
			a.explainManager(ctx, o.conn)
		}
		a.printTable(o, sf.explain)
	}
	for _, f := range o.failures {
		a.printFailure(f)
	}
	return nil
}
