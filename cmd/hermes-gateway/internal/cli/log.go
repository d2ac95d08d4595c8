package cli

import (
	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/logcmd"
)

// newLogCmd is the logger as main runs it, without going through here; this is
// for help and for a command line with flags before the word log.
func newLogCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "log [OPTION...] [--] DIRECTIVE...",
		Short:              "Write standard input to log directories, as s6-log does",
		Long:               logcmd.About,
		Example:            logcmd.Example,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := logcmd.Main(args, cmd.OutOrStdout()); code != 0 {
				return &exitError{code}
			}
			return nil
		},
	}
}
