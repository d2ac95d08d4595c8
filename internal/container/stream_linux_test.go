package container

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// stream is what something prints, for those who wait for a line.
type stream struct {
	mu    sync.Mutex
	text  strings.Builder
	fresh chan struct{} // closed when there is more
}

func newStream() *stream { return &stream{fresh: make(chan struct{})} }

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	close(s.fresh)
	s.fresh = make(chan struct{})
	return len(p), nil
}

func (s *stream) String() string {
	text, _ := s.look()
	return text
}

func (s *stream) look() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.fresh
}

// await waits until a text was printed so often.
func (s *stream) await(t testing.TB, what string, times int) {
	t.Helper()
	late := time.After(soon)
	for {
		text, fresh := s.look()
		if strings.Count(strings.ReplaceAll(text, "\r\n", "\n"), what) >= times {
			return
		}
		select {
		case <-fresh:
		case <-late:
			t.Fatalf("it printed %q, want %q %d times", text, what, times)
		}
	}
}
