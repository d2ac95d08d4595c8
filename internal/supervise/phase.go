package supervise

// phase is where a service is. The first of them is the state of a supervisor
// that has just begun.
type phase uint8

const (
	// phaseDown: no process. A restart that is wanted waits for its delay.
	phaseDown phase = iota
	// phaseBackoff: no process, the pause of the file backoff runs.
	phaseBackoff
	// phaseUp: run is alive.
	phaseUp
	// phaseFinish: run is dead, finish is alive.
	phaseFinish
	// phaseLastUp: as phaseUp, but the supervisor leaves once the service is down.
	phaseLastUp
	// phaseLastFinish: as phaseFinish, but the supervisor leaves once it has ended.
	phaseLastFinish
	// phaseGone: the supervisor has left. Nothing happens any more.
	phaseGone

	numPhases
)

// String returns the name used in the documentation.
func (p phase) String() string {
	switch p {
	case phaseDown:
		return "DOWN"
	case phaseBackoff:
		return "BACKOFF"
	case phaseUp:
		return "UP"
	case phaseFinish:
		return "FINISH"
	case phaseLastUp:
		return "LASTUP"
	case phaseLastFinish:
		return "LASTFINISH"
	case phaseGone:
		return "GONE"
	default:
		return "unknown phase"
	}
}

// explain is the sentence of the documentation.
func (p phase) explain() string {
	switch p {
	case phaseDown:
		return "No process. Where one is wanted, the restart delay (1 s after the death is complete, or 1 s after readiness) or the retry after a failed start (60 s) runs."
	case phaseBackoff:
		return "No process, and the pause that the file `backoff` asks for runs: base, doubled with every death nobody asked for, up to cap; base again after 60 s up."
	case phaseUp:
		return "`run` is alive."
	case phaseFinish:
		return "`run` is dead, `finish` is alive."
	case phaseLastUp:
		return "As UP; the supervisor leaves once the service is down."
	case phaseLastFinish:
		return "As FINISH; the supervisor leaves once it has ended."
	case phaseGone:
		return "The supervisor has left; the service may live on."
	default:
		return ""
	}
}
