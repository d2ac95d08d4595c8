package initcmd

import (
	"bytes"
	"os"
	"strings"
)

// thisBoot tells what begins with this process from all before it: the kernel's
// boot, the pid namespace, and when this process was started. Empty: the system
// does not say, as without /proc.
func thisBoot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	ns, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return ""
	}
	const started = 22 - 3 // proc_pid_stat(5), counted after the name
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= started {
		return ""
	}
	return strings.Join([]string{strings.TrimSpace(string(id)), ns, string(fields[started])}, " ")
}
