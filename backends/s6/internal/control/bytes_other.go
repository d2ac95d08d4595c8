//go:build !unix

package control

import "syscall"

var unixSignalBytes map[syscall.Signal]byte
