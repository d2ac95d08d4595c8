package svscan

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logface"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/pool"
)

// pooledLog is what a supervisor has that is the face of a pooled log: no
// process of its own, but the log process of the tree, which reads the FIFO
// log/supervise/input.
type pooledLog struct {
	opened chan struct{} // closed: face is there, or could not be had
	once   sync.Once
	end    chan struct{} // has a token: drain and leave
	face   *logface.Face // after opened; nil: could not be had
}

func newPooledLog() *pooledLog {
	return &pooledLog{opened: make(chan struct{}), end: make(chan struct{}, 1)}
}

// ready is the face, if there is one by now.
func (p *pooledLog) ready() *logface.Face {
	if p == nil {
		return nil
	}
	select {
	case <-p.opened:
		return p.face
	default:
		return nil
	}
}

// newPool is the log process to come; nil: there is to be none.
func (t *Tree) newPool() *pool.Pool {
	if len(t.opts.LogCommand) == 0 {
		return nil
	}
	return pool.New(pool.Config{
		Reaper: t.reaper, Command: t.opts.LogCommand, Env: t.env,
		Stdout: t.stdout, Stderr: t.stderr, Warn: t.opts.Warn,
	})
}

// endPool lets the log process write what it has. Every log has been drained.
func (t *Tree) endPool() {
	if t.pool == nil || t.phase == leaving {
		return // by itself it drains what there is, and exits
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.opts.LogDrain)
	defer cancel()
	if err := t.pool.End(ctx); err != nil {
		t.warnf("the log process has not ended within %v, it was killed", t.opts.LogDrain)
	}
}

// runPooled serves log/supervise until the log is to end.
func (s *supervisor) runPooled(ctx context.Context) {
	p, err := s.openFace(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.warn(fmt.Sprintf("%v; next try in %v", err, restartDelay))
		}
		return
	}
	select {
	case <-p.face.Done():
	case <-ctx.Done():
		p.face.Leave()
	case <-p.end:
		s.drain(p.face)
	}
}

func (s *supervisor) openFace(ctx context.Context) (*pooledLog, error) {
	p := s.currentLog()
	defer p.once.Do(func() { close(p.opened) })
	t := s.entry.tree
	leave, err := t.takeSlot(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	dir, err := s.entry.dir.Sub("log")
	if err != nil {
		return nil, err
	}
	p.face, err = logface.Open(dir, logface.Config{
		Name: s.entry.name, Pool: t.pool, Mux: t.mux, Super: t.superConfig(), Warn: t.opts.Warn,
	})
	return p, err
}

// drain has the log process write what the service has left.
func (s *supervisor) drain(face *logface.Face) {
	limit := s.entry.tree.opts.LogDrain
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	left, err := face.Close(ctx)
	if left > 0 || err != nil && !errors.Is(err, pool.ErrEnded) {
		s.warn(fmt.Sprintf("%d bytes that the service has written are lost, unless a process of its own still holds its pipe: its log could not be written within %v", left, limit))
	}
}

// currentLog is the pooled log of this run of the supervisor; nil before the
// first.
func (s *supervisor) currentLog() *pooledLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pooled
}

// endPooled has a pooled log end once nothing more can come from its service.
func (s *supervisor) endPooled() {
	if s.running {
		select {
		case s.currentLog().end <- struct{}{}:
		default:
		}
	}
}

// pooledInput is descriptor 1 of a service with a pooled log.
func (s *supervisor) pooledInput() (fd int, err error) {
	if face := s.currentLog().ready(); face != nil {
		fd, err := face.OpenInput()
		if err == nil {
			return fd, nil
		}
	}
	// The FIFO outlives whoever serves it.
	dir, err := s.entry.dir.Sub("log")
	if err != nil {
		return -1, err
	}
	defer dir.Close()
	return logface.OpenInput(dir)
}

// awaitLog waits until a service with a pooled log has somewhere to write.
func (e *entry) awaitLog(ctx context.Context) {
	e.mu.Lock()
	log := e.logger
	e.mu.Unlock()
	if log == nil || !log.isPooled {
		return
	}
	p := log.currentLog()
	if p == nil {
		return // it was just added
	}
	timer := time.NewTimer(logPatience)
	defer timer.Stop()
	select {
	case <-p.opened:
	case <-ctx.Done():
	case <-timer.C: // the start tells what is wrong
	}
}

// logPatience is how long a service waits for its log to be served: that is a
// matter of microseconds, unless something is wrong.
const logPatience = 2 * time.Second

func closeFD(fd int) func() { return func() { unix.Close(fd) } }
