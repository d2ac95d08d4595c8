package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func newListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List services, one name a line",
		Long: `List prints the names of all services that the manager knows, one a line: the
profile's name for a profile's service, else the service's own. With --exact
all names are the manager's own.`,
		Example: `  hermes-gateway list
  hermes-gateway list --json`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel, _ := a.within(cmd.Context(), actTimeout)
			defer cancel()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			names, err := servicemanager.Names(ctx, s.manager)
			if err != nil {
				return err
			}
			return a.printList(s, names)
		},
	}
}

func (a *app) printList(s *connection, names []string) error {
	targets := a.targetsOf(s, names)
	if a.wantsJSON() {
		rows := make([]identity, 0, len(targets))
		for _, t := range targets {
			rows = append(rows, a.identity(s, t))
		}
		return writeJSON(a.out, struct {
			Schema   int         `json:"schema"`
			Manager  *managerRow `json:"manager"`
			Services []identity  `json:"services"`
			Errors   []errorRow  `json:"errors"`
		}{schema, a.managerRow(s.chosen), rows, []errorRow{}})
	}
	for _, t := range targets {
		fmt.Fprintln(a.out, oneLine(t.String()))
	}
	return nil
}

// targetsOf gives services the names people use for them. Where such a name is
// also another service's, or with --exact, it stays the manager's.
func (a *app) targetsOf(s *connection, names []string) []hermes.Target {
	taken := map[string]bool{}
	for _, n := range names {
		taken[n] = true
	}
	targets := make([]hermes.Target, 0, len(names))
	for _, n := range names {
		t := hermes.Target{Typed: n, Service: hermes.Reported(n), Known: true}
		if p := hermes.ProfileOf(s.kind(), t.Service); !p.IsZero() {
			t.Profile = p
			t.Verbatim = a.flags.exact || taken[p.String()]
			if !t.Verbatim {
				t.Typed = p.String()
			}
		} else if p, err := hermes.ParseProfileName(n, hermes.MaxLongProfileLen); err == nil {
			t.Shared = s.kind() == servicemanager.KindS6 && taken[p.Service().String()]
		}
		targets = append(targets, t)
	}
	return targets
}
