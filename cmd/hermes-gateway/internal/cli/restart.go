package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
)

func newRestartCmd(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "restart [NAME...] | --all",
		Short: "Restart services",
		Long: `Restart ends the processes of services and waits until new ones exist. Without
a NAME it restarts the gateway of the default profile. The service comes back
whatever its process exits with; one that is down is started.

By default the command waits for the service's own stop timeout and five
seconds more.`,
		Example: `  hermes-gateway restart coder
  hermes-gateway restart --all`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !all {
				args = orDefault(args)
			}
			if err := namesOrAll(cmd, args, all); err != nil {
				return err
			}
			return a.run(cmd.Context(), verb{op: "restart", none: "there is no service to restart", wait: a.stopWait, do: a.restart}, args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, allHelp)
	return cmd
}

func (a *app) restart(ctx context.Context, t hermes.Target) (string, error) {
	if err := needsService(t); err != nil {
		return "", err
	}
	did := "restarted"
	if a.flags.noWait {
		did = "asked to restart:"
	}
	return did, a.conn.manager.Restart(ctx, t.Service.String(), a.actOptions()...)
}
