package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// allHelp says what --all means.
const allHelp = "the services of all profiles and all that were registered here; not those an image keeps beside them"

func newStopCmd(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "stop NAME... | --all",
		Short: "Stop services",
		Long: `Stop makes services wanted down and waits until their processes are gone. A
process that outlives the service's stop timeout is killed. A service that is
down already is success; so is --all where there is no service.

By default the command waits for the service's own stop timeout and five
seconds more. It ends with 124 when the time is up; the service goes on
stopping.`,
		Example: `  hermes-gateway stop coder
  hermes-gateway stop --all --timeout 1m`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := namesOrAll(cmd, args, all); err != nil {
				return err
			}
			return a.run(cmd.Context(), verb{op: "stop", none: "there is no service to stop", wait: a.stopWait, do: a.stop}, args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, allHelp)
	return cmd
}

func (a *app) stop(ctx context.Context, t hermes.Target) (string, error) {
	if err := needsService(t); err != nil {
		return "", err
	}
	m := a.conn.manager
	if st, err := m.Status(ctx, t.Service.String()); err == nil && st.State == servicemanager.StateDown && !st.WantUp {
		return "already down", nil
	}
	did := "stopped"
	if a.flags.noWait {
		did = "asked to stop:"
	}
	return did, m.Stop(ctx, t.Service.String(), a.actOptions()...)
}
