package logdir

import (
	"encoding/hex"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// stamper writes the time of lines. The clock is read once for all that is
// handed over at a time; so that stamps still tell the order of lines each is a
// nanosecond after the one before.
type stamper struct {
	zone *time.Location
	now  time.Time
	nano int // of now, counted on with the lines

	second int64 // to which text belongs
	text   [len(localLayout)]byte
}

const localLayout = "2006-01-02 15:04:05."

// begin sets the time of the next line.
func (s *stamper) begin(now time.Time) {
	s.now, s.nano = now, now.Nanosecond()
}

// step goes on to the next line.
func (s *stamper) step() {
	if s.nano++; s.nano == 1e9 {
		s.begin(s.now.Add(time.Second - time.Duration(s.now.Nanosecond())))
	}
}

// label appends the TAI64N label and a space.
func (s *stamper) label(dst []byte) []byte {
	var raw [tai.Size]byte
	at := s.now.Add(time.Duration(s.nano - s.now.Nanosecond()))
	dst = hex.AppendEncode(append(dst, '@'), tai.Append(raw[:0], at))
	return append(dst, ' ')
}

// local appends the local time and two spaces.
func (s *stamper) local(dst []byte) []byte {
	if second := s.now.Unix(); second != s.second || s.text[0] == 0 {
		s.second = second
		s.now.In(s.zone).AppendFormat(s.text[:0], localLayout)
	}
	dst = append(dst, s.text[:]...)
	var digits [11]byte
	n := s.nano
	for i := 8; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	digits[9], digits[10] = ' ', ' '
	return append(dst, digits[:]...)
}
