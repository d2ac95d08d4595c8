package supervise

import (
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// subject is a supervisor of one service directory: ours, or the real one.
type subject interface {
	send(t *testing.T, bytes string)
	signal(t *testing.T, s Signal)
	events() string
	record() (Status, bool) // false: cannot be read just now
	gone() <-chan struct{}
}

// patience is how long a real process may take to do what it has to.
const patience = 30 * time.Second

// until waits for a condition on the outside world.
func until(t *testing.T, what func() string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited in vain: " + what())
		}
	}
}

// ours runs the engine on real processes.
type ours struct {
	ports   *realPorts
	service *Service
	done    chan struct{}
}

func startOurs(t *testing.T, dir string) subject {
	p := newRealPorts(dir)
	o := &ours{p, New(p.config()), make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(o.done)
		if err := o.service.Run(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("ended with %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-o.done
		if c := p.child(); c != nil {
			c.Signal(syscall.SIGKILL, true)
		}
		p.wg.Wait()
		for _, w := range p.wrong {
			t.Error(w)
		}
	})
	return o
}

func (o *ours) send(t *testing.T, bytes string) {
	if err := o.service.Control([]byte(bytes)); err != nil {
		t.Fatal(err)
	}
}

func (o *ours) signal(t *testing.T, s Signal) {
	if err := o.service.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (o *ours) events() string {
	o.ports.mu.Lock()
	defer o.ports.mu.Unlock()
	return o.ports.events
}

func (o *ours) record() (Status, bool) {
	o.ports.mu.Lock()
	defer o.ports.mu.Unlock()
	return o.ports.status, true
}

func (o *ours) gone() <-chan struct{} { return o.done }

// real is a real s6-supervise.
type real struct {
	dir  string
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex // guards seen
	seen []byte
}

func startReal(t *testing.T, dir string) subject {
	r := &real{dir: dir, done: make(chan struct{})}
	events := filepath.Join(dir, "event")
	if err := os.Mkdir(events, 0o700); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(events, "ftrig1:@400000000000000000000000:abcdef")
	if err := unix.Mkfifo(fifo, 0o622); err != nil {
		t.Fatal(err)
	}
	// Read and write: no end of file between two notifications.
	listener, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64)
		for {
			n, err := listener.Read(buf)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.seen = append(r.seen, buf[:n]...)
			r.mu.Unlock()
		}
	})
	r.cmd = exec.Command(s6test.Tool(t, "s6-supervise"), filepath.Base(dir))
	r.cmd.Dir = filepath.Dir(dir)
	r.cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(r.cmd.Path)+":"+os.Getenv("PATH"))
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.cmd.Wait(); close(r.done) }()
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		<-r.done
		if s, ok := r.record(); ok && s.PID > 1 { // left behind
			syscall.Kill(-s.PID, syscall.SIGKILL)
		}
		listener.Close()
		wg.Wait()
	})
	return r
}

func (r *real) send(t *testing.T, bytes string) {
	f, err := os.OpenFile(filepath.Join(r.dir, "supervise/control"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(bytes); err != nil {
		t.Fatal(err)
	}
}

func (r *real) signal(t *testing.T, s Signal) {
	sig := [...]syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM}[s]
	if err := r.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func (r *real) events() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.seen)
}

// record decodes the 35 bytes, stamps aside.
func (r *real) record() (Status, bool) {
	b, err := os.ReadFile(filepath.Join(r.dir, "supervise/status"))
	if err != nil || len(b) != 35 {
		return Status{}, false
	}
	return Status{
		PID: int(binary.BigEndian.Uint64(b[24:])), Wait: binary.BigEndian.Uint16(b[32:]),
		Paused: b[34]&1 != 0, Finishing: b[34]&2 != 0, WantUp: b[34]&4 != 0, Ready: b[34]&8 != 0,
	}, true
}

func (r *real) gone() <-chan struct{} { return r.done }

// reach waits until a subject has sent these events and shows this record.
func reach(t *testing.T, s subject, events, record string) {
	t.Helper()
	shown := func() string {
		rec, ok := s.record()
		if !ok {
			return "none"
		}
		return flags(rec)
	}
	until(t, func() string {
		return "events " + s.events() + ", want " + events + "; record " + shown() + ", want " + record
	}, func() bool { return s.events() == events && (record == "" || shown() == record) })
}

// child is the process that the engine holds.
func (p *realPorts) child() *realChild {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newest
}

// lines splits a recording of the scripts.
func lines(b []byte) string { return strings.ReplaceAll(strings.TrimSpace(string(b)), "\n", "; ") }
