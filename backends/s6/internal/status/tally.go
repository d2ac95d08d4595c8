package status

import (
	"fmt"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// DeathSize is the length in bytes of one record of a death tally.
const DeathSize = 14

// killedCode is what a tally adds to the signal number to fill the exit code byte of a run
// that was killed, as shells do.
const killedCode = 128

// Death is one end of run, as kept in supervise/death_tally, oldest first. s6 keeps the last
// 100 (file max-death-tally, at most 4096) and empties the tally when the supervisor starts.
//
// Layout (s6 src/libs6/s6_dtally_pack.c): 12 bytes At as in package tai, 1 byte exit code,
// 1 byte signal. A run that exited has signal 0; one killed by signal N has exit code 128+N
// (s6 src/supervision/s6-supervise.c).
type Death struct {
	// At is when run ended, UTC. It is the zero Time where the record has no valid label.
	At time.Time

	// Code is the exit code of run, 0 to 255; 0 when it was killed.
	Code int

	// Signal is the signal, 1 to 127, that killed run; 0 when it exited by itself.
	Signal int
}

// DecodeTally returns the records in b, the whole content of a tally, oldest first; none for
// an empty one.
//
// Error: b ends in a part of a record. The whole records before it are returned as well.
// (s6 itself throws such a tally away: src/libs6/s6_dtally_read.c.)
func DecodeTally(b []byte) ([]Death, error) {
	deaths := make([]Death, 0, len(b)/DeathSize)
	for ; len(b) >= DeathSize; b = b[DeathSize:] {
		d := Death{At: decodeStamp(b[:tai.Size])}
		if d.Signal = int(b[tai.Size+1]); d.Signal == 0 {
			d.Code = int(b[tai.Size])
		}
		deaths = append(deaths, d)
	}
	if len(b) > 0 {
		return deaths, fmt.Errorf("death tally ends in a partial record: %d bytes after %d records of %d bytes", len(b), len(deaths), DeathSize)
	}
	return deaths, nil
}

// Append appends the 14 bytes of d to dst and returns the extended slice. If Signal is not 0
// then Code is ignored and 128 + Signal is written for it. Numbers are cut to their low 8 bits.
func (d Death) Append(dst []byte) []byte {
	code := d.Code
	if d.Signal != 0 {
		code = killedCode + d.Signal
	}
	return append(tai.Append(dst, d.At), byte(code), byte(d.Signal))
}
