package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// probeRow is one probe in JSON.
type probeRow struct {
	Kind     string        `json:"kind"`
	Fit      string        `json:"fit"`
	Reason   string        `json:"reason"`
	Detail   *string       `json:"detail"`
	ScanDir  *string       `json:"scandir"`
	Evidence []evidenceRow `json:"evidence"`
}

type evidenceRow struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	OK    bool   `json:"ok"`
}

func newDetectCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "detect",
		Short: "Say which service manager is used here, and why",
		Long: `Detect runs the probe of every known service manager and prints what each saw
and which one is used. It changes nothing and always ends with 0.

Fits: native (it supervises this machine, or was asked for), possible (usable),
fallback (works anywhere and supervises nothing by itself), none.`,
		Example: `  hermes-gateway detect
  hermes-gateway detect --json`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel, _ := a.within(cmd.Context(), actTimeout)
			defer cancel()
			opts := a.options()
			chosen, ok := pick(servicemanager.Survey(ctx, opts), opts, a.getenv)
			everything := opts
			everything.Kind = "auto" // said by the caller, so no variable leaves only one
			found := servicemanager.Survey(ctx, everything)
			if a.wantsJSON() {
				return a.detectJSON(found, chosen, ok)
			}
			a.explainChoice(found, chosen, ok)
			return nil
		},
	}
}

func (a *app) detectJSON(found []servicemanager.Finding, chosen servicemanager.Finding, ok bool) error {
	doc := struct {
		Schema int         `json:"schema"`
		Choice *managerRow `json:"choice"`
		Probes []probeRow  `json:"probes"`
		Errors []errorRow  `json:"errors"`
	}{Schema: schema, Probes: []probeRow{}, Errors: []errorRow{}}
	if ok {
		doc.Choice = a.managerRow(chosen)
	}
	for _, f := range found {
		row := probeRow{
			Kind: string(f.Kind), Fit: f.Probe.Fit.String(), Reason: f.Probe.Reason,
			Detail: orNull(f.Probe.Detail), ScanDir: orNull(f.Probe.ScanDir), Evidence: []evidenceRow{},
		}
		for _, e := range f.Probe.Evidence {
			row.Evidence = append(row.Evidence, evidenceRow(e))
		}
		doc.Probes = append(doc.Probes, row)
	}
	return writeJSON(a.out, doc)
}

// explainChoice prints the choice and what all probes saw.
func (a *app) explainChoice(found []servicemanager.Finding, chosen servicemanager.Finding, ok bool) {
	if ok {
		fmt.Fprintf(a.out, "%s is used: %s\n", chosen.Kind, oneLine(chosen.Probe.Reason))
		if chosen.Probe.ScanDir != "" {
			fmt.Fprintf(a.out, "  scan directory %s\n", oneLine(chosen.Probe.ScanDir))
		}
	} else {
		fmt.Fprintln(a.out, "no service manager can be used here")
	}
	for _, f := range found {
		fmt.Fprintf(a.out, "%s: fit %s: %s\n", f.Kind, f.Probe.Fit, oneLine(f.Probe.Reason))
		for _, e := range f.Probe.Evidence {
			mark := "-"
			if e.OK {
				mark = "+"
			}
			fmt.Fprintf(a.out, "  %s %s: %s\n", mark, oneLine(e.Name), oneLine(e.Value))
		}
	}
}
