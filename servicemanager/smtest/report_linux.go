package smtest

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func (r *Report) addSystem() {
	r.Files = inheritedFiles()
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "Sig") || strings.HasPrefix(line, "Shd") {
				r.Signals = append(r.Signals, strings.Join(strings.Fields(line), " "))
			}
		}
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		r.NoFile = limit.Max
	}
}

// inheritedFiles are the descriptors that exec passes on: what the Go runtime
// has opened itself is close-on-exec.
func inheritedFiles() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var fds []int
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			fds = append(fds, fd)
		}
	}
	slices.Sort(fds)
	var files []string
	for _, fd := range fds {
		target, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		files = append(files, strconv.Itoa(fd)+" "+target)
	}
	return files
}
