package servicedir

import (
	"strconv"
	"strings"
	"time"
)

// ParseNumber reads a number as s6 does: the text before the first newline,
// decimal digits only. Anything else counts as absent
// (s6 src/supervision/s6-supervise.c, read_uint).
func ParseNumber(text string) (n uint64, ok bool) {
	line, _, _ := strings.Cut(text, "\n")
	if line == "" {
		return 0, false
	}
	for _, c := range []byte(line) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(line, 10, 32)
	if err != nil {
		return 0, false
	}
	return n, true
}

// ParseMillis reads a file such as timeout-kill; 0 and absent mean no limit.
func ParseMillis(text string) (d time.Duration, ok bool) {
	n, ok := ParseNumber(text)
	return time.Duration(n) * time.Millisecond, ok
}
