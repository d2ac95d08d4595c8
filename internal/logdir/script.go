package logdir

import (
	"errors"
	"time"
)

// Script is a list of directives, understood. The zero Script has no action
// and cannot be opened.
type Script struct {
	elements []element
	dirs     []dirSpec
	ignored  bool // directives after the last action
}

// element is a list of selections and what is done with the lines they leave.
type element struct {
	selections []selection
	actions    []action
}

// selection changes whether a line is selected.
type selection struct {
	kind    byte // '+', '-' or 'f', as in the directive
	pattern *pattern
}

type actionKind uint8

const (
	toStdout actionKind = iota
	toAlert
	toStatus
	toDir
)

// action is one thing that is done with a selected line.
type action struct {
	kind   actionKind
	label  bool   // TAI64N label first
	local  bool   // then local time
	prefix string // then this, its space included

	index int    // toDir: in Script.dirs; toStatus: in Log.status
	file  string // toStatus
	size  uint64 // toStatus: bytes, padded; 0: as long as the line
}

// dirSpec is a log directory as the directives before it say.
type dirSpec struct {
	path      string
	keep      uint64        // archives
	size      int64         // of current, in bytes
	tolerance int64         // how much before that it is rotated
	total     uint64        // of the archives, in bytes; 0: without limit
	retry     time.Duration // after an error
}

// Dirs returns the log directories, as they were written in the directives.
func (s Script) Dirs() []string {
	var paths []string
	for _, d := range s.dirs {
		paths = append(paths, d.path)
	}
	return paths
}

// Stdout says whether lines go to standard output.
func (s Script) Stdout() bool { return s.has(toStdout) }

func (s Script) has(kind actionKind) bool {
	for _, e := range s.elements {
		for _, a := range e.actions {
			if a.kind == kind {
				return true
			}
		}
	}
	return false
}

// selects says whether there are selections: a line has to be whole then.
func (s Script) selects() bool {
	for _, e := range s.elements {
		if len(e.selections) > 0 {
			return true
		}
	}
	return false
}

// Parse reads directives, a word each:
//
//	nN sN SN lN rMS   of the directories after it: archives kept (10), size in
//	                  bytes (99999; 4096 to 268435455), total size of archives
//	                  (0: any), tolerance (2000), pause after an error (2000 ms)
//	^N                size of the status files after it (1001; 0: unpadded)
//	pTEXT             TEXT and a space before each line of the actions after it
//	t T               TAI64N label, local time before each line of the next action
//	+RE -RE f         select lines, deselect lines, select those not acted on yet
//	1 2 =FILE         actions: standard output, an alert on standard error, the
//	                  last line in a file
//	/DIR ./DIR        action: the log directory DIR
//
// RE is a POSIX extended regular expression, matched byte by byte. The error
// names the word and says what to do about it.
func Parse(words []string) (Script, error) {
	p := newParser()
	for _, w := range words {
		if err := p.word(w); err != nil {
			return Script{}, err
		}
	}
	p.endElement()
	s := p.script
	if len(s.elements) == 0 {
		return Script{}, errors.New("the log directives name no action; add a directory, such as ./log, or 1 for standard output")
	}
	s.ignored = len(p.next.selections) > 0
	return s, nil
}
