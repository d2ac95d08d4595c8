package pid1

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// isFirst says whether this is the first process of its pid namespace, whose end
// is that of all others.
func isFirst() bool { return os.Getpid() == 1 }

// anybodyLeft says whether there is somebody we could signal.
func anybodyLeft() bool {
	if !childless() {
		return true
	}
	return isFirst() && strangerLeft()
}

// strangerLeft looks for one that was not started in here, as by docker exec.
// Without /proc nobody can tell those from the dead whom their parents have not
// waited for yet.
func strangerLeft() bool {
	for pid, st := range allProcesses() {
		if isStranger(pid, st) && syscall.Kill(pid, 0) == nil {
			return true
		}
	}
	return false
}

func isStranger(pid int, st stat) bool {
	return pid != os.Getpid() && st.parent != os.Getpid() && st.state != 'Z' && st.state != 'X'
}

// signalRest sends to everybody who is left: as PID 1 to all, else to all who
// descend from us, and nobody else.
func signalRest(signals ...syscall.Signal) {
	if isFirst() {
		for _, sig := range signals {
			_ = syscall.Kill(-1, sig) // nobody is there, or nobody of ours
		}
		return
	}
	told := map[relative]bool{}
	again := true
	for range mostRounds { // who was told may have had time to fork
		if !again {
			break
		}
		again = false
		for _, r := range descendants() {
			if !told[r] {
				told[r], again = true, true
				r.signal(signals)
			}
		}
	}
}

// mostRounds is how often we look for others: who forks faster than that is
// looked for again when the time is over.
const mostRounds = 8

// relative is a process, told from all others of this boot.
type relative struct {
	pid   int
	began string
}

func (r relative) signal(signals []syscall.Signal) {
	fd, err := unix.PidfdOpen(r.pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if now, err := statOf(r.pid); err != nil || now.began != r.began {
		return // another got its number
	}
	for _, sig := range signals {
		_ = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
}

// stat is what /proc tells of a process.
type stat struct {
	parent int
	state  byte
	began  string
}

var errStat = errors.New("not as proc_pid_stat(5) has it")

func statOf(pid int) (stat, error) { return readStat("/proc/" + strconv.Itoa(pid) + "/stat") }

func readStat(path string) (stat, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return stat{}, err
	}
	_, text, ok := bytes.Cut(text[max(bytes.LastIndexByte(text, ')'), 0):], []byte(" ")) // a name may hold anything
	fields := bytes.Fields(text)
	if !ok || len(fields) < 20 {
		return stat{}, errStat
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return stat{}, errStat
	}
	return stat{parent: parent, state: fields[0][0], began: string(fields[19])}, nil
}

func allProcesses() map[int]stat {
	all := map[int]stat{}
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if st, err := statOf(pid); err == nil {
				all[pid] = st
			}
		}
	}
	return all
}

func descendants() []relative {
	all := allProcesses()
	var found []relative
	for pid := range all {
		for at, steps := pid, 0; at > 1 && steps < len(all); at, steps = all[at].parent, steps+1 { // no circle, whatever changed meanwhile
			if all[at].parent == os.Getpid() {
				found = append(found, relative{pid, all[pid].began})
				break
			}
		}
	}
	return found
}

// strangers tells, until stop, when one of those who are left and are not our
// children has ended: of them there is no other news.
func strangers(stop <-chan struct{}, tell chan<- struct{}) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		<-stop
		_, _ = unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}()
	defer func() { <-over; unix.Close(wake) }()
	for {
		fds := openStrangers()
		fds = append(fds, unix.PollFd{Fd: int32(wake), Events: unix.POLLIN})
		_, err := unix.Poll(fds, -1)
		for _, p := range fds[:len(fds)-1] {
			unix.Close(int(p.Fd))
		}
		if err != nil && !errors.Is(err, unix.EINTR) || fds[len(fds)-1].Revents != 0 {
			return
		}
		select {
		case tell <- struct{}{}:
		default:
		}
	}
}

func openStrangers() []unix.PollFd {
	var fds []unix.PollFd
	for pid, st := range allProcesses() {
		if !isStranger(pid, st) {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		if unix.PidfdSendSignal(fd, 0, nil, 0) != nil { // what we may not signal, we do not wait for
			unix.Close(fd)
			continue
		}
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return fds
}
