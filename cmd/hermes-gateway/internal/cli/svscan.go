package cli

import (
	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/svscancmd"
)

// newSvscanCmd is the tree as main runs it, without going through here; this is
// for help and for a command line with flags before the word svscan.
func newSvscanCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "svscan [OPTION...] [SCANDIR]",
		Short:              "Supervise a scan directory, as s6-svscan does",
		Long:               svscancmd.About,
		Example:            svscancmd.Example,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code := svscancmd.Main(args, Version(), cmd.OutOrStdout()); code != 0 {
				return &exitError{code}
			}
			return nil
		},
	}
}
