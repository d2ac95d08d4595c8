//go:build unix

// Package early does what cannot wait until main: the signals of an init are
// taken before any other package of the program is initialised. It must import
// nothing that takes time.
package early

import (
	"os"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1/intake"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/role"
)

// Role is what this process is to be.
var Role role.Role

// Signals are those of an init since its beginning; nil in every other role.
var Signals chan os.Signal

func init() {
	if Role = role.Of(os.Args, os.Getpid()); Role.IsInit() {
		Signals = intake.Take()
	}
}
