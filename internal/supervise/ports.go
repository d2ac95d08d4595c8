package supervise

import (
	"context"
	"syscall"
)

// Files is the service directory, read at the moment of use: an edit counts
// without a restart. Implementations follow no link out of the directory and
// never block on a FIFO.
type Files interface {
	// Read returns the first bytes of a file, at least 64 where there are as
	// many. A file that is not there is an error that matches
	// fs.ErrNotExist.
	Read(name string) ([]byte, error)
	// Exists says whether there is such a file, of whatever type.
	Exists(name string) (bool, error)
}

// StartSpec is a process to start.
type StartSpec struct {
	// Path is "./run" or "./finish", relative to the service directory,
	// which is the process's working directory.
	Path string
	// Args is the whole argv.
	Args []string
	// NotifyFD is the descriptor on which the process finds the write end of
	// a pipe to announce its readiness; 0: none.
	NotifyFD int
}

// Processes starts the processes of one service. It is called by one goroutine
// at a time.
type Processes interface {
	// Start makes a process in a session and group of its own, with an empty
	// signal mask, default dispositions and descriptors 0 to 2 of the
	// service, and returns when it has executed Path. It cannot be
	// cancelled.
	//
	// A Path that is not there is an error that matches fs.ErrNotExist, also
	// where it is the interpreter that is missing.
	Start(StartSpec) (Child, error)
	// ReleaseStdio gives up the descriptors 0 and 1 that processes started
	// from now on would have had: they get /dev/null.
	ReleaseStdio()
}

// Child is a process of the service, started or adopted. It is used by one
// goroutine at a time.
type Child interface {
	// PID is its process id, and the id of its group.
	PID() int
	// Ticks tells it from later processes of the same id, see [Instance]; 0
	// where the system cannot tell.
	Ticks() uint64
	// Exit delivers one value when the process is dead and reaped. It is
	// buffered: no exit is lost, and nobody waits for the reader.
	Exit() <-chan Exit
	// Ready delivers one value: true for the first newline, false for the end
	// of the pipe without one. It is buffered, and nil without NotifyFD.
	Ready() <-chan bool
	// CloseReady closes the pipe. What the process had written before is
	// still looked at, without waiting for more: if there was a newline,
	// Ready holds it when CloseReady returns. Calling it again, or without a
	// pipe, does nothing.
	CloseReady()
	// Signal sends sig to the process, or to its group. A process that has
	// been reaped is never signalled: its id may be another's.
	Signal(sig syscall.Signal, group bool) error
	// Release ends the watching and frees what that needs; the process lives
	// on where it still does. It is the last call.
	Release()
}

// Store keeps what others see of the service. All but Notify replace files
// atomically and are complete when they return; errors are logged and the
// service goes on, but for a failing WriteInstance before a fork.
type Store interface {
	// WriteStatus replaces the record.
	WriteStatus(Status) error
	// WriteNote replaces what the record has no room for. The zero Note, with
	// which most begin, is best kept as no file.
	WriteNote(Note) error
	// WriteInstance replaces the instance record.
	WriteInstance(Instance) error
	// AddDeath appends to the death tally and drops the oldest entries above
	// keep, which is positive.
	AddDeath(d Death, keep int) error
	// ClearDeaths empties the death tally.
	ClearDeaths() error
	// SetDown creates or removes the file down; it is no error that it is so
	// already.
	SetDown(down bool) error
	// Notify sends events to all listeners, in one write each. It never
	// waits for a listener.
	Notify(events string)
}

// Survivor is a process that an earlier supervisor of this service started and
// that is still alive.
type Survivor struct {
	// Instance is the record by which it was found. Its stage is not
	// StageNone.
	Instance Instance
	// Child is the process. Where nobody can tell how it ended, Exit
	// delivers an unknown one. It has no Ready.
	Child Child
	// Last is the record the earlier supervisor left; the zero value where
	// there is none.
	Last Status
}

// known says whether the last record tells of this process.
func (s *Survivor) known() bool { return s.Last.PID == s.Child.PID() }

// finishing says whether it is a finish.
func (s *Survivor) finishing() bool {
	return s.Instance.Stage == StageFinish || s.Instance.Stage == StageStarting && s.Instance.PID != 0
}

// mustEnd says whether it cannot be kept.
func (s *Survivor) mustEnd() bool {
	in := s.Instance
	return in.Ending || in.Stage == StageStarting || in.Ready == Unready
}

// Survivors looks for what an earlier supervisor left running.
type Survivors interface {
	// Find returns the survivor, or nil where it is certain that there is
	// none; a record that tells of one is out of the way then. An error
	// means that it cannot be told: then nothing is started, and Find is
	// asked again before the next attempt. It may end what it finds by
	// itself and wait for that, as long as ctx lasts.
	Find(ctx context.Context) (*Survivor, error)
}

// Log takes warnings, one line each.
type Log interface {
	Warn(text string)
}

// NoSurvivors is the Survivors of services that cannot outlive their
// supervisor.
type NoSurvivors struct{}

// Find returns nil.
func (NoSurvivors) Find(context.Context) (*Survivor, error) { return nil, nil }
