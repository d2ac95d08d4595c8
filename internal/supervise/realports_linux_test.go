package supervise

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// realPorts is a service directory on disk with real processes; what the engine
// keeps of it stays in memory.
type realPorts struct {
	*fakeWorld
	dir    string
	wg     sync.WaitGroup
	newest *realChild // guarded by the mu of the fakeWorld
}

func newRealPorts(dir string) *realPorts {
	w := newWorld(nil)
	return &realPorts{fakeWorld: w, dir: dir}
}

func (p *realPorts) config() Config {
	c := p.fakeWorld.config()
	c.Files, c.Processes, c.Store = p, p, p
	return c
}

func (p *realPorts) Read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(p.dir, name)) }

func (p *realPorts) Exists(name string) (bool, error) {
	_, err := os.Lstat(filepath.Join(p.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (p *realPorts) SetDown(down bool) error {
	name := filepath.Join(p.dir, "down")
	if down {
		return os.WriteFile(name, nil, 0o644)
	}
	if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (p *realPorts) ReleaseStdio() {}

// realChild is a process of ours; one goroutine waits for it and another reads
// its readiness.
type realChild struct {
	cmd   *exec.Cmd
	exit  chan Exit
	ready chan bool
	pipe  *os.File
	read  chan struct{} // closed when the pipe is no longer read

	mu     sync.Mutex // guards reaped
	reaped bool
}

func (p *realPorts) Start(spec StartSpec) (Child, error) {
	c := &realChild{exit: make(chan Exit, 1)}
	c.cmd = &exec.Cmd{
		Path: spec.Path, Args: spec.Args, Dir: p.dir,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	var write *os.File
	if spec.NotifyFD != 0 {
		if spec.NotifyFD != 3 {
			return nil, errors.New("this test knows descriptor 3 only")
		}
		var err error
		if c.pipe, write, err = os.Pipe(); err != nil {
			return nil, err
		}
		c.cmd.ExtraFiles = []*os.File{write}
	}
	err := c.cmd.Start()
	if write != nil {
		write.Close()
	}
	if err != nil {
		if c.pipe != nil {
			c.pipe.Close()
		}
		return nil, err
	}
	if c.pipe != nil {
		c.ready, c.read = make(chan bool, 1), make(chan struct{})
		p.wg.Go(c.listen)
	}
	p.wg.Go(c.wait)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest = c
	return c, nil
}

// listen reads up to the first newline or the end.
func (c *realChild) listen() {
	defer close(c.read)
	buf := make([]byte, 1)
	for {
		_, err := c.pipe.Read(buf)
		switch {
		case errors.Is(err, io.EOF):
			c.ready <- false
			return
		case err != nil:
			return
		case buf[0] == '\n':
			c.ready <- true
			return
		}
	}
}

func (c *realChild) wait() {
	// Only look: the pid stays this process's until nobody signals it.
	for errors.Is(unix.Waitid(unix.P_PID, c.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cmd.Wait()
	c.reaped = true
	c.exit <- Exit{Wait: uint16(c.cmd.ProcessState.Sys().(syscall.WaitStatus))}
}

func (c *realChild) PID() int           { return c.cmd.Process.Pid }
func (c *realChild) Ticks() uint64      { return 0 }
func (c *realChild) Exit() <-chan Exit  { return c.exit }
func (c *realChild) Ready() <-chan bool { return c.ready }
func (c *realChild) Release()           { c.CloseReady() }

func (c *realChild) CloseReady() {
	if c.pipe == nil {
		return
	}
	c.pipe.SetReadDeadline(time.Unix(1, 0))
	<-c.read
	if len(c.ready) == 0 {
		c.lastWords()
	}
	c.pipe.Close()
	c.pipe = nil
}

// lastWords looks at what is in the pipe, and waits for nothing.
func (c *realChild) lastWords() {
	conn, err := c.pipe.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		buf := make([]byte, 4096)
		n, _ := syscall.Read(int(fd), buf)
		if n > 0 && bytes.IndexByte(buf[:n], '\n') >= 0 {
			c.ready <- true
		}
	})
}

func (c *realChild) Signal(sig syscall.Signal, group bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.reaped:
		return os.ErrProcessDone
	case group:
		return syscall.Kill(-c.PID(), sig)
	default:
		return syscall.Kill(c.PID(), sig)
	}
}
