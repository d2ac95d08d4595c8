// Package report is what a tree tells the init above it: lines in a pipe.
package report

import (
	"strconv"
	"strings"
)

// Kind says what is reported.
type Kind string

// Kinds.
const (
	// Ready: commands and signals are taken.
	Ready Kind = "ready"
	// AllReady: every service of the beginning is ready, is down as it should be,
	// or has been given up.
	AllReady Kind = "all-ready"
	// Essential: a service that the container must not live without is down for
	// good.
	Essential Kind = "essential"
	// GaveUp: a service is down for good, or what it needs is.
	GaveUp Kind = "gave-up"
)

// MaxLine is how long a line is at most, with its newline, in bytes: less than what
// a pipe takes in one piece.
const MaxLine = 512

// Report is one line.
type Report struct {
	Kind   Kind
	Name   string // of a service
	Status int    // of Essential: an exit code, 128+n for signal n
	Reason string // of GaveUp
}

// String is the line with its newline.
func (r Report) String() string {
	words := []string{string(r.Kind)}
	switch r.Kind {
	case Essential:
		words = append(words, r.Name, strconv.Itoa(r.Status))
	case GaveUp:
		words = append(words, r.Name, strings.ReplaceAll(r.Reason, "\n", " "))
	}
	line := strings.Join(words, " ")
	if len(line) >= MaxLine {
		line = line[:MaxLine-1]
	}
	return line + "\n"
}

// Parse reads a line without its newline; false: it is none that is known.
func Parse(line string) (Report, bool) {
	kind, rest, _ := strings.Cut(line, " ")
	r := Report{Kind: Kind(kind)}
	switch r.Kind {
	case Ready, AllReady:
		return r, rest == ""
	case Essential:
		name, status, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(status, 10, 8)
		r.Name, r.Status = name, int(n)
		return r, err == nil && name != ""
	case GaveUp:
		r.Name, r.Reason, _ = strings.Cut(rest, " ")
		return r, r.Name != ""
	}
	return r, false
}
