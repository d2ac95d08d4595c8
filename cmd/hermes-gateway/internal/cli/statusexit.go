package cli

import (
	"slices"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// The exit codes of status.
const (
	statusUp      = 0
	statusFailed  = 1
	statusDown    = 3
	statusUnknown = 4
)

// exit returns the worst code of what was found, in the order 4, 1, 3, 0.
// Usage errors (a name that is ambiguous, or none at all) come before all.
func (o *overview) exit() int {
	codes := []int{statusUp}
	for _, f := range o.failures {
		if classOf(f.err).exit == exitUsage {
			return exitUsage
		}
		codes = append(codes, statusUnknown)
	}
	if o.conn != nil && o.conn.absent() && len(o.sightings) == 0 {
		codes = append(codes, statusUnknown)
	}
	for _, s := range o.sightings {
		if o.named || s.counts() {
			codes = append(codes, s.exit())
		}
	}
	order := []int{statusUp, statusDown, statusFailed, statusUnknown}
	worst := 0
	for _, c := range codes {
		worst = max(worst, slices.Index(order, c))
	}
	return order[worst]
}

// counts says whether the service matters where none was named: it should be
// up. One that failed should be, whatever its supervisor wants since; of one
// that cannot be told it is not known.
func (s sighting) counts() bool {
	return s.status == nil || s.status.WantUp ||
		s.status.State == servicemanager.StateFailed || s.status.State == servicemanager.StateUnknown
}

func (s sighting) exit() int {
	if s.status == nil {
		return statusUnknown
	}
	switch s.status.State {
	case servicemanager.StateUp:
		return statusUp
	case servicemanager.StateFailed, servicemanager.StateBackoff:
		return statusFailed
	case servicemanager.StateDown, servicemanager.StateStarting, servicemanager.StateStopping, servicemanager.StateFinishing:
		return statusDown
	default:
		return statusUnknown
	}
}
