package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// completionTimeout bounds what a shell waits for when somebody presses Tab.
const completionTimeout = time.Second

// completeServices offers the services that exist.
func (a *app) completeServices(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, args, true, false)
}

// completeProfiles offers the services that exist and the profiles that could
// have one.
func (a *app) completeProfiles(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.offer(cmd, args, true, true)
}

// completeUnregistered offers the profiles that have no service yet.
func (a *app) completeUnregistered(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault // the words of a command
	}
	return a.offer(cmd, args, false, true)
}

// offer stays silent about all that goes wrong: a shell has no place for it.
func (a *app) offer(cmd *cobra.Command, args []string, services, profiles bool) ([]cobra.Completion, cobra.ShellCompDirective) {
	const dir = cobra.ShellCompDirectiveNoFileComp
	parent := cmd.Context()
	if parent == nil {
		return nil, dir
	}
	ctx, cancel := context.WithTimeout(parent, completionTimeout)
	defer cancel()
	if err := a.settle(cmd.Flags()); err != nil {
		return nil, dir
	}
	s, err := a.open(ctx)
	if err != nil {
		return nil, dir
	}
	known, err := servicemanager.Names(ctx, s.manager)
	if err != nil {
		return nil, dir
	}
	seen := map[string]bool{}
	for _, have := range args {
		seen[have] = true
	}
	var offers []cobra.Completion
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			offers = append(offers, name)
		}
	}
	for _, t := range a.targetsOf(s, known) {
		if services {
			add(t.String())
		} else {
			seen[t.String()] = true
		}
	}
	if profiles && s.kind() == servicemanager.KindS6 {
		for _, p := range unregistered(s.home, known) {
			add(p.String())
		}
	}
	return offers, dir
}

// unregistered returns the profiles of a home that have no service.
func unregistered(home hermes.Home, known []string) []hermes.ProfileName {
	has := map[string]bool{}
	for _, n := range known {
		has[n] = true
	}
	var without []hermes.ProfileName
	for _, p := range home.Profiles() {
		if !has[p.Service().String()] {
			without = append(without, p)
		}
	}
	return without
}

// complete offers fixed words for a flag. The flag exists: anything else is a
// mistake of this program.
func complete(cmd *cobra.Command, flag string, words ...cobra.Completion) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err)
	}
}
