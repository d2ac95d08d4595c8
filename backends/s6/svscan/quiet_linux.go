package svscan

import "time"

// quietTimer tells when many services have begun and no more do.
type quietTimer struct {
	started int // as it was last seen
	at      time.Time
}

const (
	quietFor = 500 * time.Millisecond // without a start
	manyNew  = 20                     // starts that are worth it
)

// due tells whether it is so now, and when to ask again; zero if that is not
// known.
func (q *quietTimer) due(started int, now time.Time) (settled bool, next time.Time) {
	switch {
	case started >= q.started+manyNew:
		q.started, q.at = started, now.Add(quietFor)
	case !q.at.IsZero() && !now.Before(q.at):
		q.at = time.Time{}
		return true, time.Time{}
	}
	return false, q.at
}
