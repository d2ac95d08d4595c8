//go:build !unix

// Package early does what cannot wait until main.
package early

import "os"

// Signals are those of an init; there is none on this system.
var Signals chan os.Signal
