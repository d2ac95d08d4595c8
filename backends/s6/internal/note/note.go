// Package note is the codec of supervise/note: what our own tree has to say of
// a service and s6's status record has no room for. Real s6 writes no such file.
package note

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// File is where the note is, relative to the service directory. There is
	// none where there is nothing to say.
	File = "supervise/note"
	// Max is the most bytes a note has, its newline included.
	Max = 2048
)

// Note is one line, replaced by rename:
//
//	v1 FLAGS NEXTSTART[ PROBLEM]
//
//	FLAGS      adopted, backoff and failed, in this order, with commas between;
//	           - for none
//	NEXTSTART  seconds since 1970, a dot, nine digits; - for the zero time
//	PROBLEM    the rest of the line; absent where there is none
type Note struct {
	Adopted   bool      // the process outlived its first supervisor
	Backoff   bool      // the next start waits for its backoff
	Failed    bool      // given up; Problem says why
	NextStart time.Time // the next start, where one is waited for
	Problem   string    // what needs attention
}

const (
	version = "v1"
	absent  = "-"
)

var errForm = errors.New("not as our tree writes it")

// IsZero says whether there is nothing to say: then no file is best.
func (n Note) IsZero() bool { return n == Note{} }

// Encode is the line, with its newline. The Problem loses blanks at its ends;
// control characters in it become blanks, what is not UTF-8 becomes U+FFFD, and
// it is cut where the line would be longer than Max.
func (n Note) Encode() []byte {
	line := make([]byte, 0, 64)
	line = append(line, version+" "...)
	line = n.appendFlags(line)
	line = append(line, ' ')
	line = appendTime(line, n.NextStart)
	if problem := clean(n.Problem, Max-len(line)-len(" \n")); problem != "" {
		line = append(line, ' ')
		line = append(line, problem...)
	}
	return append(line, '\n')
}

// Decode is the reverse of Encode. What Encode does not write is an error.
func Decode(line []byte) (Note, error) {
	if len(line) > Max {
		return Note{}, fmt.Errorf("note has more than %d bytes: %w", Max, errForm)
	}
	text, _ := strings.CutSuffix(string(line), "\n")
	words := strings.SplitN(text, " ", 4)
	if len(words) < 3 {
		return Note{}, fmt.Errorf("note %.60q has fewer than three words: %w", line, errForm)
	}
	var n Note
	n.setFlags(words[1])
	n.NextStart = parseTime(words[2])
	if len(words) == 4 {
		n.Problem = words[3]
	}
	if !bytes.Equal(n.Encode(), line) {
		return Note{}, fmt.Errorf("note %.60q: %w", line, errForm)
	}
	return n, nil
}

func (n Note) appendFlags(line []byte) []byte {
	start := len(line)
	for _, f := range n.flags() {
		if *f.set {
			if len(line) > start {
				line = append(line, ',')
			}
			line = append(line, f.word...)
		}
	}
	if len(line) == start {
		line = append(line, absent...)
	}
	return line
}

// setFlags sets the flags it knows.
func (n *Note) setFlags(words string) {
	for _, f := range n.flags() {
		*f.set = strings.Contains(","+words+",", ","+f.word+",")
	}
}

type flag struct {
	word string
	set  *bool
}

func (n *Note) flags() [3]flag {
	return [3]flag{{"adopted", &n.Adopted}, {"backoff", &n.Backoff}, {"failed", &n.Failed}}
}

func appendTime(line []byte, at time.Time) []byte {
	if at.IsZero() {
		return append(line, absent...)
	}
	return fmt.Appendf(line, "%d.%09d", at.Unix(), at.Nanosecond())
}

// parseTime returns the zero time for what it does not understand.
func parseTime(word string) time.Time {
	seconds, fraction, _ := strings.Cut(word, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	ns, err2 := strconv.ParseUint(fraction, 10, 30)
	if err != nil || err2 != nil {
		return time.Time{}
	}
	return time.Unix(s, int64(ns)).UTC()
}

// clean makes a part of one line of text, of at most limit bytes.
func clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Trim(text, " ")
	if len(text) > limit {
		end := limit
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = strings.TrimRight(text[:end], " ")
	}
	return text
}
