// Package all registers every backend of this module, so that
// servicemanager.Detect, Survey and Lookup find them. Import it for that
// effect, in main:
//
//	import _ "github.com/hermes-gateway/hermes-gateway/backends/all"
//
// A program that wants only some backends imports those instead and names them
// in servicemanager.Options.
package all

import (
	"github.com/hermes-gateway/hermes-gateway/backends/foreground"
	"github.com/hermes-gateway/hermes-gateway/backends/launchd"
	"github.com/hermes-gateway/hermes-gateway/backends/s6"
	"github.com/hermes-gateway/hermes-gateway/backends/systemd"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// init is the one place where a backend enters the registry: backends have no
// side effects of their own, and importing one does not pull in the others.
func init() {
	for _, b := range Backends() {
		servicemanager.RegisterBackend(b)
	}
}

// Backends returns a new backend of every kind in this module, with default
// options. Their order decides between managers that fit equally well.
func Backends() []servicemanager.Backend {
	return []servicemanager.Backend{
		s6.Backend(),
		systemd.Backend(),
		launchd.Backend(),
		foreground.Backend(),
	}
}
