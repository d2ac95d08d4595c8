//go:build unix && !linux

package logdir

func setLock(fd int) error { return setProcessLock(fd) }
