package svscan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/survivor"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// supervisor is what s6-supervise is: the supervision of one directory, of a
// service or of its logger. It is a goroutine while it runs.
type supervisor struct {
	entry    *entry
	name     string // "web", or "web/log"
	logger   bool
	isPooled bool // the log process is the logger

	// What follows is the loop's.
	running bool
	began   time.Time
	due     time.Time // the next start; zero: none

	// What follows belongs to the goroutine.
	dir    *superdir.Dir
	watch  *mux.Watch
	faults int

	mu      sync.Mutex // guards what follows
	service *supervise.Service
	waiting []supervise.Signal // for service, which is not there yet
	gone    bool               // it leaves: signals mean nothing any more
	pooled  *pooledLog         // of this run, if isPooled

	once, hold, done  bool   // how a service begins, see supervise.Config
	problem           string // why it is not started then
	undoes            bool   // at its end undo is run
	now               life
	deaths            int // of now's, those of the service that there is
	listened, telling bool
}

func newSupervisor(e *entry, name string) *supervisor {
	return &supervisor{entry: e, name: name, due: time.Now()}
}

// reset makes it ready for another run. Signals that wait for it stay.
func (s *supervisor) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.service, s.gone = nil, false
	if s.isPooled {
		s.pooled = newPooledLog()
	}
}

// await has a signal there before the supervisor begins.
func (s *supervisor) await(sig supervise.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, sig)
}

// signal is what a signal to the process s6-supervise would be.
func (s *supervisor) signal(sig supervise.Signal) {
	if !s.running || s.isPooled {
		return // a pooled log ends when its service has
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
	case s.service == nil:
		s.waiting = append(s.waiting, sig)
	default:
		_ = s.service.Signal(sig) // it is leaving already
	}
}

// begins says how the service begins, also when its supervisor begins anew.
func (s *supervisor) begins(hold, done bool, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold, s.done, s.problem = hold, done, problem
}

// unhold starts what has waited.
func (s *supervisor) unhold() {
	s.begins(false, false, "")
	s.control([]byte{'u'})
}

// undo has the end of the supervisor undo what its run has done.
func (s *supervisor) undo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undoes = true
}

// control is what was written into supervise/control.
func (s *supervisor) control(bytes []byte) {
	s.mu.Lock()
	service := s.service
	s.mu.Unlock()
	if service == nil {
		return
	}
	if err := service.Control(bytes); errors.Is(err, supervise.ErrBusy) {
		s.entry.tree.warnf("%s: %d commands are lost: %v", s.name, len(bytes), err)
	}
}

// install makes a service the one that signals and commands go to.
func (s *supervisor) install(service *supervise.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sig := range s.waiting {
		_ = service.Signal(sig)
	}
	s.service, s.waiting = service, nil
}

// run supervises until the supervisor leaves, or could not begin. Most of a
// tree's memory is the stacks below this, which is why it is in small pieces: what
// is done once is not on the stack while the service runs.
func (s *supervisor) run(ctx context.Context) {
	if s.isPooled {
		s.runPooled(ctx)
		return
	}
	if s.begin(ctx) {
		s.keepRunning(ctx)
		s.runUndo(ctx)
	}
	s.end()
}

// begin takes the directory and its commands.
func (s *supervisor) begin(ctx context.Context) bool {
	t := s.entry.tree
	if !s.logger {
		s.entry.awaitLog(ctx)
	}
	dir, err := s.open(ctx)
	if err == nil {
		s.dir = dir
		s.install(s.newService(""))
		s.watch, err = t.mux.Add(dir.ControlFD(), s.readControl)
	}
	if err != nil && ctx.Err() == nil {
		s.warn(fmt.Sprintf("%v; next try in %v", err, restartDelay))
	}
	return err == nil
}

func (s *supervisor) readControl(uint32) bool {
	var buf [256]byte
	if n := s.dir.ReadControl(buf[:]); n > 0 {
		s.control(buf[:n])
	}
	return true
}

