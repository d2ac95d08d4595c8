package initcmd

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// logger writes messages without ever holding up who has one: nobody may read
// them, or nobody any more.
type logger struct {
	level int
	lines chan string
	done  chan struct{}
	lost  int // only the writer of messages touches it
}

// Messages that wait to be written, and how long the last ones may take.
const (
	queued = 64
	atEnd  = 100 * time.Millisecond
)

func newLogger(level int, w io.Writer) *logger {
	l := &logger{level: level, lines: make(chan string, queued), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		mayWriteFromBackground()
		for line := range l.lines {
			_, _ = io.WriteString(w, line)
		}
	}()
	return l
}

func (l *logger) log(level int, text string) {
	if level > l.level {
		return
	}
	if l.lost > 0 {
		text = fmt.Sprintf("%s (and %d messages that nobody read)", text, l.lost)
	}
	select {
	case l.lines <- "hermes-gateway init: " + strings.ReplaceAll(text, "\n", " ") + "\n":
		l.lost = 0
	default:
		l.lost++
	}
}

// close waits for what can be written soon.
func (l *logger) close() {
	close(l.lines)
	late := time.NewTimer(atEnd)
	defer late.Stop()
	select {
	case <-l.done:
	case <-late.C:
	}
}
