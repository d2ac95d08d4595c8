package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func newWaitCmd(a *app) *cobra.Command {
	var until string
	cmd := &cobra.Command{
		Use:   "wait NAME...",
		Short: "Wait until services are up, ready, down or finished",
		Long: `Wait returns when all named services have reached a condition: up (the process
exists), ready (the service has announced that it is ready; the same as up for
services that announce nothing), down (the process is gone) or finished (its
cleanup is over as well and nothing is about to start).

Exit codes: 0 reached, 124 timed out (after 30s unless --timeout says
otherwise), 1 it can no longer happen, 5 no such service.`,
		Example: `  hermes-gateway wait coder --for ready
  hermes-gateway wait coder --for down --timeout 2m`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			cond, err := parseCondition(until)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return wrongUsage(cmd, "wait needs a NAME")
			}
			return a.run(cmd.Context(), verb{op: "wait", do: a.waitFor(cond)}, args, false)
		},
	}
	cmd.Flags().StringVar(&until, "for", "up", "the condition: up, ready, down or finished")
	complete(cmd, "for", "up", "ready", "down", "finished")
	return cmd
}

func (a *app) waitFor(cond servicemanager.Condition) func(context.Context, hermes.Target) (string, error) {
	return func(ctx context.Context, t hermes.Target) (string, error) {
		if err := needsService(t); err != nil {
			return "", err
		}
		w, ok := able[servicemanager.Waiter](a.conn.manager, servicemanager.CapWait)
		if !ok {
			return "", unsupported(a.conn, "waiting", "look with "+a.commandOn(t, "status"))
		}
		_, err := w.Wait(ctx, t.Service.String(), cond)
		return "now " + cond.String(), err
	}
}

func parseCondition(word string) (servicemanager.Condition, error) {
	for _, c := range []servicemanager.Condition{servicemanager.UntilUp, servicemanager.UntilReady, servicemanager.UntilDown, servicemanager.UntilFinished} {
		if c.String() == word {
			return c, nil
		}
	}
	return 0, &usageError{fmt.Sprintf("--for %q is none of up, ready, down, finished", word)}
}

// unsupported says what a manager does not offer.
func unsupported(s *connection, what, remedy string) error {
	return servicemanager.WithRemedy(fmt.Errorf("%s: %w (%s)", what, servicemanager.ErrNotSupported, s.kind()), remedy)
}
