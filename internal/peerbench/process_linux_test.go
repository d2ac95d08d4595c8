package peerbench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// process is one of a tree.
type process struct {
	pid     int
	service string // the service that it is; "": a scanner, supervisor or logger
}

// processes returns the scanner and all its descendants.
func (t *tree) processes() []process {
	t.b.Helper()
	pids, err := family(t.cmd.Process.Pid)
	t.must(err)
	var found []process
	for _, pid := range pids {
		found = append(found, process{pid, t.serviceOf(pid)})
	}
	return found
}

// family is a process and all its descendants.
func family(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if parent, ok := parentOf(pid); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	found := []int{pid}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found, nil
}

// parentOf reads the field behind the name in parentheses, which may itself
// have some, and the state (proc(5), /proc/pid/stat).
func parentOf(pid int) (int, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	return parent, err == nil
}

// serviceOf tells a service by its program, which is linked as DIR/run.
func (t *tree) serviceOf(pid int) string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil || filepath.Base(exe) != "run" || filepath.Dir(filepath.Dir(exe)) != t.scan {
		return ""
	}
	return filepath.Base(filepath.Dir(exe))
}

// supervision are the processes that are not services.
func (t *tree) supervision() []int {
	t.b.Helper()
	var pids []int
	for _, p := range t.processes() {
		if p.service == "" {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// memory is the proportional set size of the supervision processes, in MiB:
// what each has for itself and its share of what several use.
func (t *tree) memory() float64 {
	t.b.Helper()
	mib, err := setSize(t.supervision())
	t.must(err)
	return mib
}

func setSize(pids []int) (mib float64, err error) {
	kB := 0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, err
		}
		_, rest, ok := strings.Cut(string(text), "\nPss:")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			return 0, fmt.Errorf("no Pss in %q", text)
		}
		n, err := strconv.Atoi(fields[0])
		if err != nil {
			return 0, err
		}
		kB += n
	}
	return float64(kB) / 1024, nil
}

// processorTime is what these processes have used until now, in microseconds.
func (t *tree) processorTime(pids []int) float64 {
	t.b.Helper()
	var sum float64
	for _, pid := range pids {
		us, err := processorTime(pid)
		t.must(err)
		sum += us
	}
	return sum
}

// processorTime is in microseconds.
func processorTime(pid int) (float64, error) {
	var ts unix.Timespec
	// The clock of another process: clock_getcpuclockid(3) in glibc.
	const scheduler = 2
	err := unix.ClockGettime(int32(^pid<<3|scheduler), &ts)
	return float64(ts.Nano()) / 1e3, err
}
