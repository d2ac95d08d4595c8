package logdir

import "golang.org/x/sys/unix"

// searchOnly opens a directory that need not be readable.
const searchOnly = unix.O_PATH
