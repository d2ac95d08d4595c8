//go:build unix && !linux

package logdir

import "golang.org/x/sys/unix"

const searchOnly = unix.O_RDONLY
