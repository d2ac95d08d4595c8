//go:build unix

package control

import "syscall"

var unixSignalBytes = map[syscall.Signal]byte{
	syscall.SIGUSR1: '1', syscall.SIGUSR2: '2', syscall.SIGSTOP: 'p',
	syscall.SIGCONT: 'c', syscall.SIGWINCH: 'y',
}
