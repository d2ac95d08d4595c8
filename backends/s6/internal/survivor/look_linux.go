package survivor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
)

// errHidden says that the kernel does not let us look. It lets nobody look at a
// process that has just become this user's, until that has executed its program.
var errHidden = errors.New("cannot be looked at")

// search is for a process that a supervisor was making in a service directory
// when it was killed, and whose id it could not write down any more.
//
// Such a process has executed its program by now: until then it had the lock of
// the directory, and we could not have got it (procs.Config.Lock). So it leads a
// session, and it was started at the time of the record or later. That it is the service's shows in one of these:
//
//   - its working directory is the service directory, as it was made;
//   - it has written its id into data/pid, the first thing that the scripts do
//     that Register makes, before they go elsewhere;
//   - its output goes into the FIFO of the service's log.
type search struct {
	since  uint64 // ticks
	dir    file
	log    file // zero: there is none
	writer int  // the id in data/pid; 0: none
	// others says whether a child of ours is another service's.
	others func(process) bool
}

// file tells a file from all others.
type file struct{ dev, ino uint64 }

// logFIFO is the FIFO from which the log process takes what the service writes.
const logFIFO = "log/supervise/input"

func newSearch(dir *fsat.Dir, since uint64, others func(process) bool) (search, error) {
	st, err := dir.StatSelf()
	if err != nil {
		return search{}, err
	}
	s := search{since: since, dir: identity(&st), others: others}
	// Neither is there for most services that Register has not made.
	if b, err := dir.ReadStart(servicedir.LifeFile, 32); err == nil {
		s.writer, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	if fd, err := dir.OpenFD(logFIFO, unix.O_PATH, 0); err == nil {
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO {
			s.log = identity(&st)
		}
		unix.Close(fd)
	}
	return s, nil
}

func identity(st *unix.Stat_t) file { return file{uint64(st.Dev), st.Ino} }

// process is what /proc/PID/stat tells.
type process struct {
	pid     int
	dead    bool // it only waits for its parent
	parent  int
	session int
	started uint64 // ticks
}

// look goes through /proc once.
func (s search) look() ([]process, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	// Else these are the processes of another pid namespace, or none.
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("/proc does not show the processes of this pid namespace")
	}
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var found []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		p, ok, err := s.match(name)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, p)
		}
	}
	return found, nil
}

// match says whether it is the one. What is gone meanwhile is not.
func (s search) match(pid string) (process, bool, error) {
	dir := "/proc/" + pid
	b, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return process{}, false, elsewhere(err)
	}
	p, err := parseStat(b)
	if err != nil {
		return process{}, false, err
	}
	if p.dead || p.session != p.pid || p.started < s.since {
		return p, false, nil
	}
	// Root's scripts may have become another user by now; another user's
	// processes that we may not look at are nobody's of ours.
	visible, err := readable(dir)
	if err != nil || !visible {
		return p, false, err
	}
	ok, err := s.belongs(dir, p)
	return p, ok, err
}

func (s search) belongs(dir string, p process) (bool, error) {
	if p.pid == s.writer {
		return true, nil
	}
	for _, look := range []struct {
		name string
		file file
	}{{"/cwd", s.dir}, {"/fd/1", s.log}, {"/fd/2", s.log}} {
		if look.file == (file{}) {
			continue
		}
		var st unix.Stat_t
		switch err := unix.Stat(dir+look.name, &st); {
		case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
			// It executes a program that may not be read, or has changed rights.
			if p.parent == os.Getpid() && s.others(p) {
				return false, nil
			}
			return false, fmt.Errorf("process %d may be one that an earlier supervisor was starting, and %w", p.pid, errHidden)
		case err == nil && identity(&st) == look.file:
			return true, nil
		}
	}
	return false, nil
}

// readable says whether a process is one of this user's, or we are root.
func readable(dir string) (bool, error) {
	if unix.Geteuid() == 0 {
		return true, nil
	}
	b, err := os.ReadFile(dir + "/status")
	if err != nil {
		return false, elsewhere(err)
	}
	uid, ok := realUID(b)
	if !ok {
		return false, fmt.Errorf("%s/status is not as known: it has no Uid", dir)
	}
	return uid == unix.Getuid(), nil
}

// realUID takes the first number of the line Uid of /proc/PID/status. The owner
// of /proc/PID is root's for a program that may not be read.
func realUID(status []byte) (int, bool) {
	_, rest, ok := bytes.Cut(status, []byte("\nUid:\t"))
	first, _, _ := bytes.Cut(rest, []byte{'\t'})
	uid, err := strconv.Atoi(string(first))
	return uid, ok && err == nil
}

// elsewhere takes errors that say that there is nothing of ours: the process is
// gone, or hidden from us as it is another user's.
func elsewhere(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)): the name, in parentheses,
// may hold anything; state is field 3, parent 4, session 6, threads 20, start
// time 22.
func parseStat(b []byte) (process, error) {
	after := bytes.LastIndexByte(b, ')')
	first, _, _ := bytes.Cut(b, []byte{' '})
	fields := bytes.Fields(b[after+1:])
	if after < 0 || len(fields) < 20 {
		return process{}, fmt.Errorf("/proc/PID/stat is not as known: %.80q", b)
	}
	var p process
	var threads int
	var errs [5]error
	p.pid, errs[0] = strconv.Atoi(string(first))
	p.parent, errs[1] = strconv.Atoi(string(fields[1]))
	p.session, errs[2] = strconv.Atoi(string(fields[3]))
	threads, errs[3] = strconv.Atoi(string(fields[17]))
	p.started, errs[4] = strconv.ParseUint(string(fields[19]), 10, 64)
	// A main thread can end before the others do.
	p.dead = (fields[0][0] == 'Z' || fields[0][0] == 'X') && threads <= 1
	return p, errors.Join(errs[:]...)
}

// waitsForParent says whether a process is dead and its parent, not us, has yet
// to take notice.
func waitsForParent(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	p, err := parseStat(b)
	return err == nil && p.dead && p.parent != os.Getpid()
}
