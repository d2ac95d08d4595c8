package reaper

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// table is the descriptor table of a thread that makes processes. A fork copies
// the table of its thread and the new program closes what is marked: with
// thousands of descriptors, as a tree of a thousand services has, that takes
// longer than everything else. So the thread has a table of its own, almost empty,
// and what a process is to have is sent to it through a pair of sockets.
type table struct {
	send    int // the program's end; -1: the thread has the program's table
	receive int // the thread's, in its table
}

func newTable() table {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return table{send: -1, receive: -1}
	}
	return table{send: pair[0], receive: pair[1]}
}

// separate is called by the thread. Where it fails the thread has the program's
// table, which is as good but slower.
func (t *table) separate() bool {
	if t.send < 0 {
		return false
	}
	// Without /proc it cannot be told what must be closed and what not.
	if _, err := openDescriptors(); err != nil {
		return false
	}
	// unshare(CLONE_FILES) by a call that containers allow. Nothing is closed: no
	// descriptor is that high.
	if err := unix.CloseRange(math.MaxInt32-1, math.MaxInt32, unix.CLOSE_RANGE_UNSHARE); err != nil {
		return false
	}
	fds, err := openDescriptors()
	if err != nil {
		return true // it keeps copies of what there was
	}
	for _, fd := range fds {
		if fd > 2 && fd != t.receive && !isRuntimes(fd) {
			_ = unix.Close(fd)
		}
	}
	// A copy of these would hide their end from others. Descriptor 2 is where a
	// panic of this thread goes.
	if null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
		_ = unix.Dup3(null, 0, unix.O_CLOEXEC)
		_ = unix.Dup3(null, 1, unix.O_CLOEXEC)
		if null > 2 {
			_ = unix.Close(null)
		}
	}
	return true
}

// openDescriptors lists those of the calling thread; one of them is closed by
// then, which is that of the listing.
func openDescriptors() ([]int, error) {
	dir, err := os.Open("/proc/thread-self/fd")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	listing := int(dir.Fd())
	fds := make([]int, 0, len(names))
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd != listing {
			fds = append(fds, fd)
		}
	}
	return fds, nil
}

// isRuntimes says whether a descriptor may be one that Go's runtime uses on any
// thread: its poller's (netpoll_epoll.go), which writes to an eventfd to wake it.
func isRuntimes(fd int) bool {
	target, err := os.Readlink(filepath.Join("/proc/thread-self/fd", strconv.Itoa(fd)))
	return err != nil || strings.HasPrefix(target, "anon_inode:[eventpoll]") || strings.HasPrefix(target, "anon_inode:[eventfd]")
}

// settle is called by the program when the thread has separated itself, or not.
func (t *table) settle(separated bool) {
	if separated {
		_ = unix.Close(t.receive) // the program's copy
		return
	}
	if t.send >= 0 {
		_ = unix.Close(t.send)
		_ = unix.Close(t.receive)
	}
	t.send = -1
}

// give sends the descriptors of a process.
func (t *table) give(spec *Spec) error {
	if t.send < 0 {
		return nil
	}
	fds := []int{spec.Dir}
	for _, fd := range spec.Files {
		if fd >= 0 && !slices.Contains(fds, fd) {
			fds = append(fds, fd)
		}
	}
	fds = append(fds, spec.Hold...) // last: the thread need not find them again
	if err := unix.Sendmsg(t.send, []byte{0}, unix.UnixRights(fds...), nil, 0); err != nil {
		return fmt.Errorf("execute %s: hand over its descriptors: %w", spec.Path, err)
	}
	return nil
}

// take receives the descriptors of a process, in the thread, and returns them
// for closing, and the process with the numbers that they have here.
func (t *table) take(spec *Spec) (*Spec, []int, error) {
	var b [1]byte
	oob := make([]byte, unix.CmsgSpace(4*(1+len(spec.Files)+len(spec.Hold))))
	var n int
	var err error
	for {
		_, n, _, _, err = unix.Recvmsg(t.receive, b[:], oob, unix.MSG_CMSG_CLOEXEC)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	var got []int
	if err == nil {
		got, err = rights(oob[:n])
	}
	if err != nil {
		return nil, got, fmt.Errorf("execute %s: take over its descriptors: %w", spec.Path, err)
	}
	here := *spec
	here.Files = make([]int, len(spec.Files))
	sent := []int{spec.Dir}
	for i, fd := range spec.Files {
		at := slices.Index(sent, fd)
		switch {
		case fd < 0:
			here.Files[i] = -1
			continue
		case at < 0:
			at = len(sent)
			sent = append(sent, fd)
		}
		if at >= len(got) {
			return nil, got, fmt.Errorf("execute %s: take over its descriptors: %w", spec.Path, unix.EMFILE)
		}
		here.Files[i] = got[at]
	}
	if len(got) == 0 {
		return nil, got, fmt.Errorf("execute %s: take over its descriptors: %w", spec.Path, unix.EMFILE)
	}
	here.Dir = got[0]
	return &here, got, nil
}

func rights(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var got []int
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return got, err
		}
		got = append(got, fds...)
	}
	return got, nil
}
