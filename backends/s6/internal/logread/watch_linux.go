package logread

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What is watched in the log directory, and in those above it. In the log directory
// names that go are of no interest: what was read stays open, and new is only what
// appears.
const (
	dirMask   = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR
	aboveMask = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE | unix.IN_ONLYDIR
	gone      = unix.IN_UNMOUNT | unix.IN_IGNORED
)

// changes is what events call for.
type changes struct {
	files     bool // look which files there are
	path      bool // look which directory is at the path
	processed bool // an archive processor is at work
}

// watcher tells of changes in the log directory and at the path to it. Its
// inotify instance is in the runtime's poller: waiting costs no thread and ends
// by deadline.
type watcher struct {
	f   *os.File
	buf [4 << 10]byte

	dir   int            // watch descriptor of the log directory; -1: none
	above map[int]string // those of the directories above, with the name that leads on
}

func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if errors.Is(err, unix.EMFILE) {
		return nil, fmt.Errorf("follow log: too many open files or inotify instances of this user; raise ulimit -n or fs.inotify.max_user_instances: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("follow log: %w", os.NewSyscallError("inotify_init1", err))
	}
	return &watcher{f: os.NewFile(uintptr(fd), "inotify"), dir: -1}, nil
}

// interrupt ends a wait in progress and all later ones.
func (w *watcher) interrupt() { w.f.SetReadDeadline(time.Unix(1, 0)) }

func (w *watcher) close() { w.f.Close() }

// watchDir watches d instead of the directory before. Not the path but the held
// directory is what counts; without /proc it has to be the path.
func (w *watcher) watchDir(d *logDir) error {
	wd, err := w.add("/proc/self/fd/"+strconv.Itoa(d.FD()), dirMask)
	if errors.Is(err, fs.ErrNotExist) {
		wd, err = w.add(d.Path(), dirMask|unix.IN_DONT_FOLLOW)
	}
	if err != nil {
		return watchError(d.Path(), err)
	}
	if w.dir != wd {
		w.remove(w.dir)
	}
	w.dir = wd
	return nil
}

// watchAbove watches the directories on the way to path, as far as there are any,
// for what leads on to appear or go. All of them, as a directory that was removed
// but is still in use somewhere tells nothing itself. It begins at the top, so that
// one that is made meanwhile is noticed.
//
// The error is about the last that is there; the way may be watched all the same
// where the log directory exists.
func (w *watcher) watchAbove(path string) error {
	above := map[int]string{}
	var last error
	for at, rest := "/", path[1:]; rest != ""; {
		name, below, _ := strings.Cut(rest, "/")
		wd, err := w.add(at, aboveMask)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			break
		}
		if last = err; err == nil {
			above[wd] = name
		} else {
			last = watchError(at, err)
		}
		at, rest = filepath.Join(at, name), below
	}
	for wd := range w.above {
		if _, still := above[wd]; !still {
			w.remove(wd)
		}
	}
	w.above = above
	return last
}

func watchError(path string, err error) error {
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("follow log: cannot watch %s: too many inotify watches of this user; raise fs.inotify.max_user_watches: %w", path, err)
	}
	return fmt.Errorf("follow log: cannot watch %s: %w", path, err)
}

func (w *watcher) add(path string, mask uint32) (wd int, err error) {
	cerr := w.control(func(fd int) { wd, err = unix.InotifyAddWatch(fd, path, mask) })
	return wd, errors.Join(cerr, err)
}

// remove ends a watch. That fails, rightly, where the kernel has ended it already,
// or there is none.
func (w *watcher) remove(wd int) {
	_ = w.control(func(fd int) { _, _ = unix.InotifyRmWatch(fd, uint32(wd)) })
}

func (w *watcher) control(call func(fd int)) error {
	c, err := w.f.SyscallConn()
	if err != nil {
		return err
	}
	return c.Control(func(fd uintptr) { call(int(fd)) })
}

// wait waits for events and returns what they call for. Those that say only that
// bytes were written call for nothing but another read.
func (w *watcher) wait() (changes, error) {
	n, err := w.f.Read(w.buf[:])
	if err != nil {
		return changes{}, err
	}
	return w.parse(n), nil
}

// poll is wait without waiting.
func (w *watcher) poll() (changes, error) {
	var n int
	var err error
	cerr := w.control(func(fd int) { n, err = unix.Read(fd, w.buf[:]) })
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return changes{}, cerr
	}
	if err := errors.Join(cerr, err); err != nil {
		return changes{}, err
	}
	return w.parse(n), nil
}

func (w *watcher) parse(n int) changes {
	var c changes
	// struct inotify_event: wd, mask, cookie, len, name[len] with NULs at its end
	for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		wd := int(int32(binary.NativeEndian.Uint32(b)))
		mask := binary.NativeEndian.Uint32(b[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:end], []byte{0})
		b = b[end:]
		w.take(&c, wd, mask, string(name))
	}
	return c
}

func (w *watcher) take(c *changes, wd int, mask uint32, below string) {
	switch {
	case mask&unix.IN_Q_OVERFLOW != 0: // events were lost
		c.files, c.path = true, true
	case wd == w.dir && mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0:
		if below == current || strings.HasPrefix(below, "@") {
			c.files = true
		}
		if below == processed {
			c.processed = true
		}
	case wd == w.dir && mask&gone != 0:
		w.dir = -1
		c.path = true
	default:
		name, ok := w.above[wd]
		c.path = c.path || ok && (below == name || mask&gone != 0)
	}
}
