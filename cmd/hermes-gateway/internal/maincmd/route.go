package maincmd

import (
	"slices"
	"strings"
)

// hermesProgram is the one that words without a program of their own are for.
const hermesProgram = "hermes"

// subcommands are those of hermes, which win over programs of the same name.
// Source: hermes_cli/main.py of hermes-agent, the names its parser knows without
// plugins.
var subcommands = strings.Fields(`
acp auth backup bundles chat checkpoints claw completion computer-use config
console cron curator dashboard debug desktop doctor dump fallback gateway gui
help hooks import insights journey kanban learning login logout logs lsp mcp
memory memory-graph migrate moa model pairing pets plugins portal postinstall
profile project prompt-size proxy secrets security send serve sessions setup
skills slack status tools uninstall update version webhook whatsapp
whatsapp-cloud`)

// programOption makes the word after it a program, whatever hermes calls so.
const programOption = "--exec"

// argv is what to execute for the words of the container.
func argv(words []string, isProgram func(string) bool) []string {
	switch {
	case len(words) > 1 && words[0] == programOption:
		return words[1:]
	case len(words) > 0 && mayBeProgram(words[0]) && isProgram(words[0]):
		return words
	}
	return append([]string{hermesProgram}, words...)
}

func mayBeProgram(word string) bool {
	return word != "" && word[0] != '-' && !slices.Contains(subcommands, word)
}

// gateway is a "hermes gateway run".
type gateway struct {
	profile string   // "" for the root profile
	options []string // those after run
}

// gatewayRun finds the words "gateway run", with or without hermes in front, of
// a profile or of none. Asked for help it is hermes' own.
func gatewayRun(words []string) (gateway, bool) {
	var g gateway
	if len(words) > 0 && words[0] == hermesProgram {
		words = words[1:]
	}
	for len(words) > 0 && words[0] != "gateway" {
		value, inline := strings.CutPrefix(words[0], "--profile=")
		switch {
		case inline:
			g.profile, words = value, words[1:]
		case (words[0] == "-p" || words[0] == "--profile") && len(words) > 1:
			g.profile, words = words[1], words[2:]
		default:
			return g, false
		}
	}
	if len(words) < 2 || words[1] != "run" {
		return g, false
	}
	g.options = words[2:]
	return g, !slices.Contains(g.options, "--help") && !slices.Contains(g.options, "-h")
}

// What keeps a gateway the container's own program.
const (
	noSupervise    = "--no-supervise"
	noSuperviseVar = "HERMES_GATEWAY_NO_SUPERVISE"
)

// supervisedVars are set for a gateway that is supervised already.
var supervisedVars = []string{"HERMES_SUPERVISED_CHILD", "HERMES_S6_SUPERVISED_CHILD"}

// mayBeSupervised says whether nobody wants it otherwise, and it is not so already.
func (g gateway) mayBeSupervised(getenv func(string) string) bool {
	for _, name := range supervisedVars {
		if getenv(name) != "" {
			return false
		}
	}
	return !slices.Contains(g.options, noSupervise) && !isYes(getenv(noSuperviseVar))
}

// isYes takes 1, true and yes; a typing mistake is no opt-out.
func isYes(value string) bool {
	return slices.Contains([]string{"1", "true", "yes"}, strings.ToLower(value))
}
