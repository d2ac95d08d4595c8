package supervise

import "time"

// state is all that the table knows of a service. It is a value.
type state struct {
	phase phase

	stamp      time.Time
	readyStamp time.Time
	started    time.Time // this run; monotonic
	notBefore  time.Time // 1 s after this run became ready; zero if it did not

	pid  int
	last Exit // of the last run that ended

	wantUp       bool
	ready        bool
	paused       bool
	neverStarted bool  // no status was written since the first
	announces    bool  // run is expected to say that it is ready
	asked        bool  // d or D since the last start: the death is no crash
	deaths       int   // of run
	level        uint8 // how often the backoff has doubled
	once         bool  // it is not started again by itself

	note Note
}

// status is the record of the state.
func (s *state) status() Status {
	return Status{
		Stamp: s.stamp, ReadyStamp: s.readyStamp,
		PID: s.pid, Wait: s.last.Status(),
		Paused:    s.paused || s.neverStarted,
		Finishing: s.phase == phaseFinish || s.phase == phaseLastFinish,
		WantUp:    s.wantUp, Ready: s.ready,
	}
}

// instance is what a new supervisor has to know if this one is killed. The
// caller adds who the process is.
func (s *state) instance() Instance {
	in := Instance{WantUp: s.wantUp, Ending: s.asked}
	switch s.phase {
	case phaseUp, phaseLastUp:
		in.Stage = StageRun
	case phaseFinish, phaseLastFinish:
		in.Stage = StageFinish
	default:
		return Instance{Stage: StageNone, WantUp: s.wantUp}
	}
	switch {
	case s.ready:
		in.Ready = Ready
	case s.announces:
		in.Ready = Unready
	}
	return in
}
