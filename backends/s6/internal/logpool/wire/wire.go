// Package wire is what the tree and its log process say to each other, a line
// each: a verb, and quoted words after it.
//
//	tree to process       add ID DIR       write the log of the service directory DIR/.. from DIR/supervise/input;
//	                                       with stop as a third word, stopped
//	                      rotate ID        archive what there is
//	                      stop ID          read no more
//	                      cont ID          read again
//	                      drain ID         read until there is nothing more, write, close
//	                      remove ID        close
//	process to tree       opened ID        it reads
//	                      failed ID TEXT   it could not be opened; that is tried again
//	                      blocked ID PENDING TEXT
//	                                       nothing can be written; that is tried again
//	                      flows ID         it can again
//	                      drained ID LEFT TEXT
//	                                       closed, after drain or remove; LEFT bytes stay in
//	                                       the pipe, and TEXT says why
//
// The end of its input tells the process to drain everything and to exit.
package wire

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Verbs.
const (
	Add    = "add"
	Rotate = "rotate"
	Stop   = "stop"
	Cont   = "cont"
	Drain  = "drain"
	Remove = "remove"

	Opened  = "opened"
	Failed  = "failed"
	Blocked = "blocked"
	Flows   = "flows"
	Drained = "drained"
)

// MaxLine is more than any message is long, in bytes.
const MaxLine = 1 << 20

// Message is a line.
type Message struct {
	Verb string
	ID   string
	Args []string // after ID
}

// String is the line, without its end.
func (m Message) String() string {
	b := strconv.AppendQuote(append([]byte(m.Verb), ' '), m.ID)
	for _, a := range m.Args {
		b = strconv.AppendQuote(append(b, ' '), a)
	}
	return string(b)
}

// Arg returns a word after ID, or "".
func (m Message) Arg(i int) string {
	if i < len(m.Args) {
		return m.Args[i]
	}
	return ""
}

// Parse is the reverse of String.
func Parse(line string) (Message, error) {
	verb, rest, _ := strings.Cut(line, " ")
	var words []string
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return Message{}, fmt.Errorf("a word of %q is not quoted", line)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return Message{}, fmt.Errorf("a word of %q is badly quoted", line)
		}
		words = append(words, word)
		rest = strings.TrimPrefix(rest[len(quoted):], " ")
	}
	if verb == "" || len(words) == 0 {
		return Message{}, fmt.Errorf("%q is no message", line)
	}
	return Message{Verb: verb, ID: words[0], Args: words[1:]}, nil
}

// fillsAt is how many bytes may wait before optional messages are dropped.
const fillsAt = 1 << 20

// Sender writes messages from a goroutine of its own, so that nobody waits for
// the other side. After an error nothing is written any more.
type Sender struct {
	w    io.WriteCloser
	done chan struct{}

	mu     sync.Mutex // guards what follows
	change sync.Cond
	queue  []byte
	closed bool
	dead   bool
}

// NewSender starts the goroutine, which Close ends.
func NewSender(w io.WriteCloser) *Sender {
	s := &Sender{w: w, done: make(chan struct{})}
	s.change.L = &s.mu
	go s.run()
	return s
}

// Send has a message written. It never waits.
func (s *Sender) Send(m Message) { s.put(m, false) }

// SendOptional is Send for a message that may be dropped if the other side does
// not read.
func (s *Sender) SendOptional(m Message) { s.put(m, true) }

func (s *Sender) put(m Message, optional bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.dead || optional && len(s.queue) > fillsAt {
		return
	}
	s.queue = append(append(s.queue, m.String()...), '\n')
	s.change.Signal()
}

// Close has w closed once everything is written, and returns a channel that is
// closed then. Whoever cannot wait so long closes w, or sets its deadline.
func (s *Sender) Close() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.change.Signal()
	return s.done
}

func (s *Sender) run() {
	defer close(s.done)
	defer s.w.Close()
	var text []byte
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closed {
			s.change.Wait()
		}
		if len(s.queue) == 0 {
			s.mu.Unlock()
			return
		}
		text, s.queue = s.queue, text[:0]
		s.mu.Unlock()
		if _, err := s.w.Write(text); err != nil {
			s.mu.Lock()
			s.dead, s.queue = true, nil
			s.mu.Unlock()
		}
		if cap(text) > fillsAt {
			text = nil
		}
	}
}

// Abort ends the sender without waiting for the other side: what is not written
// is dropped, and w closed.
func (s *Sender) Abort() {
	s.mu.Lock()
	s.closed, s.dead, s.queue = true, true, nil
	s.change.Signal()
	s.mu.Unlock()
	s.w.Close() // which ends a write
	<-s.done
}
