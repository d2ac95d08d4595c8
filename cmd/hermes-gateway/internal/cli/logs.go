package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// logFlags are the flags of logs.
type logFlags struct {
	follow bool
	lines  int
	since  string
	all    bool
}

func newLogsCmd(a *app) *cobra.Command {
	var lf logFlags
	cmd := &cobra.Command{
		Use:   "logs [NAME...] | --all",
		Short: "Print what services have written",
		Long: `Logs prints the stored output of services, oldest line first, as it is stored.
Without a NAME it is that of the default profile. With several names each line
begins with the name it belongs to, and without -f the services come one after
the other.

-f goes on with what is written from now on, until it is interrupted; being
interrupted is the normal end of following and no failure (exit code 0).

--since goes by the stamps of the lines. Under s6 these are in the local time of
the tree; where its time zone is another than yours, set TZ to that one.`,
		Example: `  hermes-gateway logs -n 50 coder
  hermes-gateway logs -f --since 10m coder writer
  hermes-gateway logs --since 2026-01-02T03:04:05Z`,
		ValidArgsFunction: a.completeServices,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.logs(cmd, lf, args)
		},
	}
	cmd.Flags().BoolVarP(&lf.follow, "follow", "f", false, "go on with what is written from now on")
	cmd.Flags().IntVarP(&lf.lines, "lines", "n", -1, "only the last N lines (default all)")
	cmd.Flags().StringVar(&lf.since, "since", "", "only lines since a time (RFC 3339) or for a duration (10m)")
	cmd.Flags().BoolVar(&lf.all, "all", false, allHelp)
	return cmd
}

func (a *app) logs(cmd *cobra.Command, lf logFlags, args []string) error {
	opts, err := a.logOptions(cmd, lf)
	if err != nil {
		return err
	}
	if a.flags.json {
		return wrongUsage(cmd, "logs are lines and have no JSON form")
	}
	if !lf.all {
		args = orDefault(args)
	}
	if err := namesOrAll(cmd, args, lf.all); err != nil {
		return err
	}
	ctx, cancel, _ := a.within(cmd.Context(), 0)
	defer cancel()
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	reader, ok := able[servicemanager.LogReader](s.manager, servicemanager.CapLogs)
	if !ok {
		return unsupported(s, "reading logs", "read them where the manager keeps them")
	}
	targets, failures, err := a.logTargets(ctx, s, lf.all, args)
	if err != nil {
		return err
	}
	return newLogCopy(a, reader, opts, len(targets)+len(failures) > 1).run(ctx, targets, failures)
}

func (a *app) logTargets(ctx context.Context, s *connection, all bool, names []string) ([]hermes.Target, []failure, error) {
	if all {
		targets, err := a.all(ctx, s)
		return targets, nil, err
	}
	return a.resolve(ctx, s, "logs", names)
}

func (a *app) logOptions(cmd *cobra.Command, lf logFlags) (servicemanager.LogOptions, error) {
	opts := servicemanager.LogOptions{Follow: lf.follow}
	switch {
	case !cmd.Flags().Changed("lines"):
	case lf.lines < 0:
		return opts, wrongUsage(cmd, "-n %d is negative", lf.lines)
	case lf.lines == 0: // to the library 0 is no limit
		opts.Since = a.proc.Now()
	default:
		opts.Lines = lf.lines
	}
	if lf.since == "" {
		return opts, nil
	}
	since, err := parseSince(lf.since, a.proc.Now())
	if err != nil {
		return opts, err
	}
	if since.After(opts.Since) {
		opts.Since = since
	}
	return opts, nil
}

func parseSince(word string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(word); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, word); err == nil {
		return t, nil
	}
	return time.Time{}, &usageError{fmt.Sprintf("--since %q is neither a duration like 10m nor a time like 2026-01-02T03:04:05Z", word)}
}
