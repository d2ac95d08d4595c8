package reaper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, which is the same for programs on all
// architectures that Go runs on.
const ticksPerSecond = 100

// Now is the time since the system was started, in 1/100 s, suspended or not:
// what the clock of [Ticks] says.
func Now() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return uint64(now.Nano()) / (1e9 / ticksPerSecond), nil
}

// Ticks is when a process was started, in 1/100 s since the start of the
// system: field 22 of /proc/PID/stat, proc_pid_stat(5). Together with the id it
// tells a process from all others of this boot. It fails where /proc does not
// show the process, or is that of another pid namespace.
func Ticks(pid int) (uint64, error) {
	if err := procIsOurs(); err != nil {
		return 0, err
	}
	path := "/proc/" + strconv.Itoa(pid) + "/stat"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var buf [1024]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: path, Err: err}
	}
	ticks, ok := startTime(buf[:n])
	if !ok {
		return 0, fmt.Errorf("read %s: it has no start time: %q", path, buf[:n])
	}
	return ticks, nil
}

func procIsOurs() error {
	var buf [32]byte
	n, err := unix.Readlink("/proc/self", buf[:])
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL):
		return errors.New("/proc is not mounted, or shows other processes than ours")
	case err != nil:
		return &os.PathError{Op: "read", Path: "/proc/self", Err: err}
	case string(buf[:n]) != strconv.Itoa(os.Getpid()):
		return errors.New("/proc shows other processes than ours")
	}
	return nil
}

// startTime takes field 22 of a stat.
func startTime(stat []byte) (uint64, bool) {
	// The second field, the name in parentheses, may hold anything.
	after := bytes.LastIndexByte(stat, ')')
	if after < 0 {
		return 0, false
	}
	rest := stat[after+1:]
	for field := 3; ; field++ {
		rest = bytes.TrimLeft(rest, " ")
		end := bytes.IndexByte(rest, ' ')
		if end < 0 {
			return 0, false
		}
		if field == 22 {
			ticks, err := strconv.ParseUint(string(rest[:end]), 10, 64)
			return ticks, err == nil
		}
		rest = rest[end:]
	}
}
