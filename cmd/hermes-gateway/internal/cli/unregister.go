package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func newUnregisterCmd(a *app) *cobra.Command {
	var all, ifExists bool
	cmd := &cobra.Command{
		Use:   "unregister NAME... | --all",
		Short: "Stop services and remove them",
		Long: `Unregister stops services, waits until their supervisors have let go of them,
and removes them. Profiles, homes and logs stay.

A service that does not exist is an error, and none with --if-exists.`,
		Example: `  hermes-gateway unregister coder
  hermes-gateway unregister --if-exists coder writer`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := namesOrAll(cmd, args, all); err != nil {
				return err
			}
			return a.unregisterAll(cmd.Context(), args, all, ifExists)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, allHelp)
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "a service that does not exist is fine")
	return cmd
}

func (a *app) unregisterAll(ctx context.Context, names []string, all, ifExists bool) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	v := verb{op: "unregister", none: "there is no service to unregister", gone: true, forgive: ifExists, wait: a.stopWait}
	v.do = func(ctx context.Context, t hermes.Target) (string, error) {
		err := needsService(t)
		if err == nil {
			err = s.manager.Unregister(ctx, t.Service.String())
		}
		if ifExists && errors.Is(err, servicemanager.ErrNotRegistered) {
			return alreadyGone, nil
		}
		return "unregistered", err
	}
	return a.run(ctx, v, names, all)
}
