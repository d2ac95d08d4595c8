package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
)

// Config says how to run the log process.
type Config struct {
	// Reaper starts it, in a session of its own.
	Reaper *reaper.Reaper
	// Command is its argv. Command[0] is a path, not looked up.
	Command []string
	// Env is its environment, by which ${NAME}/ in directives is replaced; nil:
	// the caller's.
	Env []string
	// Stdout is where lines go that a directive 1 sends to standard output, -1:
	// nowhere. Stderr takes its warnings. Both stay the caller's, and open until
	// Run has returned.
	Stdout, Stderr int
	// Warn takes what an operator should know, one line each. It is called from
	// several goroutines; nil drops it.
	Warn func(text string)

	retry retryTimes // zero: defaultRetry
}

// retryTimes are the times between two starts.
type retryTimes struct {
	first, most time.Duration // the first start again is at once, then it doubles
	reset       time.Duration // alive for so long, it is as good as new
}

// defaultRetry is what the zero value of Config.retry stands for.
func defaultRetry() retryTimes {
	return retryTimes{first: 100 * time.Millisecond, most: 30 * time.Second, reset: 10 * time.Second}
}

// ErrEnded means that the pool has ended, so that nobody reads the pipe.
var ErrEnded = errors.New("the log process has ended with its tree")

// Pool is a log process, whichever it is at present, and the logs it writes.
// Its methods may be called from any goroutine; none waits for the process but
// End and [Sink.Drain].
type Pool struct {
	cfg  Config
	wake chan struct{} // holds one: there is a sink
	end  chan struct{} // closed: the process is to end
	over chan struct{} // closed: Run has returned

	mu    sync.Mutex // guards what follows, and everything of sinks
	sinks map[string]*Sink
	busy  map[string]bool // ids that the present process knows
	made  int             // sinks so far, for ids
	now   *generation     // nil: there is no process
	ended bool
}

// New makes a pool. Its owner calls Run.
func New(cfg Config) *Pool {
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	if cfg.retry == (retryTimes{}) {
		cfg.retry = defaultRetry()
	}
	return &Pool{
		cfg: cfg, wake: make(chan struct{}, 1), end: make(chan struct{}), over: make(chan struct{}),
		sinks: map[string]*Sink{}, busy: map[string]bool{},
	}
}

// PID is the process id of the log process, 0 while there is none.
func (p *Pool) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid()
}

func (p *Pool) pid() int {
	if p.now == nil {
		return 0
	}
	return p.now.pid
}

// Run keeps the process running from the first Add on. It returns nil after End,
// and the cause of ctx when that ends: the process is left to itself then, to
// drain what there is and to exit.
func (p *Pool) Run(ctx context.Context) error {
	defer close(p.over)
	select {
	case <-p.wake:
	case <-p.end:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var wait time.Duration
	for again := false; ; again = true {
		began := time.Now()
		err := p.generation(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case p.isEnded():
			return nil
		}
		wait = p.cfg.retry.next(wait, again, time.Since(began))
		p.cfg.Warn(fmt.Sprintf("the log process %v; it is started again %s, what services write waits in their pipes", err, when(wait)))
		if !p.pause(ctx, wait) {
			if p.isEnded() {
				return nil
			}
			return context.Cause(ctx)
		}
	}
}

// next is how long to wait before a start, after the wait before the last one.
func (r retryTimes) next(last time.Duration, again bool, lived time.Duration) time.Duration {
	switch {
	case !again || lived >= r.reset:
		return 0
	case last == 0:
		return r.first
	default:
		return min(2*last, r.most)
	}
}

func when(wait time.Duration) string {
	if wait == 0 {
		return "at once"
	}
	return "in " + wait.String()
}

// pause waits, and answers false if it was cut short by an end.
func (p *Pool) pause(ctx context.Context, wait time.Duration) bool {
	if wait == 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.end:
	case <-ctx.Done():
	}
	return false
}

func (p *Pool) isEnded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// End has the process drain everything and exit, and waits for that. When ctx
// ends first the process is killed, which loses nothing but what nobody reads any
// more, and the error is the cause of ctx. Sinks that matter are drained one by
// one before, as only [Sink.Drain] tells what was left.
func (p *Pool) End(ctx context.Context) error {
	p.mu.Lock()
	if !p.ended {
		p.ended = true
		close(p.end)
	}
	p.mu.Unlock()
	select {
	case <-p.over:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	g := p.now
	p.mu.Unlock()
	if g != nil {
		_ = g.process.Signal(syscall.SIGKILL) // it may just have ended
	}
	select {
	case <-p.over:
	case <-time.After(killPatience):
		// Nothing ends a process that waits for a file system. It keeps no one.
		p.cfg.Warn(fmt.Sprintf("the log process %d cannot be ended; it is left behind", p.PID()))
	}
	return context.Cause(ctx)
}

// killPatience is far more than a process needs to die, unless the kernel holds
// it.
const killPatience = 2 * time.Second

// send tells the present process something, if there is one.
func (p *Pool) send(verb, id string, args ...string) {
	if p.now != nil {
		p.now.send.Send(wire.Message{Verb: verb, ID: id, Args: args})
	}
}
