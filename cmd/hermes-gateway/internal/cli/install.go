package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func newInstallCmd(a *app) *cobra.Command {
	var sf specFlags
	cmd := &cobra.Command{
		Use:   "install NAME [flags] [-- COMMAND [ARGUMENT...]]",
		Short: "Make a service that outlives a reboot of the host",
		Long: `Install makes a unit or property list of the host's service manager, and starts
the service. It takes the flags of register.

Under s6 there is nothing to install: services are registered while the tree
runs, and the image or "register" brings them back. Install says so and ends
with 0.`,
		Example:           `  hermes-gateway install coder`,
		ValidArgsFunction: a.completeUnregistered,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, _, _, err := sf.split(cmd, args); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			in, ok := able[servicemanager.Installer](s.manager, servicemanager.CapInstall)
			if !ok {
				return a.explainInstall(s, "install")
			}
			spec, t, err := a.spec(cmd, &sf, args)
			if err != nil {
				return a.fail(failure{op: "install", name: quoted(t.Typed), service: t.Service.String(), err: err})
			}
			spec.Down = false
			v := verb{op: "install", do: func(ctx context.Context, _ hermes.Target) (string, error) {
				return "installed", in.Install(ctx, spec)
			}}
			return a.report(s, v, a.each(cmd.Context(), s, v, []hermes.Target{t}), nil)
		},
	}
	sf.bind(cmd)
	return cmd
}

func newUninstallCmd(a *app) *cobra.Command {
	var all, ifExists bool
	cmd := &cobra.Command{
		Use:   "uninstall NAME... | --all",
		Short: "Remove services from the host",
		Long: `Uninstall stops services and removes their units or property lists.

Under s6 nothing is installed: "unregister" removes a service. Uninstall says
so and ends with 0.`,
		Example:           `  hermes-gateway uninstall coder`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := namesOrAll(cmd, args, all); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			in, ok := able[servicemanager.Installer](s.manager, servicemanager.CapInstall)
			if !ok {
				return a.explainInstall(s, "uninstall")
			}
			v := verb{op: "uninstall", none: "there is no service to uninstall", gone: true, forgive: ifExists, wait: a.stopWait}
			v.do = func(ctx context.Context, t hermes.Target) (string, error) {
				return "uninstalled", in.Uninstall(ctx, t.Service.String())
			}
			return a.run(cmd.Context(), v, args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all services that this program installed")
	cmd.Flags().BoolVar(&ifExists, "if-exists", false, "a service that does not exist is fine")
	return cmd
}

// explainInstall says what stands for install and uninstall where services are
// registered at run time.
func (a *app) explainInstall(s *connection, op string) error {
	text := "nothing is installed under " + string(s.kind()) + ": a service is registered while the tree runs"
	next := "register it: " + a.command("register", "NAME", "--up")
	if op == "uninstall" {
		next = "remove it: " + a.command("unregister", "NAME")
	}
	if a.wantsJSON() {
		return writeJSON(a.out, struct {
			Schema  int         `json:"schema"`
			Op      string      `json:"op"`
			Manager *managerRow `json:"manager"`
			Message string      `json:"message"`
			Remedy  string      `json:"remedy"`
			Errors  []errorRow  `json:"errors"`
		}{schema, op, a.managerRow(s.chosen), text, next, []errorRow{}})
	}
	if !a.flags.quiet {
		if _, err := a.out.Write([]byte(text + "\n  " + next + "\n")); err != nil {
			return err
		}
	}
	return nil
}
