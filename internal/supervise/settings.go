package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Limits and defaults of s6-supervise.
const (
	defaultTally  = 100
	maxTally      = 4096
	defaultFinish = 5 * time.Second
)

// settings reads the small files of a service directory. What cannot be
// understood counts as absent, with a warning (s6 src/supervision/s6-supervise.c,
// read_uint).
type settings struct {
	files Files
	warn  func(format string, args ...any)
}

// line returns the text before the first newline.
func (s settings) line(name string) (string, bool) {
	b, err := s.files.Read(name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.warn("%s cannot be read, counts as absent: %v", name, err)
		}
		return "", false
	}
	b, _, _ = bytes.Cut(b, []byte{'\n'})
	return string(b), true
}

func (s settings) number(name string) (uint64, bool) {
	text, ok := s.line(name)
	if !ok {
		return 0, false
	}
	n, ok := parseNumber(text)
	if !ok {
		s.warn("%s counts as absent: %.40q is not a number; write decimal digits only", name, text)
	}
	return n, ok
}

// parseNumber takes decimal digits and nothing else, as s6 does.
func parseNumber(text string) (uint64, bool) {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, false
	}
	return n, true
}

// millis reads a time; absent means otherwise.
func (s settings) millis(name string, otherwise time.Duration) time.Duration {
	n, ok := s.number(name)
	if !ok {
		return otherwise
	}
	return time.Duration(n) * time.Millisecond
}

func (s settings) signal(name string, otherwise syscall.Signal) syscall.Signal {
	text, ok := s.line(name)
	if !ok {
		return otherwise
	}
	sig, ok := servicemanager.ParseSignal(text)
	if !ok {
		s.warn("%s counts as absent: %.40q is not a signal; write its name or number", name, text)
		return otherwise
	}
	return sig
}

// tally is how many deaths are remembered; 0: none.
func (s settings) tally() int {
	n, ok := s.number("max-death-tally")
	if !ok {
		return defaultTally
	}
	return int(min(n, maxTally))
}

// notifyFD is where run announces readiness; 0: it does not.
func (s settings) notifyFD() int {
	n, ok := s.number("notification-fd")
	if ok && (n == 0 || n > 1<<20) {
		s.warn("notification-fd counts as absent: %d is not a descriptor a service can have", n)
		return 0
	}
	return int(n)
}

// pace reads the file backoff: base and cap in milliseconds.
func (s settings) pace() pace {
	text, ok := s.line("backoff")
	if !ok {
		return pace{}
	}
	first, second, _ := bytes.Cut([]byte(text), []byte{' '})
	base, ok1 := parseNumber(string(first))
	limit, ok2 := parseNumber(string(second))
	if !ok1 || !ok2 || base == 0 {
		s.warn("backoff counts as absent: %.40q is not two numbers of milliseconds, base (not 0) and cap", text)
		return pace{}
	}
	ms := func(n uint64) time.Duration { return time.Duration(n) * time.Millisecond }
	return pace{base: ms(base), cap: ms(max(base, limit))}
}

// exists counts what cannot be told as absent, with a warning.
func (s settings) exists(name string) bool {
	there, err := s.files.Exists(name)
	if err != nil {
		s.warn("%s: cannot tell whether it exists: %v", name, err)
	}
	return there
}

// postponed says why a service is not started at all, or "".
func (s settings) postponed() string {
	for _, name := range []string{"lock-fd", "flag-newpidns"} {
		if s.exists(name) {
			return fmt.Sprintf("not started: the file %s asks for what this supervisor does not do; remove it, then give the command u", name)
		}
	}
	return ""
}
