//go:build !linux

package initcmd

func sideEnvironment([]string) []string { return nil } // there is no init

func (o *options) canMakeShared() bool { return false }

func makeContainerEnvironment() error { return nil }
