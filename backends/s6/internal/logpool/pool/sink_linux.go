package pool

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
)

// Spec is a log to be written.
type Spec struct {
	// Name is the service's, for messages. Several sinks may have the same.
	Name string
	// Dir returns the absolute path of the log service directory, in which
	// supervise/input and directives are. It is called each time that a process
	// is told, and must not block or call the pool.
	Dir func() string
	// Changed is told each new State, in their order. It must not block or call
	// the pool. It may be nil.
	Changed func(State)
}

// State is how a log is doing.
type State struct {
	// PID is the log process, 0 while there is none.
	PID int
	// Open says that the process reads what the service writes.
	Open bool
	// Problem is why it does not, or why it cannot write; one line, or empty.
	Problem string
	// Pending is how many bytes it cannot write.
	Pending int
	// Exit is how the last process ended, where PID is 0 and Ended is true.
	Exit  reaper.Exit
	Ended bool
}

// Sink is a log that the pool writes.
type Sink struct {
	pool *Pool
	spec Spec
	id   string

	// Guarded by pool.mu.
	state    State
	paused   bool
	draining bool
	done     chan struct{} // closed: the process has let go of it
	gone     bool          // not in the pool any more
	left     int
	leftWhy  string
}

// Add has a log written, now and by all processes to come.
func (p *Pool) Add(spec Spec) *Sink {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &Sink{pool: p, spec: spec, done: make(chan struct{})}
	s.id = p.newID(spec.Name)
	p.sinks[s.id] = s
	s.tell()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return s
}

// newID is the name, or one that no other log of the present process has.
func (p *Pool) newID(name string) string {
	p.made++
	if p.sinks[name] == nil && !p.busy[name] {
		return name
	}
	return fmt.Sprintf("%s (%d)", name, p.made)
}

// tell tells the present process, if there is one, all about the sink.
func (s *Sink) tell() {
	p := s.pool
	s.state = State{PID: p.pid(), Exit: s.state.Exit, Ended: s.state.Ended}
	if p.now == nil {
		return
	}
	p.busy[s.id] = true
	args := []string{s.spec.Dir()}
	if s.paused {
		args = append(args, wire.Stop)
	}
	p.send(wire.Add, s.id, args...)
	if s.draining {
		p.send(wire.Drain, s.id)
	}
	s.changed()
}

func (s *Sink) changed() {
	if s.spec.Changed != nil && !s.gone {
		s.spec.Changed(s.state)
	}
}

// Rotate archives what there is, however little.
func (s *Sink) Rotate() { s.say(wire.Rotate, nil) }

// Pause has nothing read, so that the service comes to a halt once its pipe is
// full. It lasts until Continue or Drain, also through deaths of the process.
func (s *Sink) Pause() { s.say(wire.Stop, func() { s.paused = true }) }

// Continue ends a Pause.
func (s *Sink) Continue() { s.say(wire.Cont, func() { s.paused = false }) }

// say tells the process something about a sink that is not to end.
func (s *Sink) say(verb string, note func()) {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.gone || s.draining {
		return
	}
	if note != nil {
		note()
	}
	s.pool.send(verb, s.id)
}

// Drain has everything read that is in the pipe, written, and the log closed and
// removed from the pool. It returns how many bytes were left in the pipe, and why,
// where the process could not read or write them. The error is the cause of ctx, if
// that ends first, or ErrEnded; nothing is known of the bytes then. Dead processes
// are waited for as long as ctx lasts.
func (s *Sink) Drain(ctx context.Context) (left int, why string, err error) {
	p := s.pool
	p.mu.Lock()
	if !s.draining && !s.gone {
		s.draining = true
		p.send(wire.Drain, s.id)
	}
	p.mu.Unlock()
	select {
	case <-s.done:
	default:
		select {
		case <-s.done:
		case <-p.over:
			err = ErrEnded
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	s.Remove()
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.left, s.leftWhy, err
}

// Remove closes the log without a drain and forgets it. Changed is not called
// after it has returned.
func (s *Sink) Remove() {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.gone {
		return
	}
	s.gone = true
	s.leftWhy = "removed"
	close(s.done)
	delete(p.sinks, s.id)
	if p.busy[s.id] {
		p.send(wire.Remove, s.id)
	}
}

// begin makes a process the present one.
func (p *Pool) begin(g *generation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = g
	for _, s := range p.sinks {
		s.tell()
	}
}

// finish notes the end of a process.
func (p *Pool) finish(g *generation, exit reaper.Exit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != g {
		return
	}
	p.now = nil
	clear(p.busy)
	for _, s := range p.sinks {
		s.state = State{Exit: exit, Ended: true}
		s.changed()
	}
}

// take takes an answer.
func (p *Pool) take(g *generation, m wire.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != g {
		return
	}
	s := p.sinks[m.ID]
	if m.Verb == wire.Drained {
		delete(p.busy, m.ID)
	}
	if s == nil {
		return
	}
	switch m.Verb {
	case wire.Opened:
		s.state = State{PID: g.pid, Open: true}
	case wire.Failed:
		s.state.Open, s.state.Problem = false, m.Arg(0)
	case wire.Blocked:
		s.state.Pending, _ = strconv.Atoi(m.Arg(0))
		s.state.Problem = m.Arg(1)
	case wire.Flows:
		s.state.Pending, s.state.Problem = 0, ""
	case wire.Drained:
		if !s.draining && !p.ended {
			return // somebody ends the process; the next one writes it
		}
		s.left, _ = strconv.Atoi(m.Arg(0))
		s.leftWhy = m.Arg(1)
		s.gone = true
		delete(p.sinks, s.id)
		close(s.done)
		return
	default:
		return
	}
	s.changed()
}
