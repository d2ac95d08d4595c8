// Package status reads and writes the two binary records that an s6 supervisor keeps of its
// service: supervise/status ([Record]) and supervise/death_tally ([Death]).
//
// The package is pure: it sees bytes, not files. Two things a reader of the files has to know:
// both are replaced by rename, so they are never half written and must be opened anew for
// each reading; and both outlive the supervisor, so that they tell the present only while
// supervise/lock is held.
package status

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

const (
	// Size is the length in bytes of the record of s6 up to 2.12 and from 2.14 on. It is
	// the one that [Record.Append] writes.
	Size = 35

	// SizePGID is the length in bytes of the record of s6 2.13, which has the process group.
	SizePGID = 43

	// MaxRead is how many bytes of a status file to read. It is more than any known record,
	// so that a longer, unknown one is noticed and not misread.
	MaxRead = 64
)

// Bits of the last byte of a record. Writers leave the others zero, readers ignore them.
const (
	flagPaused = 1 << iota
	flagFinishing
	flagWantUp
	flagReady
)

// Record is the state of one service as its supervisor last wrote it.
//
// Layout (s6 src/libs6/s6_svstatus_pack.c; 43 bytes: the same file at v2.13.2.0), integers
// big-endian, stamps as in package tai:
//
//	at 35 bytes  at 43 bytes  size  field
//	          0            0    12  Stamp
//	         12           12    12  ReadyStamp
//	         24           24     8  PID
//	          -           32     8  PGID
//	         32           40     2  Wait
//	         34           42     1  1 Paused, 2 Finishing, 4 WantUp, 8 Ready
type Record struct {
	// Stamp is when run was last started or died, or when the supervisor started. UTC.
	Stamp time.Time

	// ReadyStamp is when the service last became ready, or when its last end was complete
	// (finish had ended), or when the supervisor started: the newest of the three. UTC.
	ReadyStamp time.Time

	// PID is the process id of run; of finish while Finishing; 0 when neither exists. It
	// is from 0 to 2^31-1.
	PID int

	// PGID is the process group of PID. A record of 35 bytes does not have it and gives
	// PID, because run and finish always lead a group of their own.
	PGID int

	// Wait holds the low 16 bits of the wait status of the last run that ended, see
	// [Record.Exit]. It is kept while the service is up again and is 0 before the first end.
	Wait uint16

	// Paused says that run was stopped by the pause command (SIGSTOP). Without a process it
	// means something else, see [Record.NeverStarted].
	Paused bool

	// Finishing says that run has ended and finish is at work.
	Finishing bool

	// WantUp says that the supervisor starts run again when it ends.
	WantUp bool

	// Ready says that the last transition is complete: the service told so while it is up,
	// or nothing is left of it while it is down.
	Ready bool
}

// FormatError reports a status file of a length that no known version of s6 writes.
type FormatError struct {
	Size int // bytes found; at most MaxRead when the reader stopped there
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("unknown status format: %d bytes, know %d and %d (s6 2.13 wrote %d)", e.Size, Size, SizePGID, SizePGID)
}

// Decode returns the record in b, the whole content of a status file (or its first MaxRead
// bytes).
//
// A stamp that is no valid label, such as 12 zero bytes, gives the zero Time and no error:
// the rest of the record is still good.
//
// Errors: *FormatError if b is neither 35 nor 43 bytes long; another error for a process id
// or group above 2^31-1, which would be misread as a negative number, that is, as a group or
// as "all processes", by kill(2). The Record is zero then.
func Decode(b []byte) (Record, error) {
	pgidAt, rest := 24, 32
	switch len(b) {
	case Size:
	case SizePGID:
		pgidAt, rest = 32, 40
	default:
		return Record{}, &FormatError{Size: len(b)}
	}
	pid, pgid := binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[pgidAt:])
	if pid > math.MaxInt32 || pgid > math.MaxInt32 {
		return Record{}, fmt.Errorf("status with impossible process id %d, group %d", pid, pgid)
	}
	flags := b[rest+2]
	return Record{
		Stamp:      decodeStamp(b[:tai.Size]),
		ReadyStamp: decodeStamp(b[tai.Size : 2*tai.Size]),
		PID:        int(pid),
		PGID:       int(pgid),
		Wait:       binary.BigEndian.Uint16(b[rest:]),
		Paused:     flags&flagPaused != 0,
		Finishing:  flags&flagFinishing != 0,
		WantUp:     flags&flagWantUp != 0,
		Ready:      flags&flagReady != 0,
	}, nil
}

// Append appends the record to dst in its form of 35 bytes, for any version of s6 but 2.13 to
// read, and returns the extended slice. PGID is left out. A PID that [Decode] would refuse is
// written as 0; a Time that has no label, such as the zero Time, as 12 zero bytes.
func (r Record) Append(dst []byte) []byte {
	var pid uint64
	if r.PID > 0 && r.PID <= math.MaxInt32 {
		pid = uint64(r.PID)
	}
	var flags byte
	if r.Paused {
		flags |= flagPaused
	}
	if r.Finishing {
		flags |= flagFinishing
	}
	if r.WantUp {
		flags |= flagWantUp
	}
	if r.Ready {
		flags |= flagReady
	}
	dst = tai.Append(dst, r.Stamp)
	dst = tai.Append(dst, r.ReadyStamp)
	dst = binary.BigEndian.AppendUint64(dst, pid)
	dst = binary.BigEndian.AppendUint16(dst, r.Wait)
	return append(dst, flags)
}

// Exit tells how the last run that ended did so. Either sig is 0 and code is its exit code,
// 0 to 255; or it was killed by the signal sig and code is 0. Both are 0 also when no run has
// ended yet, so callers ask [Record.NeverStarted] first.
//
// It uses the wait status encoding common to Linux and the BSDs and ignores the core dump
// bit (0x80).
func (r Record) Exit() (code, sig int) {
	if sig = int(r.Wait & 0x7f); sig != 0 {
		return 0, sig
	}
	return int(r.Wait >> 8), 0
}

// waitUnknown is the Wait of a run that outlived its supervisor and whose end
// nobody saw. No process ends with it, and only our own tree writes it.
const waitUnknown = 0xffff

// ExitUnknown tells that nobody knows how the last run ended: Exit means
// nothing then. In the tally such a death has code 255.
func (r Record) ExitUnknown() bool { return r.Wait == waitUnknown }

// NeverStarted tells whether the supervisor has not started run yet: no process, not
// finishing, and Paused. s6 writes Paused so since 2.13.2 (s6 src/supervision/s6-supervise.c)
// and loses it at the next write for whatever reason, such as a command to stay down. False
// therefore means "unknown".
func (r Record) NeverStarted() bool {
	return r.PID == 0 && !r.Finishing && r.Paused
}

// decodeStamp is tai.Decode with the zero Time for what is no label.
func decodeStamp(b []byte) time.Time {
	t, _ := tai.Decode(b) // the zero Time on error
	return t
}
