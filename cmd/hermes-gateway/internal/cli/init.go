package cli

import (
	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/initcmd"
)

// newInitCmd is the init as main runs it, without going through here; this is
// for help and for a command line with flags before the word init.
func newInitCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "init [OPTION...] [--] [COMMAND [ARGUMENT...]]",
		Short:              "Be the first process of a container, or a subreaper",
		Long:               initcmd.About,
		Example:            initcmd.Example,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := initcmd.Main(args, nil, cmd.OutOrStdout()); code != 0 {
				return &exitError{code}
			}
			return nil
		},
	}
}
