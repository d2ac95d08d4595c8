package logread

import (
	"encoding/hex"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// localPattern is the stamp of directive T, local time; d is a digit.
const localPattern = "dddd-dd-dd dd:dd:dd.ddddddddd  "

const (
	labelStampLen = labelLen + 1 // the stamp of directive t and a space
	localStampLen = len(localPattern)
	minuteLen     = len("2006-01-02 15:04")

	// maxStampLen is as much of a line as tells its stamp.
	maxStampLen = max(labelStampLen, localStampLen)
)

// stamps reads the stamps that s6-log puts before lines. It remembers the last
// minute, as finding the zone of a local time is most of the work.
type stamps struct {
	loc *time.Location // of local stamps

	minute string    // text of the last minute; "" before the first
	start  time.Time // its beginning; zero if that text is no time
}

// parse returns the stamp at the beginning of a line. A line that has both kinds
// begins with the label. ok is false for a line without a stamp.
func (s *stamps) parse(line []byte) (at time.Time, ok bool) {
	if len(line) >= labelStampLen && line[0] == '@' && line[labelLen] == ' ' {
		return parseLabel(line[1:labelLen])
	}
	if len(line) >= localStampLen && matches(line, localPattern) {
		return s.parseLocal(line)
	}
	return time.Time{}, false
}

func parseLabel(digits []byte) (time.Time, bool) {
	var label [tai.Size]byte
	if _, err := hex.Decode(label[:], digits); err != nil {
		return time.Time{}, false
	}
	at, err := tai.Decode(label[:])
	return at, err == nil
}

func (s *stamps) parseLocal(line []byte) (time.Time, bool) {
	if string(line[:minuteLen]) != s.minute {
		s.minute = string(line[:minuteLen])
		s.start = s.minuteStart()
	}
	second := number(line[minuteLen+1 : minuteLen+3])
	if s.start.IsZero() || second > 60 { // 60 is a leap second
		return time.Time{}, false
	}
	nano := number(line[minuteLen+4 : localStampLen-2])
	return s.start.Add(time.Duration(second)*time.Second + time.Duration(nano)), true
}

// minuteStart returns the time of s.minute, or zero for a text like month 13.
//
// When summer time ends, an hour occurs twice: the second is returned, so that
// what may be late enough counts as late enough.
func (s *stamps) minuteStart() time.Time {
	utc, err := time.Parse("2006-01-02 15:04", s.minute)
	if err != nil || utc.IsZero() {
		return time.Time{}
	}
	year, month, day := utc.Date()
	at := time.Date(year, month, day, utc.Hour(), utc.Minute(), 0, 0, s.loc)
	if again := at.Add(time.Hour); again.Hour() == at.Hour() && again.Minute() == at.Minute() {
		return again
	}
	return at
}

// matches says whether text begins with pattern, where d stands for any digit.
func matches(text []byte, pattern string) bool {
	for i := range len(pattern) {
		if pattern[i] == 'd' {
			if text[i] < '0' || text[i] > '9' {
				return false
			}
		} else if text[i] != pattern[i] {
			return false
		}
	}
	return true
}

// number reads decimal digits, at most nine.
func number(digits []byte) int {
	n := 0
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}
