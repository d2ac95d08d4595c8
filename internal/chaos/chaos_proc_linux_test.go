package chaos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// status is what a supervisor tells (s6's supervise/status of 35 bytes).
type status struct {
	pid                              int
	paused, finishing, wantUp, ready bool
}

func readStatus(dir string) (status, error) {
	b, err := os.ReadFile(filepath.Join(dir, "supervise/status"))
	if err != nil {
		return status{}, err
	}
	if len(b) != 35 {
		return status{}, fmt.Errorf("a status of %d bytes", len(b))
	}
	f := b[34]
	return status{int(binary.BigEndian.Uint64(b[24:])), f&1 != 0, f&2 != 0, f&4 != 0, f&8 != 0}, nil
}

// send writes commands into a control FIFO; false: nobody reads it.
func send(dir, commands string) bool {
	fd, err := unix.Open(filepath.Join(dir, "supervise/control"), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	n, err := unix.Write(fd, []byte(commands))
	return err == nil && n == len(commands)
}

// supervised says whether somebody reads the control FIFO.
func supervised(dir string) bool { return send(dir, "") }

// handle is a process that cannot be mistaken for a later one.
type handle struct{ fd int }

// hold takes a process if its working directory is dir.
func hold(pid int, dir string) (handle, bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return handle{}, false
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil || cwd != dir {
		unix.Close(fd)
		return handle{}, false
	}
	return handle{fd}, true
}

func (h handle) signal(sig unix.Signal) { _ = unix.PidfdSendSignal(h.fd, sig, nil, 0) }

func (h handle) close() { unix.Close(h.fd) }

// process is what /proc tells.
type process struct {
	pid, parent int
	state       byte
	cwd         string
	args        []string
}

// processes are those of this machine that we may look at.
func processes() []process {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []process
	for _, n := range names {
		pid, err := strconv.Atoi(n.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 2 {
			continue
		}
		p := process{pid: pid, state: fields[0][0]}
		p.parent, _ = strconv.Atoi(string(fields[1]))
		p.cwd, _ = os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		p.args = strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		found = append(found, p)
	}
	return found
}

// below says whether a path is in a directory.
func below(path, dir string) bool { return strings.HasPrefix(path, dir+"/") }

// openFiles is what the descriptors of a process are.
func openFiles(pid int) []string {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, n := range names {
		to, err := os.Readlink(filepath.Join(dir, n.Name()))
		if errors.Is(err, os.ErrNotExist) || to == dir {
			continue // that of the reading itself
		}
		found = append(found, to)
	}
	return found
}

// kinds counts descriptors of the same kind, whatever their numbers.
func kinds(files []string) map[string]int {
	count := map[string]int{}
	for _, f := range files {
		kind, _, numbered := strings.Cut(f, ":[")
		if kind == "anon_inode" { // what follows is no number
			kind = f
		}
		if !numbered && strings.HasPrefix(f, "/") {
			kind = filepath.Base(f)
			if strings.HasPrefix(kind, "svc-") || kind == "log" {
				kind = "directory"
			}
		}
		count[kind]++
	}
	return count
}
