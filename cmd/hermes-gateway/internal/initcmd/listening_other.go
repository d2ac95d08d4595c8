//go:build !linux

package initcmd

import (
	"io"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
)

// ExecListening is for Linux only.
func ExecListening([]string, io.Writer) int { return pid1.ExitOwn }