// end gives back what begin took.
func (s *supervisor) end() {
	s.mu.Lock()
	s.gone, s.waiting = true, nil
	s.mu.Unlock()
	if s.watch != nil {
		s.watch.Remove()
	}
	if s.dir != nil {
		if err := s.dir.Close(); err != nil {
			s.warn(err.Error())
		}
	}
	s.watch, s.dir = nil, nil
}

// open takes the directory. Not too many begin at the same time.
func (s *supervisor) open(ctx context.Context) (*superdir.Dir, error) {
	t := s.entry.tree
	leave, err := t.takeSlot(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	name := "."
	if s.logger {
		name = "log"
	}
	d, err := s.entry.dir.Sub(name)
	if err != nil {
		return nil, err
	}
	return superdir.Open(d, t.superConfig())
}

// takeSlot waits until one more may begin.
func (t *Tree) takeSlot(ctx context.Context) (leave func(), err error) {
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *Tree) superConfig() superdir.Config {
	if t.opts.HasControlGroup {
		return superdir.Config{Group: t.opts.ControlGroup}
	}
	return superdir.Config{Group: superdir.NoGroup}
}

// Pauses after a fault of this program, doubled with each up to the second.
const (
	faultPause     = time.Second
	mostFaultPause = time.Minute
)

// keepRunning runs the service. A fault in its supervision stays here: it begins
// anew from disk, and finds its process there.
func (s *supervisor) keepRunning(ctx context.Context) {
	for {
		err := s.current().Run(ctx)
		if err == nil || !s.recoverFrom(ctx, err) {
			return
		}
	}
}

// runUndo runs the file undo as the service was run, if that was asked for.
func (s *supervisor) runUndo(ctx context.Context) {
	s.mu.Lock()
	undoes := s.undoes
	s.undoes = false
	s.mu.Unlock()
	if !undoes || ctx.Err() != nil {
		return
	}
	cfg := s.config("")
	cfg.Run, cfg.Hold, cfg.Once, cfg.Changed = "./"+undoFile, true, true, nil
	service := supervise.New(cfg)
	_ = service.Control([]byte("ux")) // it is run, and that is the end
	s.install(service)
	if err := service.Run(ctx); err != nil && ctx.Err() == nil {
		s.warn(err.Error())
	}
}

func (s *supervisor) current() *supervise.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.service
}

// recoverFrom makes another service after a pause; false: ctx has ended.
func (s *supervisor) recoverFrom(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	s.faults++
	pause := min(faultPause<<min(s.faults-1, 8), mostFaultPause)
	s.warn(fmt.Sprintf("%v; supervision begins anew in %v", err, pause))
	s.install(s.newService(err.Error()))
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *supervisor) newService(problem string) *supervise.Service {
	return supervise.New(s.config(problem))
}

func (s *supervisor) config(problem string) supervise.Config {
	t, dir := s.entry.tree, s.dir
	s.mu.Lock()
	hold, once, done := s.hold, s.once, s.done
	if problem == "" {
		problem = s.problem
	}
	s.mu.Unlock()
	processes := procs.New(procs.Config{
		Reaper: t.reaper, Mux: t.mux, Dir: dir.Dir(), Lock: dir.LockFD(),
		Stdio: s.stdio, Stderr: s.stderr(), Env: t.env,
		Check: func(path string) error { return mayExecute(dir.Dir(), path) },
	})
	cfg := supervise.Config{
		Name: s.name, Host: t.host,
		Files: dir, Processes: processes, Store: dir,
		Survivors: &survivor.Finder{Dir: dir, Host: t.host, Reaper: t.reaper},
		Log:       s, Problem: problem, Hold: hold, Once: once, Down: done,
	}
	if !s.logger {
		cfg.Changed = s.changed
	}
	return cfg
}

func (s *supervisor) stderr() int {
	if s.entry.catchAll {
		return s.entry.tree.console
	}
	return s.entry.tree.stderr
}

// Warn is supervise.Log.
func (s *supervisor) Warn(text string) { s.warn(text) }

func (s *supervisor) warn(text string) {
	s.entry.tree.opts.Warn(s.name + ": " + strings.ReplaceAll(text, "\n", " "))
}
