//go:build !linux

package initcmd

func mayWriteFromBackground() {}
