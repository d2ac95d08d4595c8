package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func newStartCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start [NAME...]",
		Short: "Start services",
		Long: `Start makes services wanted up and waits until their processes exist. Without
a NAME it starts the gateway of the default profile. A service that is up
already is success. A profile that exists but has no service yet is registered
first, as "register NAME" would do it.

Wait for readiness, where a service announces it, with "wait NAME --for ready".`,
		Example: `  hermes-gateway start coder
  hermes-gateway start coder writer --timeout 10s`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd.Context(), verb{op: "start", do: a.start}, orDefault(args), false)
		},
	}
	return cmd
}

func (a *app) start(ctx context.Context, t hermes.Target) (string, error) {
	m := a.conn.manager
	name := t.Service.String()
	if !t.Known && t.Real && m.Supports(servicemanager.CapRegister) {
		if err := a.registerProfile(ctx, t); err != nil {
			return "", err
		}
		return "registered and started", m.Start(ctx, name, a.actOptions()...)
	}
	if st, err := m.Status(ctx, name); err == nil && st.State == servicemanager.StateUp && st.WantUp {
		return "already up", nil
	}
	did := "started"
	if a.flags.noWait {
		did = "asked to start:"
	}
	return did, m.Start(ctx, name, a.actOptions()...)
}

// registerProfile gives a profile its service, down. Somebody else may have
// done so meanwhile.
func (a *app) registerProfile(ctx context.Context, t hermes.Target) error {
	if _, err := parseProfile(t.Profile.String(), false); err != nil {
		return err
	}
	spec, err := a.gatewaySpec(t.Profile, nil)
	if err != nil {
		return err
	}
	err = a.conn.manager.Register(ctx, spec)
	if errors.Is(err, servicemanager.ErrAlreadyRegistered) {
		return nil
	}
	return err
}

// needsService is the answer of verbs other than start to a profile that has
// no service yet.
func needsService(t hermes.Target) error {
	if !t.Known && t.Real {
		return &hermes.UnregisteredError{Target: t}
	}
	return nil
}
