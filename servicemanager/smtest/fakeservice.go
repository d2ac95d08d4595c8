package smtest

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// service is a simulated service and its supervisor. All of it is guarded by
// the world's lock.
type service struct {
	w      *world
	name   string
	spec   servicemanager.Spec
	hash   string
	script []action // nil for commands that are no Program

	want     bool
	enabled  bool
	failure  string // why it has failed for good; "" if it has not
	orphaned bool   // its supervisor is gone
	removed  bool

	proc     *process
	starts   int // processes so far
	since    time.Time
	lastExit *servicemanager.Exit

	restarts int         // deaths nobody asked for
	streak   int         // such deaths since it was up long enough
	backoff  *time.Timer // runs while the next start waits

	override func(*servicemanager.Status)
	changed  chan struct{} // closed at the next change
	watchers map[*watcher]bool
}

// steadyAfter is how long a service must be up for its restart delay to begin
// anew.
const steadyAfter = 60 * time.Second

// statusLocked is the service as its manager reports it.
func (s *service) statusLocked() servicemanager.Status {
	st := servicemanager.Status{Name: s.name, Enabled: s.enabled}
	if s.orphaned {
		st.Problem = "no supervisor"
	} else {
		s.describeLocked(&st)
	}
	if s.override != nil {
		s.override(&st)
	}
	return st
}

func (s *service) describeLocked(st *servicemanager.Status) {
	st.WantUp, st.Since, st.Restarts = s.want, s.since, s.restarts
	if s.lastExit != nil {
		exit := *s.lastExit
		st.LastExit = &exit
	}
	if p := s.proc; p != nil {
		st.PID, st.Paused = p.pid, p.paused
		st.Ready, st.ReadySince = p.ready, p.readySince
	}
	switch {
	case s.failure != "":
		st.State, st.Problem = servicemanager.StateFailed, s.failure
	case s.proc != nil && !s.want:
		st.State = servicemanager.StateStopping
	case s.proc != nil && !s.proc.ready:
		st.State = servicemanager.StateStarting
	case s.proc != nil:
		st.State = servicemanager.StateUp
	case s.backoff != nil:
		st.State = servicemanager.StateBackoff
		st.Problem = fmt.Sprintf("ended with %v; the next start comes after %v", s.lastExit, s.delayLocked())
	case s.want:
		st.State = servicemanager.StateStarting
	default:
		st.State = servicemanager.StateDown
	}
}

// tellLocked lets everybody know who waits for changes.
func (s *service) tellLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
	for w := range s.watchers {
		w.tellLocked(s)
	}
}

// setWantLocked also settles what happens at the manager's next start where
// that follows the last wish.
func (s *service) setWantLocked(up bool) {
	s.want = up
	if !s.w.installer {
		s.enabled = up && s.spec.Boot == servicemanager.BootAuto
	}
}

// upLocked makes the service wanted up, now.
func (s *service) upLocked() {
	s.setWantLocked(true)
	s.failure = ""
	if s.proc == nil {
		s.streak = 0
		s.startLocked()
	} else {
		s.tellLocked()
	}
}

// downLocked makes the service wanted down and sees to it that its process
// ends. A limit replaces the stop timeout.
func (s *service) downLocked(limit time.Duration) {
	s.setWantLocked(false)
	s.endBackoffLocked()
	s.endProcessLocked(limit)
	s.tellLocked()
}

// endProcessLocked asks the process to end, and kills it when it does not.
func (s *service) endProcessLocked(limit time.Duration) {
	p := s.proc
	if p == nil {
		return
	}
	spec := s.spec.WithDefaults()
	if limit > 0 || !p.asked {
		if limit == 0 {
			limit = spec.StopTimeout
		}
		if p.killer != nil {
			p.killer.Stop()
		}
		p.killer = s.afterLocked(p, limit, func() { s.deliverLocked(syscall.SIGKILL) })
	}
	p.asked = true
	s.deliverLocked(spec.StopSignal)
	s.resumeLocked(p)
}

// afterLocked runs do, under the lock, when d is over and p is still the
// service's process.
func (s *service) afterLocked(p *process, d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		if s.proc == p {
			do()
		}
	})
}

// exitLocked is the death of the process: what comes next depends on whether
// it was asked for.
func (s *service) exitLocked(exit servicemanager.Exit) {
	p := s.proc
	if p.killer != nil {
		p.killer.Stop()
	}
	now := time.Now()
	exit.At = now
	if now.Sub(s.since) >= steadyAfter {
		s.streak = 0
	}
	s.proc, s.lastExit, s.since = nil, &exit, now
	if p.asked {
		s.tellLocked()
		if s.want {
			s.startLocked()
		}
		return
	}
	s.restarts++
	s.streak++
	s.judgeLocked(exit)
	s.tellLocked()
}

// judgeLocked applies the restart policy to a death nobody asked for.
func (s *service) judgeLocked(exit servicemanager.Exit) {
	policy := s.spec.Restart
	switch {
	case exit.Signal == 0 && slices.Contains(s.spec.FatalExitCodes, exit.Code):
		s.failure = fmt.Sprintf("exit code %d is fatal", exit.Code)
		s.setWantLocked(false)
	case policy == servicemanager.RestartNever,
		policy == servicemanager.RestartOnFailure && exit.Signal == 0 && exit.Code == 0:
		s.setWantLocked(false)
	case s.want:
		var t *time.Timer
		t = time.AfterFunc(s.delayLocked(), func() {
			s.w.mu.Lock()
			defer s.w.mu.Unlock()
			if s.backoff == t {
				s.startLocked()
			}
		})
		s.backoff = t
	}
}

// delayLocked is the pause before the next restart.
func (s *service) delayLocked() time.Duration {
	spec := s.spec
	if spec.RestartDelay == 0 {
		spec.RestartDelay = s.w.restartDelay
	}
	spec = spec.WithDefaults()
	d := spec.RestartDelay
	for range s.streak - 1 {
		if d *= 2; d >= spec.RestartMaxDelay {
			return spec.RestartMaxDelay
		}
	}
	return min(d, spec.RestartMaxDelay)
}

func (s *service) endBackoffLocked() {
	if s.backoff != nil {
		s.backoff.Stop()
		s.backoff = nil
	}
}
