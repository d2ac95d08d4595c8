package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func newRegisterCmd(a *app) *cobra.Command {
	var sf specFlags
	var up, replace bool
	cmd := &cobra.Command{
		Use:   "register NAME [flags] [-- COMMAND [ARGUMENT...]]",
		Short: "Make a service known to a running supervisor",
		Long: `Register makes a service, down unless --up is given.

Without a COMMAND it is the gateway of the profile NAME: it runs
"hermes -p NAME gateway run" ("hermes gateway run" for the profile default) in
the profile's directory, is not started again after it exited 0, and has failed
after the exit code 78. HERMES_GATEWAY_COMMAND replaces the command: words are
separated by blanks; single and double quotes keep a word together; nothing
else is special. The word {-p} becomes "-p NAME", or nothing for the profile
default; {profile} and {home} become the profile's name and directory.

With a COMMAND it is the service called NAME; --profile NAME makes it a
profile's gateway with another command. The command is run as it is, never by a
shell.

The output is stored below the home: logs/gateways/PROFILE or
logs/services/NAME, ten files of 1 MB, each line with its time.

Only s6 can register services while it runs; on hosts see install.`,
		Example: `  hermes-gateway register coder --up
  hermes-gateway register web --env TOKEN --ready -- /usr/bin/web --port 8080
  hermes-gateway register --profile coder --replace -- python3 -m gateway`,
		ValidArgsFunction: a.completeUnregistered,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.register(cmd, &sf, args, up, replace)
		},
	}
	sf.bind(cmd)
	cmd.Flags().BoolVar(&up, "up", false, "start it, and wait until its process exists")
	cmd.Flags().BoolVar(&replace, "replace", false, "unregister a service of that name first")
	return cmd
}

func (a *app) register(cmd *cobra.Command, sf *specFlags, args []string, up, replace bool) error {
	if _, _, _, err := sf.split(cmd, args); err != nil {
		return err
	}
	s, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	spec, t, err := a.spec(cmd, sf, args)
	if err != nil {
		return a.fail(failure{op: "register", name: quoted(t.Typed), service: t.Service.String(), err: err})
	}
	spec.Down = !up
	v := verb{op: "register", do: func(ctx context.Context, t hermes.Target) (string, error) {
		return a.registerSpec(ctx, spec, replace)
	}}
	if replace {
		v.wait = func(ctx context.Context, t hermes.Target) time.Duration { return a.stopWait(ctx, t) + actTimeout }
	}
	outcomes := a.each(cmd.Context(), s, v, []hermes.Target{t})
	if err := a.report(s, v, outcomes, nil); err != nil {
		return err
	}
	if spec.Down {
		a.advise("it is down; start it: %s", a.commandOn(t, "start"))
	}
	return nil
}

func (a *app) registerSpec(ctx context.Context, spec servicemanager.Spec, replace bool) (string, error) {
	m := a.conn.manager
	if !m.Supports(servicemanager.CapRegister) {
		return "", m.Register(ctx, spec) // for its error
	}
	if _, err := spec.Normalize(); err != nil {
		return "", err // before anything is removed or made
	}
	if err := a.makeLogDir(spec); err != nil {
		return "", err
	}
	did := "registered"
	if replace {
		err := m.Unregister(ctx, spec.Name)
		if err != nil && !errors.Is(err, servicemanager.ErrNotRegistered) {
			return "", err
		}
		if err == nil {
			did = "replaced"
		}
	}
	err := m.Register(ctx, spec)
	var have *servicemanager.AlreadyRegisteredError
	if errors.As(err, &have) && !have.Same {
		err = servicemanager.WithRemedy(err, "put this one in its place with --replace")
	}
	if err == nil && !spec.Down {
		did += " and started"
	}
	return did, err
}

// makeLogDir finds out now, and not in a log nobody can write, that the log
// directory cannot be made. Another account makes its own, root makes nothing
// in places that others can write, and who does not own the tree is told so by
// the manager.
func (a *app) makeLogDir(spec servicemanager.Spec) error {
	tree := a.conn.chosen.Probe.ScanDir
	if spec.Log.Dir == "" || spec.User != "" || a.proc.Root || a.proc.Owns != nil && !a.proc.Owns(tree) {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(spec.Log.Dir), 0o755)
	if err == nil {
		err = os.Mkdir(spec.Log.Dir, 0o700) // private, as s6-log would make it
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return servicemanager.WithRemedy(fmt.Errorf("the log directory cannot be made: %w", err),
			"choose another with --log-dir DIR, or --log-dir none")
	}
	return nil
}
