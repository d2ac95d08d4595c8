package logdir

import (
	"fmt"
	"strconv"
	"time"
)

// s6-log's defaults and limits.
const (
	defaultKeep       = 10
	defaultSize       = 99999
	minSize           = 4096
	maxSize           = 268435455
	defaultTolerance  = 2000
	defaultRetry      = 2000 * time.Millisecond
	defaultStatusSize = 1001
	alertSize         = 200
)

// parser is what the directives so far have set.
type parser struct {
	script Script
	next   element // begun

	dir        dirSpec
	statusSize uint64
	prefix     string
	label      bool
	local      bool
	statuses   int
}

func newParser() *parser {
	return &parser{
		dir:        dirSpec{keep: defaultKeep, size: defaultSize, tolerance: defaultTolerance, retry: defaultRetry},
		statusSize: defaultStatusSize,
	}
}

// endElement puts the element aside if it has actions.
func (p *parser) endElement() {
	if len(p.next.actions) > 0 {
		p.script.elements = append(p.script.elements, p.next)
		p.next = element{}
	}
}

func (p *parser) word(w string) error {
	if w == "" {
		return directiveError(w, "is empty; leave it out")
	}
	switch w[0] {
	case 'n', 's', 'S', 'l', 'r', '^':
		return p.number(w)
	case 'p':
		p.prefix = ""
		if len(w) > 1 {
			p.prefix = w[1:] + " "
		}
	case '+', '-':
		return p.selection(w)
	case 'f', 't', 'T', '1', '2':
		return p.letter(w)
	case '=':
		if len(w) == 1 {
			return directiveError(w, "names no status file; write it after the equals sign")
		}
		p.act(action{kind: toStatus, file: w[1:], size: p.statusSize, index: p.statuses})
		p.statuses++
	case '/', '.':
		p.dir.path = w
		p.act(action{kind: toDir, index: len(p.script.dirs)})
		p.script.dirs = append(p.script.dirs, p.dir)
	default:
		return directiveError(w, refusal(w[0]))
	}
	return nil
}

// refusal is why there is no such directive here.
func refusal(first byte) string {
	switch first {
	case '!', '?':
		return "is an archive processor, which this logger does not run; leave it out, or log with s6-log"
	case 'R':
		return "asks for rotation by time, which this logger does not do; leave it out and send SIGALRM when it is time, or log with s6-log"
	case 'E':
		return "changes the length of alerts, which is 200 bytes here; leave it out, or log with s6-log"
	}
	return "is no log directive; a directory begins with / or a dot, a status file with ="
}

func directiveError(w, why string) error { return fmt.Errorf("log directive %q %s", w, why) }

// letter reads the directives of one letter.
func (p *parser) letter(w string) error {
	if len(w) > 1 {
		return directiveError(w, "has something after "+w[:1]+", which stands alone; make it a word of its own")
	}
	switch w[0] {
	case 'f':
		p.endElement()
		p.next.selections = append(p.next.selections, selection{kind: 'f'})
	case 't':
		p.label = true
	case 'T':
		p.local = true
	case '1':
		p.act(action{kind: toStdout})
	case '2':
		p.act(action{kind: toAlert})
	}
	return nil
}

// act adds an action, which uses up the stamps.
func (p *parser) act(a action) {
	a.label, a.local, a.prefix = p.label, p.local, p.prefix
	p.label, p.local = false, false
	p.next.actions = append(p.next.actions, a)
}

func (p *parser) selection(w string) error {
	pat, err := compile(w[1:])
	if err != nil {
		return directiveError(w, "is no regular expression that is understood here: "+err.Error())
	}
	p.endElement()
	p.next.selections = append(p.next.selections, selection{kind: w[0], pattern: pat})
	return nil
}

func (p *parser) number(w string) error {
	bits := 32
	if w[0] == 'S' {
		bits = 64
	}
	n, err := strconv.ParseUint(w[1:], 10, bits)
	if err != nil {
		return directiveError(w, fmt.Sprintf("needs a number from 0 to %d after %s", uint64(1)<<bits-1, w[:1]))
	}
	switch w[0] {
	case 'n':
		p.dir.keep = n
	case 's':
		p.dir.size = int64(min(max(n, minSize), maxSize))
	case 'S':
		p.dir.total = n
	case 'l':
		if int64(n) > p.dir.size/2 {
			return directiveError(w, fmt.Sprintf("is more than half of the size, which is %d here; say a larger s before it", p.dir.size))
		}
		p.dir.tolerance = int64(n)
	case 'r':
		p.dir.retry = time.Duration(n) * time.Millisecond
	case '^':
		p.statusSize = n
	}
	return nil
}
