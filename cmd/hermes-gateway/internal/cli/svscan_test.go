package cli

import (
	"testing"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/svscancmd"
)

// The tree is the same program here as without the rest of the command.
func TestSvscanCommand(t *testing.T) {
	b := newBench(t)
	b.want(0, svscancmd.Help, "", "svscan", "--help")
	b.want(0, svscancmd.Help, "", "svscan", "-d", "3", "-h")
	b.want(100, "", "", "svscan", "-Z")
	b.want(100, "", "", "svscan", "one", "two")
	b.want(0, "*", "", "help", "svscan")
}
