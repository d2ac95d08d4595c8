package reaper

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// maxThreads is how many processes are made at a time. More would not make it
// faster: see touch on what a fork costs the others.
const maxThreads = 2

// forks are the threads that make the processes. They are Go's, but nothing
// else runs on them, as each has a working directory and a signal mask of its
// own, which a new process inherits. Go's runtime does not make threads from
// threads like these, so that this does not spread (newm in runtime/proc.go).
//
// So a working directory needs no path and no /proc. And the mask needs it: Go
// gives a child the mask of the thread that forks (syscall_runtime_BeforeFork
// in runtime/proc.go), and its threads have what the starter of the program had
// blocked, but for the signals that end a program (minitSignalMask in
// runtime/signal_unix.go). The price is that from the first process on such
// signals reach this program.
//
// They have the umask that the program has when they are made, with the first
// processes.
type forks struct {
	idle chan *thread
	quit chan struct{}

	mu      sync.Mutex // guards closed and threads, and calls while it counts up
	closed  bool
	threads int
	calls   sync.WaitGroup // of do
	running sync.WaitGroup // threads
}

// thread is one of them.
type thread struct {
	table
	jobs chan *job
}

type job struct {
	spec *Spec
	done chan struct{} // closed when the results are there
	c    child
	err  error
}

func newForks() *forks {
	return &forks{idle: make(chan *thread, maxThreads), quit: make(chan struct{})}
}

// do makes a process in the directory spec.Dir.
func (f *forks) do(spec *Spec) (child, error) {
	if !f.enter() {
		return child{}, &fs.PathError{Op: "execute", Path: spec.Path, Err: os.ErrClosed}
	}
	defer f.calls.Done()
	var t *thread
	select {
	case t = <-f.idle:
	default:
		f.grow()
		t = <-f.idle
	}
	defer func() { f.idle <- t }()
	if err := t.give(spec); err != nil {
		return child{}, err
	}
	j := &job{spec: spec, done: make(chan struct{})}
	t.jobs <- j
	<-j.done
	if j.err == nil && t.send >= 0 {
		// The thread's pidfd is in its own table. Until we reap it, the id is
		// the child's.
		fd, err := unix.PidfdOpen(j.c.pid, 0)
		if err == nil {
			j.c.pidfd = fd
		}
	}
	return j.c, j.err
}

func (f *forks) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.calls.Add(1)
	return true
}

func (f *forks) grow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.threads >= maxThreads {
		return
	}
	f.threads++
	t := &thread{table: newTable(), jobs: make(chan *job)}
	separated := make(chan bool)
	f.running.Go(func() { f.start(t, separated) })
	t.settle(<-separated)
	f.idle <- t
}

// close ends the threads, when nothing is under way any more.
func (f *forks) close() {
	f.mu.Lock()
	again := f.closed
	f.closed = true
	f.mu.Unlock()
	f.calls.Wait()
	if !again {
		close(f.quit)
	}
	f.running.Wait()
	for range len(f.idle) {
		if t := <-f.idle; t.send >= 0 {
			_ = unix.Close(t.send)
		}
	}
}

// start makes sure that it is not on the first thread of the program, whose
// working directory is what others see as that of the program.
func (f *forks) start(t *thread, separated chan<- bool) {
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		f.serve(t, separated)
		return
	}
	// Another goroutine cannot get this thread as long as this one has it.
	other := make(chan struct{})
	f.running.Go(func() {
		runtime.LockOSThread()
		close(other)
		f.serve(t, separated)
	})
	<-other
	runtime.UnlockOSThread()
}

// serve makes processes. Its goroutine stays locked to its thread, which so ends
// with it.
func (f *forks) serve(t *thread, separated chan<- bool) {
	unshared := unix.Unshare(unix.CLONE_FS)
	masked := unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil)
	own := t.separate()
	separated <- own
	for {
		select {
		case <-f.quit:
			return
		case j := <-t.jobs:
			j.c, j.err = t.make(j.spec, own, masked, unshared)
			close(j.done)
		}
	}
}

// make makes a process.
func (t *thread) make(spec *Spec, own bool, masked, unshared error) (child, error) {
	if own {
		here, got, err := t.take(spec)
		defer closeAll(got)
		if err != nil {
			return child{}, err
		}
		spec = here
	}
	if masked != nil {
		return child{}, os.NewSyscallError("rt_sigprocmask", masked)
	}
	var c child
	var err error
	if unshared != nil {
		c, err = forkByProc(spec, unshared)
	} else {
		c, err = forkHere(spec)
	}
	if own && c.pidfd >= 0 {
		_ = unix.Close(c.pidfd)
		c.pidfd = -1
	}
	return c, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// forkHere moves this thread into the directory, and out of it again, so that
// it does not keep it.
func forkHere(spec *Spec) (child, error) {
	if err := unix.Fchdir(spec.Dir); err != nil {
		return child{}, fmt.Errorf("execute %s: enter its directory: %w", spec.Path, err)
	}
	c, err := forkExec(spec, "")
	_ = unix.Chdir("/") // else it is kept until the next
	return c, err
}

// forkByProc is for sandboxes that forbid unshare: the child goes into the
// directory by its name in /proc.
func forkByProc(spec *Spec, refused error) (child, error) {
	name := "/proc/self/fd/" + strconv.Itoa(spec.Dir)
	var st unix.Stat_t
	if err := unix.Fstat(spec.Dir, &st); err != nil {
		return child{}, fmt.Errorf("execute %s: enter its directory: %w", spec.Path, err)
	}
	if err := unix.Stat(name, &st); err != nil {
		// It matches no error: it says nothing of what was to be executed.
		return child{}, fmt.Errorf("execute %s: enter its directory: neither unshare (%s) nor /proc (%s) is usable", spec.Path, refused.Error(), err.Error())
	}
	return forkExec(spec, name)
}
