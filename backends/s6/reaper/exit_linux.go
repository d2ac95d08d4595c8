package reaper

import (
	"errors"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
)

// patience is how long the parent of a process that is not our child may take
// to reap it: only then its exit status can be read. Parents that wait need
// microseconds, but some first processes of containers never do it.
const patience = 200 * time.Millisecond

// ready is called by the mux when the process is dead, and once more when its
// parent has reaped it, if that had to be waited for.
func (t *task) ready(events uint32) mux.Next {
	next := t.look(events&unix.EPOLLHUP != 0)
	if next == mux.Done {
		t.mu.Lock()
		grace := t.grace
		t.mu.Unlock()
		if grace != nil {
			grace.Remove()
		}
	}
	return next
}

// late is called by the mux when patience is over.
func (t *task) late(uint32) mux.Next {
	t.look(true)
	t.watch.Remove()
	return mux.Done
}

// look reaps the process if it is dead, and tells its owner. final says that
// there is nothing more to wait for.
func (t *task) look(final bool) mux.Next {
	t.mu.Lock()
	if t.fd < 0 {
		t.mu.Unlock()
		return mux.Done
	}
	exit, next := t.reap(final)
	if next != mux.Done {
		t.mu.Unlock()
		return next
	}
	owner := t.owner
	t.fd, t.owner = -1, nil
	t.mu.Unlock()
	t.r.forget(t)
	if owner != nil {
		owner.tell(exit)
	}
	return mux.Done
}

// reap returns how the process ended, or what to wait for.
func (t *task) reap(final bool) (Exit, mux.Next) {
	switch err := waitable(t.fd); {
	case errors.Is(err, unix.ECHILD):
		return t.inquire(final)
	case err != nil:
		return Exit{Unknown: true}, mux.Done
	}
	// It is our child and only we wait for it: the id is still its own.
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(t.pid, &status, syscall.WNOHANG, nil)
	switch {
	case err != nil:
		return Exit{Unknown: true}, mux.Done
	case pid == 0:
		return Exit{}, mux.Readable
	}
	return Exit{Status: status}, mux.Done
}

// inquire is reap for a process that somebody else reaps.
func (t *task) inquire(final bool) (Exit, mux.Next) {
	status, known, err := exitInfo(t.fd)
	switch {
	case known:
		return Exit{Status: status}, mux.Done
	case err != nil || final:
		return Exit{Unknown: true}, mux.Done
	case t.grace != nil:
		return Exit{}, mux.Hangup
	}
	if t.grace, err = t.r.after(t.r.patience, t.late); err != nil {
		return Exit{Unknown: true}, mux.Done
	}
	return Exit{}, mux.Hangup
}

// after calls ready once, on Run's goroutine. Removing the watch frees it.
func (r *Reaper) after(d time.Duration, ready func(uint32) mux.Next) (*mux.Watch, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	err = unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
	if err == nil {
		var w *mux.Watch
		if w, err = r.mux.Own(fd, ready); err == nil {
			return w, nil
		}
	}
	unix.Close(fd)
	return nil, err
}

// waitable says whether one can wait for the process behind a pidfd: ECHILD if
// it is not our child, or if it has been reaped. It does not reap it.
func waitable(fd int) error {
	return unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
}

func sendSignal(fd int, sig syscall.Signal, flags int) error {
	return unix.PidfdSendSignal(fd, sig, nil, flags)
}

// pidfdInfo is struct pidfd_info of linux/pidfd.h in its first version.
type pidfdInfo struct {
	mask     uint64
	cgroup   uint64
	ids      [11]uint32 // pid, tgid, ppid, and eight ids of users and groups
	exitCode int32      // in the form of a wait status
}

const (
	// pidfdGetInfo is PIDFD_GET_INFO, _IOWR(0xFF, 11, struct pidfd_info).
	pidfdGetInfo = 3<<30 | unsafe.Sizeof(pidfdInfo{})<<16 | 0xFF<<8 | 11
	// infoExit is PIDFD_INFO_EXIT.
	infoExit = 1 << 3
)

// exitInfo asks the kernel how the process behind a pidfd ended. It is known
// when its parent has reaped it. An error means that this kernel does not tell
// (before Linux 6.15).
func exitInfo(fd int) (status syscall.WaitStatus, known bool, err error) {
	info := pidfdInfo{mask: infoExit}
	// golang.org/x/sys has no call for it.
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), pidfdGetInfo, uintptr(unsafe.Pointer(&info)))
	if errno != 0 {
		return 0, false, errno
	}
	return syscall.WaitStatus(uint32(info.exitCode)), info.mask&infoExit != 0, nil
}
