package initcmd

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// logger writes messages without ever holding up who has one: nobody may read
// them, or nobody any more.
type logger struct {
	name  string // what messages begin with
	level int
	lines chan string
	done  chan struct{}

	mu   sync.Mutex
	lost int
}

// Messages that wait to be written, and how long the last ones may take.
const (
	queued = 64
	atEnd  = 100 * time.Millisecond
)

func newLogger(name string, level int, w io.Writer) *logger {
	l := &logger{name: name, level: level, lines: make(chan string, queued), done: make(chan struct{})}
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost > 0 {
		text = fmt.Sprintf("%s (and %d messages that nobody read)", text, l.lost)
	}
	select {
	case l.lines <- l.name + ": " + strings.ReplaceAll(text, "\n", " ") + "\n":
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
