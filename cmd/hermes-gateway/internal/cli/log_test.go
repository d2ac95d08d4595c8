package cli

import (
	"testing"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/logcmd"
)

// The logger is the same program here as without the rest of the command.
func TestLogCommand(t *testing.T) {
	b := newBench(t)
	b.want(0, logcmd.Help, "", "log", "--help")
	b.want(0, logcmd.Help, "", "log", "-qh")
	b.want(100, "", "", "log", "no-directive")
	b.want(100, "", "", "log")
	b.want(0, "*", "", "help", "log")
}
