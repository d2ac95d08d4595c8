package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newRootCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   program,
		Short: "Run long-lived services under whatever supervises this machine",
		Long: `hermes-gateway runs the gateways of Hermes profiles, and any other long-lived
service, under whatever supervises the machine: s6 in containers, systemd,
launchd, or the foreground.

A NAME is a profile (coder means the service gateway-coder) if that profile or
its service exists, else the service of exactly that name. If both exist the
command refuses to guess; with --exact names are the manager's own.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not supported here, 4 no
permission, 5 no such service, 124 timed out, 130 interrupted. Of several
services the highest code counts. status has codes of its own.

Environment: HERMES_SERVICE_MANAGER, HERMES_SCANDIR, HERMES_HOME and
HERMES_EXACT_NAMES stand for the flags --backend, --scandir, --home and
--exact; NO_COLOR switches colours off. SERVICE_MANAGER and SERVICE_SCANDIR,
which every program with the same library reads, count where nothing else is
said.`,
		Example: `  hermes-gateway register coder --up
  hermes-gateway status
  hermes-gateway logs -f coder`,
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,

		SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.settle(cmd.Flags())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{err.Error() + "; see " + cmd.CommandPath() + " --help"}
	})
	a.bindGlobal(cmd.PersistentFlags())
	cmd.AddCommand(
		newStatusCmd(a), newStartCmd(a), newStopCmd(a), newRestartCmd(a),
		newRegisterCmd(a), newUnregisterCmd(a), newListCmd(a), newWaitCmd(a), newLogsCmd(a),
		newInstallCmd(a), newUninstallCmd(a), newDetectCmd(a), newDoctorCmd(a), newVersionCmd(a), newLogCmd(), newSvscanCmd(), newInitCmd(),
	)
	return cmd
}

func unknownCommand(root *cobra.Command, word string) error {
	text := fmt.Sprintf("there is no command %q", word)
	if near := root.SuggestionsFor(word); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	} else {
		text += "; see " + program + " --help"
	}
	return &usageError{text}
}

// wrongUsage is a command line that the command cannot carry out.
func wrongUsage(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...) + "; see " + cmd.CommandPath() + " --help"}
}

// namesOrAll checks that there are names or --all, and not both.
func namesOrAll(cmd *cobra.Command, names []string, all bool) error {
	switch {
	case all && len(names) > 0:
		return wrongUsage(cmd, "--all and names exclude each other")
	case !all && len(names) == 0:
		return wrongUsage(cmd, "%s needs a NAME or --all", cmd.Name())
	}
	return nil
}

// orDefault lets a command without names act on the root profile.
func orDefault(names []string) []string {
	if len(names) == 0 {
		return []string{"default"}
	}
	return names
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return wrongUsage(cmd, "%s takes no arguments, and %q is one", cmd.Name(), args[0])
	}
	return nil
}
