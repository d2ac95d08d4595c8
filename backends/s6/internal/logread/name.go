package logread

import (
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// The files beside the archives. While an archive processor runs, its output is
// in processed.
const (
	current   = "current"
	previous  = "previous"
	processed = "processed"
)

// labelLen is the length of a TAI64N label in text form, "@" included.
const labelLen = 25

// archiveTime returns when the archive called name was made. ok is false for a
// name that is not one of an archive. Archives sort by name.
func archiveTime(name string) (at time.Time, ok bool) {
	if len(name) != labelLen+2 || name[labelLen] != '.' {
		return time.Time{}, false
	}
	if kind := name[labelLen+1]; kind != 's' && kind != 'u' {
		return time.Time{}, false
	}
	at, err := tai.Parse(name[:labelLen])
	return at, err == nil
}
