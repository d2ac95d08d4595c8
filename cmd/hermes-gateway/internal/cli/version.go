package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// s6Protocol is the s6 release whose formats this program reads and writes;
// those back to 2.11 are understood.
const s6Protocol = "2.15"

// linkedVersion is the version that the linker was told (make build); without
// one the version is that of the module, as the Go command knows it.
var linkedVersion string

// Version is the version of this program, as the command version prints it.
func Version() string { return buildVersion(debug.ReadBuildInfo()).Version }

// versionRow is what version prints.
type versionRow struct {
	Version    string  `json:"version"`
	Commit     *string `json:"commit"`
	Go         string  `json:"go"`
	Schema     int     `json:"schema"`
	S6Protocol string  `json:"s6_protocol"`
}

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Long: `Version prints the version of the program, the commit it was built from, the Go
release that built it, the version of the JSON documents and the release of s6
whose protocol it speaks.`,
		Example: `  hermes-gateway version
  hermes-gateway version --json`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion(debug.ReadBuildInfo())
			if a.wantsJSON() {
				return writeJSON(a.out, v)
			}
			commit := "unknown"
			if v.Commit != nil {
				commit = *v.Commit
			}
			_, err := fmt.Fprintf(a.out, "%s %s\ncommit %s\n%s, JSON schema %d, s6 protocol %s\n", program, v.Version, commit, v.Go, v.Schema, v.S6Protocol)
			return err
		},
	}
}

func buildVersion(info *debug.BuildInfo, ok bool) versionRow {
	v := versionRow{Version: "unknown", Go: runtime.Version(), Schema: schema, S6Protocol: s6Protocol}
	if !ok {
		return v
	}
	v.Version, v.Go = info.Main.Version, info.GoVersion
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	if linkedVersion != "" {
		v.Version = linkedVersion
	}
	var commit, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			modified = s.Value
		}
	}
	if commit != "" && modified == "true" {
		commit += "+modified"
	}
	v.Commit = orNull(commit)
	return v
}
