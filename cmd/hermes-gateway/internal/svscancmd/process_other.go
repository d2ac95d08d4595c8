//go:build !linux

package svscancmd

import "github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"

func takeDescriptors(options, *svscan.Options) error { return nil }

func takeSignals(*svscan.Tree) (stop func()) { return func() {} }
