package supervise

import (
	"context"
	"fmt"
	"runtime/debug"
)

// Config is what a service consists of. All but Survivors, Log and Problem is
// required.
type Config struct {
	// Name is the second word of run's argv and the third argument of finish:
	// "web", or "web/log" for a logger.
	Name string
	// Host goes into instance records.
	Host Host

	Files     Files
	Processes Processes
	Store     Store
	Survivors Survivors // nil: NoSurvivors
	Log       Log       // nil: warnings are dropped

	// Problem is shown from the beginning until the next start: why an
	// earlier Run failed.
	Problem string

	// Run is the program that the service is, relative to its directory; empty:
	// "./run".
	Run string
	// Down has the service begin wanted down, as with a file down.
	Down bool
	// Hold has a service that is wanted up wait for the command u: what it
	// needs is not there yet.
	Hold bool
	// Once has run started once: when it has ended it is not started again by
	// itself, and an end that nobody asked for is a failure unless its exit code
	// is 0. One that outlived its supervisor, and of which nobody knows how it
	// ended, is.
	Once bool
	// Changed takes what has become of the service, after all that is written is
	// written; nil: nobody wants to know. It must not wait.
	Changed func(Change)
}

// Change is what has become of a service.
type Change struct {
	Status    Status
	Note      Note
	Announces bool // run is expected to say that it is ready
	Deaths    int  // of run, since this supervisor began
}

// Up says whether run is there, and is ready where it says so.
func (c Change) Up() bool {
	return c.Status.PID != 0 && !c.Status.Finishing && (c.Status.Ready || !c.Announces)
}

// Exit is how the last run that ended did.
func (c Change) Exit() Exit { return exitOf(c.Status.Wait) }

// Signal is a signal that s6-supervise takes, as a call.
type Signal uint8

// The signals. What they do is in docs/supervise-states.md.
const (
	Hangup    Signal = iota // HUP: leave once the process is gone, do not stop it
	Interrupt               // INT: pass INT to the process group and leave at once
	Quit                    // QUIT: leave at once, the process lives on
	Terminate               // TERM: stop the service, then leave
)

func (s Signal) event() eventKind {
	return [...]eventKind{supHUP, supINT, supQUIT, supTERM}[s]
}

// Service supervises one service. Control and Signal may be called from any
// goroutine, also before Run.
type Service struct {
	cfg  Config
	mail mailbox
}

// New returns a Service that does nothing before Run.
func New(cfg Config) *Service {
	if cfg.Survivors == nil {
		cfg.Survivors = NoSurvivors{}
	}
	return &Service{cfg: cfg, mail: mailbox{wake: make(chan struct{}, 1)}}
}

// Control takes bytes as a supervisor takes them from supervise/control; those
// that mean nothing are ignored. It does not wait: what was sent before is
// handled before.
//
// Errors: ErrLeft, ErrBusy.
func (s *Service) Control(bytes []byte) error { return s.mail.put(bytes) }

// Signal takes a signal as a supervisor takes it. It does not wait, never finds
// a queue full, and is handled before the commands that wait.
//
// Error: ErrLeft.
func (s *Service) Signal(sig Signal) error { return s.mail.putSignal(sig) }

// PanicError is a fault of this program while it supervised one service.
type PanicError struct {
	Value any
	Stack []byte
}

// Error is one line, without the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("internal fault, supervision begins anew from disk: %v", e.Value)
}

// Run supervises until the supervisor leaves and returns nil then: by the
// command x or a [Signal], once their conditions are met. The end of ctx is a
// Quit: the process lives on, and Run returns the cause of ctx.
//
// It blocks; everything happens on the calling goroutine, and nothing is left
// behind but, where so ordered, the process. The owner holds supervise/lock,
// has removed stale listeners, and keeps all that until Run has returned.
//
// Other errors: *PanicError, and a directory that cannot be read at all. The
// service's note says so then, commands go on being taken, and Run may be
// called again: it begins from disk. Until then nobody supervises.
func (s *Service) Run(ctx context.Context) (err error) {
	if s.mail.closed() {
		return ErrLeft
	}
	e := &engine{Config: &s.cfg, mail: &s.mail}
	e.settings = settings{files: s.cfg.Files, warn: e.warnf}
	defer e.end()
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		if err != nil && !e.left {
			s.showFailed(err)
		}
	}()
	return e.run(ctx)
}

// showFailed says in the note that nobody supervises. The store may be what
// failed.
func (s *Service) showFailed(err error) {
	defer func() { _ = recover() }()
	_ = s.cfg.Store.WriteNote(Note{Failed: true, Problem: err.Error()})
}
