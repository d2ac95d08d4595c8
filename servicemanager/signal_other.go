//go:build !unix

package servicemanager

import "syscall"

var signalNames = []signalName{
	{"HUP", syscall.SIGHUP}, {"INT", syscall.SIGINT}, {"QUIT", syscall.SIGQUIT},
	{"ILL", syscall.SIGILL}, {"TRAP", syscall.SIGTRAP}, {"ABRT", syscall.SIGABRT},
	{"BUS", syscall.SIGBUS}, {"FPE", syscall.SIGFPE}, {"KILL", syscall.SIGKILL},
	{"SEGV", syscall.SIGSEGV}, {"PIPE", syscall.SIGPIPE}, {"ALRM", syscall.SIGALRM},
	{"TERM", syscall.SIGTERM},
}
