// Package procs starts and adopts the processes of one service: the Processes
// and the Child of internal/supervise, on package reaper.
package procs

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Stdio is where the descriptors 0 and 1 of the next process come from. done is
// called when the process has been started, or not; with an error there is none.
type Stdio func() (in, out int, done func(), err error)

// Config is what the processes of a service have in common.
type Config struct {
	Reaper *reaper.Reaper
	Mux    *mux.Mux // watches readiness pipes
	Dir    *fsat.Dir
	// Lock is the descriptor of the lock on the directory, which a process
	// that is being made holds, too, until it has executed its program: so
	// none can be under way when a later supervisor has the lock. 0: none.
	Lock   int
	Stdio  Stdio // nil: /dev/null
	Stderr int
	Env    []string // see Environ; nil: that of this program
	// Check refuses to execute a file; nil: everything may be executed.
	Check func(path string) error
}

// notifyEnv tells a service on which descriptor its readiness is awaited (see
// servicemanager/notify).
const notifyEnv = "NOTIFY_FD="

// Procs is supervise.Processes.
type Procs struct {
	cfg      Config
	released bool
}

// New returns the Processes of a service.
func New(cfg Config) *Procs {
	if cfg.Env == nil {
		cfg.Env = Environ(os.Environ())
	}
	return &Procs{cfg: cfg}
}

// Environ is env without what tells of somebody else's readiness descriptor.
// The result may be shared by all services.
func Environ(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(s string) bool { return strings.HasPrefix(s, notifyEnv) })
}

// ReleaseStdio makes 0 and 1 of the processes to come /dev/null.
func (p *Procs) ReleaseStdio() { p.released = true }

// Start executes run or finish.
func (p *Procs) Start(spec supervise.StartSpec) (supervise.Child, error) {
	if p.cfg.Check != nil {
		if err := p.cfg.Check(strings.TrimPrefix(spec.Path, "./")); err != nil {
			return nil, err
		}
	}
	in, out, done, err := p.stdio()
	if err != nil {
		return nil, err
	}
	defer done()
	files, env := []int{in, out, p.cfg.Stderr}, p.cfg.Env
	c := &child{exit: make(chan supervise.Exit, 1), pipe: -1}
	if fd := spec.NotifyFD; fd != 0 {
		if err := mayHave(fd); err != nil {
			return nil, err
		}
		write, err := c.listen(p.cfg.Mux)
		if err != nil {
			return nil, err
		}
		defer unix.Close(write)
		for len(files) <= fd {
			files = append(files, -1)
		}
		files[fd] = write
		env = append(slices.Clip(env), notifyEnv+strconv.Itoa(fd))
	}
	program := reaper.Spec{
		Path: spec.Path, Args: spec.Args, Env: env, Dir: p.cfg.Dir.FD(), Files: files, Hold: p.hold(), Exited: c.exited,
	}
	c.process, err = p.cfg.Reaper.Start(program)
	if err != nil {
		instead, ok, why := interpreted(p.cfg.Dir, program, err)
		switch {
		case ok:
			c.process, err = p.cfg.Reaper.Start(instead)
		case why != nil:
			err = why
		}
	}
	if err != nil {
		c.CloseReady()
		return nil, err
	}
	return c, nil
}

// hold is what a process that is being made has until it has executed its
// program.
func (p *Procs) hold() []int {
	if p.cfg.Lock <= 0 {
		return nil
	}
	return []int{p.cfg.Lock}
}

func (p *Procs) stdio() (in, out int, done func(), err error) {
	if !p.released && p.cfg.Stdio != nil {
		return p.cfg.Stdio()
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, 0, nil, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	return null, null, func() { unix.Close(null) }, nil
}

// mayHave says whether a process can have a descriptor of this number: else the
// execution fails and tells nothing.
func mayHave(fd int) error {
	var most unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &most); err != nil || uint64(fd) < most.Cur {
		return nil
	}
	return fmt.Errorf("notification-fd is %d, but descriptors end at %d here (RLIMIT_NOFILE); use a small number, such as 3", fd, most.Cur-1)
}
