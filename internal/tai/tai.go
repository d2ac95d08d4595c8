// Package tai converts between TAI64N labels and [time.Time].
//
// A label is the time format of s6: in status records, death tallies, the names of event
// FIFOs and of archived logs. All integers are big-endian.
//
//	offset  size  content
//	     0     8  2^62 + TAI seconds since 1970-01-01T00:00:00 TAI
//	     8     4  nanoseconds, 0 to 999999999
//
// The text form is "@" and 24 lowercase hexadecimal digits.
//
// A label is not 2^62 plus Unix time. With the default build options of skalibs, TAI is
// Unix time + 10 + the number of leap seconds so far, which is + 37 since 2017
// (skalibs src/libstddjb/tai_from_utc.c, leapsecs_add.c). Before July 1972 it is + 10.
// Labels of a skalibs that was built for a system clock running on TAI (--enable-tai-clock)
// have always + 10; nothing in a label tells the two apart and this package reads only the
// default.
//
// Clients must not subtract a label from Unix time without converting it. A Time from
// [Decode] is plain UTC and may be compared with [time.Now].
package tai

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// Size is the length of a label in bytes.
const Size = 12

// textSize is the length of the text form in bytes.
const textSize = 1 + 2*Size

const (
	// epoch is the label of 1970-01-01T00:00:00 TAI.
	epoch = 1 << 62

	// baseOffset is TAI - UTC in seconds before the first leap second.
	baseOffset = 10

	// nanoLimit is the first invalid nanosecond count.
	nanoLimit = 1e9
)

// The first and the last Unix second that have a label here: years 1 to 9999. The second of
// the zero Time is left out, so that the zero Time can mean "no time".
const (
	minUnix = -62135596799
	maxUnix = 253402300799
)

// Append appends the 12 bytes of the label of t to dst and returns the extended slice.
// The location and the monotonic reading of t are ignored.
//
// The zero Time, and any other outside the years 1 to 9999, has no label: 12 zero bytes are
// appended, which [Decode] refuses.
func Append(dst []byte, t time.Time) []byte {
	var label uint64
	var nano uint32
	if unix := t.Unix(); unix >= minUnix && unix <= maxUnix {
		label = uint64(epoch + baseOffset + unix + leapsAtUnix(unix))
		nano = uint32(t.Nanosecond())
	}
	dst = binary.BigEndian.AppendUint64(dst, label)
	return binary.BigEndian.AppendUint32(dst, nano)
}

// Decode returns the time of the label in b, in UTC, to the nanosecond.
//
// A leap second itself (23:59:60) has a label but no Time of its own. It decodes to the
// second after it, as in skalibs (src/libstddjb/leapsecs_sub.c). Every other label that
// decodes is what [Append] makes of the result.
//
// Errors: b is not exactly 12 bytes; 10^9 nanoseconds or more; a label outside the years
// 1 to 9999. The Time is zero then.
func Decode(b []byte) (time.Time, error) {
	if len(b) != Size {
		return time.Time{}, fmt.Errorf("tai: label of %d bytes, want %d", len(b), Size)
	}
	label, nano := binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	if nano >= nanoLimit {
		return time.Time{}, fmt.Errorf("tai: label with %d nanoseconds, more than a second", nano)
	}
	// From 2^63 labels are reserved; below it nothing here overflows.
	if label < 1<<63 {
		tai := int64(label) - epoch - baseOffset
		if unix := tai - leapsAtTAI(tai); unix >= minUnix && unix <= maxUnix {
			return time.Unix(unix, int64(nano)).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("tai: label %#016x is outside the years 1 to 9999", label)
}

// Format returns the text form of the label of t: "@" and 24 lowercase hexadecimal digits.
// A Time without a label gives zeros, see [Append].
func Format(t time.Time) string {
	var label [Size]byte
	var text [textSize]byte
	text[0] = '@'
	hex.Encode(text[1:], Append(label[:0], t))
	return string(text[:])
}

// Parse returns the time of a label in text form, in UTC. It takes the whole of s, nothing
// before the "@" and nothing after the last digit. Digits may be of either case, as in
// skalibs.
//
// Errors: another length or first character, a byte that is no hexadecimal digit, and those
// of [Decode]. The Time is zero then.
func Parse(s string) (time.Time, error) {
	if len(s) != textSize || s[0] != '@' {
		return time.Time{}, fmt.Errorf("tai: text of %d bytes is not @ and %d hexadecimal digits", len(s), 2*Size)
	}
	var label [Size]byte
	if _, err := hex.Decode(label[:], []byte(s[1:])); err != nil {
		return time.Time{}, fmt.Errorf("tai: text %q is not @ and %d hexadecimal digits", s, 2*Size)
	}
	return Decode(label[:])
}
