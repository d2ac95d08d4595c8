//go:build !unix

// Package early does what cannot wait until main.
package early

import (
	"os"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/role"
)

// Role is what this process is to be.
var Role = role.Of(os.Args, os.Getpid())

// Signals are those of an init; there is none on this system.
var Signals chan os.Signal
