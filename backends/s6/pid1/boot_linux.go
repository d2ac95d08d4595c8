package pid1

import (
	"os"
	"strings"
)

// Boot names what begins with this process, apart from all before it: by the boot of
// the kernel, the pid namespace, and when this process was started. It is empty where
// the system does not say, as without /proc.
func Boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	self, err := readStat("/proc/self/stat")
	if err != nil {
		return ""
	}
	return strings.Join([]string{strings.TrimSpace(string(id)), namespace, self.began}, " ")
}
