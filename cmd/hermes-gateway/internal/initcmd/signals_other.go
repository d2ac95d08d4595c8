//go:build !linux

package initcmd

import "errors"

var errNoSignals = errors.New("an init needs Linux")

func addStopSignal(*options, string) error { return errNoSignals }

func addRewrite(*options, string) error { return errNoSignals }
