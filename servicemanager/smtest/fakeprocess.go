package smtest

import (
	"slices"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// process is a simulated process.
type process struct {
	pid        int
	ready      bool
	readySince time.Time
	paused     bool
	asked      bool        // its death was asked for
	killer     *time.Timer // ends it when it takes too long; nil if not asked

	next      int // step of the script
	reactions reactions
	pending   []syscall.Signal // came before a step waited for them
	held      []syscall.Signal // came while it was paused
}

// startLocked makes a process and runs it until it waits for something.
func (s *service) startLocked() {
	s.endBackoffLocked()
	s.w.lastPID++
	p := &process{pid: s.w.lastPID, reactions: newReactions(s.script)}
	s.proc, s.since = p, time.Now()
	s.starts++
	if s.spec.Ready == servicemanager.ReadyNone && s.spec.ReadyFD == 0 {
		p.ready, p.readySince = true, s.since
	}
	s.tellLocked()
	s.runLocked(p)
}

func (s *service) readyLocked(p *process) {
	if !p.ready {
		p.ready, p.readySince = true, time.Now()
		s.tellLocked()
	}
}

// runLocked does the steps of the script up to one that has to wait.
func (s *service) runLocked(p *process) {
	for s.proc == p && !p.paused && p.next < len(s.script) {
		a := s.script[p.next]
		switch a.verb {
		case "await":
			i := slices.Index(p.pending, a.sig)
			if i < 0 {
				return
			}
			p.pending = p.pending[i+1:]
		case "exit":
			s.exitLocked(servicemanager.Exit{Code: a.code})
			return
		default:
			s.stepLocked(p, a)
		}
		p.next++
	}
}

func (s *service) stepLocked(p *process, a action) {
	switch a.verb {
	case "notify":
		p.reactions[syscall.SIGINT] = action{verb: "on", sig: syscall.SIGINT}
		s.announcedLocked(p)
	case "announce":
		s.announcedLocked(p)
	case "announce-fd":
		if s.spec.ReadyFD == a.count {
			s.readyLocked(p)
		}
	case "print":
		for i := range a.count {
			s.printLocked(numbered(a.text, i+1))
		}
	case "on", "ignore":
		p.reactions[a.sig] = a
	}
}

func (s *service) announcedLocked(p *process) {
	if s.spec.Ready == servicemanager.ReadyNotify {
		s.readyLocked(p)
	}
}

// deliverLocked gives the process a signal.
func (s *service) deliverLocked(sig syscall.Signal) {
	p := s.proc
	switch {
	case sig == 0: // asks only whether there is a process
	case sig == syscall.SIGKILL:
		s.exitLocked(servicemanager.Exit{Signal: sig})
	case sig == sigStop:
		p.paused = true
		s.tellLocked()
	case sig == sigCont:
		s.resumeLocked(p)
	case p.paused:
		p.held = append(p.held, sig)
	default:
		s.reactLocked(p, sig)
	}
}

// resumeLocked lets a paused process go on with what came meanwhile.
func (s *service) resumeLocked(p *process) {
	if s.proc != p || !p.paused {
		return
	}
	p.paused = false
	s.tellLocked()
	held := p.held
	p.held = nil
	for _, sig := range held {
		if s.proc == p {
			s.deliverLocked(sig)
		}
	}
	s.runLocked(p)
}

// reactLocked is what the process does about a signal it can handle.
func (s *service) reactLocked(p *process, sig syscall.Signal) {
	r := p.reactions[sig]
	switch {
	case s.script == nil || r.verb == "":
		if !harmless(sig) {
			s.exitLocked(servicemanager.Exit{Signal: sig})
		}
	case r.verb == "await":
		p.pending = append(p.pending, sig)
		s.runLocked(p)
	case r.verb == "on" && r.delay > 0:
		s.afterLocked(p, r.delay, func() { s.exitLocked(servicemanager.Exit{Code: r.code}) })
	case r.verb == "on":
		s.exitLocked(servicemanager.Exit{Code: r.code})
	}
}
