//go:build unix

package notify

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRunEndsContextOnSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			s := start(t, "serve", nil)
			s.want("serving")
			s.signal(sig)
			s.want("cause: asked to stop by signal: " + sig.String())
			if stderr := s.wantExit(0); stderr != "" {
				t.Errorf("stderr %q, want nothing after an ordinary stop", stderr)
			}
		})
	}
}

func TestRunSecondSignalHasDefaultAction(t *testing.T) {
	for _, tc := range []struct {
		name          string
		first, second syscall.Signal
	}{
		{"TERM TERM", syscall.SIGTERM, syscall.SIGTERM},
		{"TERM INT", syscall.SIGTERM, syscall.SIGINT},
		{"INT TERM", syscall.SIGINT, syscall.SIGTERM},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, "hang", nil)
			s.want("serving")
			s.signal(tc.first)
			s.want("asked")
			s.signal(tc.second)
			if ws, stderr := s.wait(); !ws.Signaled() || ws.Signal() != tc.second {
				t.Errorf("ended with %v, want death by %v; stderr: %s", ws, tc.second, stderr)
			}
		})
	}
}

// Two signals that come before the first is handled must not be taken for one.
func TestRunTwoSignalsAtOnce(t *testing.T) {
	s := start(t, "hang", nil)
	s.want("serving")
	s.signal(syscall.SIGTERM, syscall.SIGINT)
	if ws, stderr := s.wait(); !ws.Signaled() {
		t.Errorf("ended with %v, want death by the second signal; stderr: %s", ws, stderr)
	}
}

func TestRunExitCodes(t *testing.T) {
	me := filepath.Base(os.Args[0])
	for _, tc := range []struct {
		role, stderr string
		code         int
	}{
		{"fine", "", 0},
		{"fails", me + ": no route; to host\n", 1},
		{"fatal", me + ": load: no such key\n", 78},
		{"again", "", 75},
		{"cancelled", me + ": context canceled\n", 1}, // nobody asked it to stop
	} {
		t.Run(tc.role, func(t *testing.T) {
			if stderr := start(t, tc.role, nil).wantExit(tc.code); stderr != tc.stderr {
				t.Errorf("stderr %q, want %q", stderr, tc.stderr)
			}
		})
	}
}

func TestRunLetsPanicsCrash(t *testing.T) {
	if stderr := start(t, "panic", nil).wantExit(2); !strings.Contains(stderr, "the roof is on fire") {
		t.Errorf("stderr %q does not show the panic", stderr)
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	socket := listen(t, "")
	s := start(t, "leaks", []string{"NOTIFY_SOCKET=" + socket.name})
	go socket.drain()
	s.want("goroutines: 0 files: 0")
	s.wantExit(0)
}
