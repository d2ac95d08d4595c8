package logface

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/pool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
)

// Config is what a face needs. Only Warn and Left may be nil.
type Config struct {
	// Name is the service's, "web" for web/log.
	Name string
	// Pool writes the log.
	Pool *pool.Pool
	// Mux tells of commands.
	Mux *mux.Mux
	// Super is how the directory is taken.
	Super superdir.Config
	// Warn takes what an operator should know, one line each.
	Warn func(text string)
	// Left is called once, from the face's goroutine, when a command x has made
	// it leave: the directory is free. It is not called where Close was called
	// meanwhile. It must not block.
	Left func()
}

// Face is a pooled log. It has a goroutine from Open on, which Close, Leave or
// the command x ends.
type Face struct {
	cfg   Config
	dir   *superdir.Dir
	path  string // where it was found, absolute
	keep  int    // holds the FIFO open, so that what is in it stays
	watch *mux.Watch

	wake  chan struct{} // holds one: there is mail
	done  chan struct{} // closed: it has left
	drain func(*pool.Sink) (left int, why string, err error)
	stop  context.CancelCauseFunc // ends drains
	work  sync.WaitGroup          // drains

	mu   sync.Mutex // guards what follows
	mail []func()   // for the goroutine
	gone bool       // no more mail, and the directory is not ours any more

	state // the goroutine's

	left int   // after done: bytes that stay in the FIFO
	err  error // after done
}

// mostMail is how many commands may wait; those above are lost, as the status
// tells.
const mostMail = 1024

// Open takes a log service directory, in which the tree is the supervisor from
// then on, makes its FIFO, and has the pool write the log unless there is a file
// down. dir is owned from then on, also on error.
//
// Errors: superdir.ErrRunning, and others of superdir.Open and control.Listen.
func Open(dir *fsat.Dir, cfg Config) (*Face, error) {
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	path, err := filepath.Abs(dir.Path())
	if err != nil {
		dir.Close()
		return nil, err
	}
	super, err := superdir.Open(dir, cfg.Super)
	if err != nil {
		return nil, err
	}
	f := &Face{
		cfg: cfg, dir: super, path: path, keep: -1,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	quit, stop := context.WithCancelCause(context.Background())
	f.stop = stop
	f.drain = func(s *pool.Sink) (int, string, error) { return s.Drain(quit) }
	if err := f.begin(); err != nil {
		f.release()
		return nil, err
	}
	go f.run()
	return f, nil
}

// begin opens the FIFO, writes the first status, and listens.
func (f *Face) begin() error {
	sup, err := f.dir.Dir().Sub("supervise")
	if err != nil {
		return err
	}
	defer sup.Close()
	if f.keep, err = control.Listen(sup, "input", 0o600, superdir.NoGroup); err != nil {
		return err
	}
	isDown, err := f.dir.Exists("down")
	if err != nil {
		return err
	}
	if err := f.first(!isDown); err != nil {
		return err
	}
	f.watch, err = f.cfg.Mux.Add(f.dir.ControlFD(), func(uint32) bool {
		var buf [256]byte
		if n := f.dir.ReadControl(buf[:]); n > 0 {
			f.command(buf[:n])
		}
		return true
	})
	return err
}

// command has the goroutine do what was written into the control FIFO.
func (f *Face) command(bytes []byte) {
	text := string(bytes)
	f.mu.Lock()
	full := len(f.mail) >= mostMail
	f.mu.Unlock()
	if full {
		f.cfg.Warn(fmt.Sprintf("%s/log: %d commands are lost: too many wait", f.cfg.Name, len(text)))
		return
	}
	f.post(func() { f.commands(text) })
}

// post has the goroutine do something. It does not wait.
func (f *Face) post(do func()) {
	f.mu.Lock()
	if !f.gone {
		f.mail = append(f.mail, do)
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *Face) run() {
	f.start()
	for !f.leaves {
		<-f.wake
		f.mu.Lock()
		mail := f.mail
		f.mail = nil
		f.mu.Unlock()
		for _, do := range mail {
			if !f.leaves {
				do()
			}
		}
	}
	f.end()
}

// end tells that the supervisor leaves, and gives everything back.
func (f *Face) end() {
	f.mu.Lock()
	f.gone = true
	f.mail = nil
	f.mu.Unlock()
	f.watch.Remove()
	f.stop(errors.New("the log is left"))
	f.work.Wait()
	f.dir.Notify("x")
	f.left = f.Waiting()
	f.release()
	close(f.done)
	if f.byCommand && f.cfg.Left != nil {
		f.cfg.Left()
	}
}

func (f *Face) release() {
	f.stop(nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = true
	if f.keep >= 0 {
		unix.Close(f.keep)
		f.keep = -1
	}
	if err := f.dir.Close(); err != nil {
		f.cfg.Warn(f.cfg.Name + "/log: " + err.Error())
	}
}

// Waiting is how many bytes the service has written that are not in its log; 0
// once the face has left.
func (f *Face) Waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keep < 0 {
		return 0
	}
	n, err := unix.IoctlGetInt(f.keep, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// Done is closed when the face has left, for whatever reason.
func (f *Face) Done() <-chan struct{} { return f.done }

// OpenInput opens the FIFO as a service has it for its standard output: it blocks,
// and is a reader too, so that the service waits, and is not killed, when nobody
// reads. The caller owns the descriptor. The error is fs.ErrClosed once the face
// has left; OpenInput of the package works then too.
func (f *Face) OpenInput() (fd int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return -1, os.ErrClosed
	}
	return OpenInput(f.dir.Dir())
}

// OpenInput opens the FIFO in a log service directory that a face has made it in.
func OpenInput(dir *fsat.Dir) (fd int, err error) {
	// O_RDWR does not wait for another side.
	fd, err = dir.OpenFD("supervise/input", unix.O_RDWR, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		unix.Close(fd)
		return -1, errors.Join(fmt.Errorf("%s is no FIFO; remove it, and restart the service", dir.Path("supervise/input")), err)
	}
	return fd, nil
}

// Close has the pipe drained and the log closed, and leaves. It returns how many
// bytes stay in the pipe. The error is the cause of ctx if that has ended before.
// A face that has left already is no error. It may be called again, and from any
// goroutine.
func (f *Face) Close(ctx context.Context) (left int, err error) {
	f.post(func() { f.leave(false) })
	select {
	case <-f.done:
	case <-ctx.Done():
		f.stop(context.Cause(ctx))
		<-f.done
	}
	return f.left, f.err
}

// Leave gives the directory up as it is: what is in the pipe stays the log
// process's, which ends by itself when its tree does. It is for a tree that leaves
// its services running.
func (f *Face) Leave() {
	f.post(func() { f.leaves = true })
	<-f.done
}

// where is the directory now, if that can be told: it may have been renamed.
func (f *Face) where() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return f.path
	}
	now, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(f.dir.Dir().FD()))
	if err != nil || !strings.HasPrefix(now, "/") {
		return f.path
	}
	return now
}
