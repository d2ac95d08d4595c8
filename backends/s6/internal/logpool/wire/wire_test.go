package wire

import (
	"bufio"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestMessagesSurviveTheWire(t *testing.T) {
	for _, m := range []Message{
		{Verb: Add, ID: "web", Args: []string{"/run/service/web/log"}},
		{Verb: Drained, ID: "a b\n\"\\\x00\xff é", Args: []string{"0", ""}},
		{Verb: Rotate, ID: ""},
	} {
		line := m.String()
		if strings.ContainsAny(line, "\n") {
			t.Errorf("%q is not a line", line)
		}
		got, err := Parse(line)
		if err != nil || got.Verb != m.Verb || got.ID != m.ID || len(got.Args) != len(m.Args) || len(m.Args) > 0 && !reflect.DeepEqual(got.Args, m.Args) {
			t.Errorf("%q became %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{"", "add", "add web", `add "web`, `add "web"x`, ` "web"`} {
		if m, err := Parse(line); err == nil {
			t.Errorf("%q is read as %+v", line, m)
		}
	}
}

func TestSenderWritesInOrderAndEnds(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := NewSender(w)
	const n = 5000 // more than the pipe holds
	for range n {
		s.Send(Message{Verb: Add, ID: "web", Args: []string{"/run/service/web/log"}})
	}
	done := s.Close()
	s.Send(Message{Verb: Drain, ID: "web"}) // too late
	lines := bufio.NewScanner(r)
	got := 0
	for lines.Scan() {
		if m, err := Parse(lines.Text()); err != nil || m.Verb != Add {
			t.Fatalf("line %d: %+v, %v", got, m, err)
		}
		got++
	}
	if got != n {
		t.Errorf("%d of %d lines", got, n)
	}
	<-done
}

// Nobody reads: optional messages are dropped, and the end does not wait for
// more than the writer's.
func TestSenderOnADeafPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := NewSender(w)
	m := Message{Verb: Blocked, ID: "web", Args: []string{strings.Repeat("x", 1000)}}
	for range 10000 {
		s.SendOptional(m)
	}
	s.mu.Lock()
	if size := len(s.queue); size > fillsAt+2000 {
		t.Errorf("%d bytes wait", size)
	}
	s.mu.Unlock()
	done := s.Close()
	r.Close()
	<-done
	if _, err := w.Write(nil); !errors.Is(err, os.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the pipe is open: %v", err)
	}
}
