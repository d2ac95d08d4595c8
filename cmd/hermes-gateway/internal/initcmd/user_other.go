//go:build !linux

package initcmd

import "github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"

func (o *options) become(*pid1.Options) error { return nil }
