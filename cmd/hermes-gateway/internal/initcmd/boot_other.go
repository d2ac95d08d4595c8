//go:build !linux

package initcmd

func thisBoot() string { return "" }
