package supervise

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// Senders never wait: neither before Run nor for a service that hangs.
func TestControlNeverWaits(t *testing.T) {
	s := New(newWorld(nil).config())
	half := []byte(strings.Repeat("a", mailboxSize/2))
	for i, want := range []error{nil, nil, ErrBusy, ErrBusy} {
		if err := s.Control(half); !errors.Is(err, want) {
			t.Errorf("half a FIFO, time %d: %v, want %v", i+1, err, want)
		}
	}
	if err := s.Control(nil); err != nil {
		t.Errorf("nothing into a full one: %v", err)
	}
	for range 3 {
		if err := s.Signal(Terminate); err != nil {
			t.Errorf("a signal into a full one: %v", err)
		}
	}
}

// Signals go first, in the order of their numbers, and are not counted.
func TestSignalsGoFirst(t *testing.T) {
	w := newWorld(nil)
	w.files["finish"] = ""
	inBubble(t, w, func(r *rig) {
		r.service.Control([]byte("1"))
		r.service.Signal(Terminate)
		r.service.Signal(Terminate)
		r.service.Signal(Hangup)
		synctest.Wait()
		if got := strings.Join(r.children[0].signals, " "); got != "TERM CONT USR1" || !r.stdio {
			t.Errorf("signals %q, stdio released %v", got, r.stdio)
		}
		r.service.Signal(Quit)
		r.service.Signal(Interrupt)
		if err := r.left(); err != nil {
			t.Error(err)
		}
		if got := strings.Join(r.children[0].signals, " "); got != "TERM CONT USR1 INT group" {
			t.Errorf("signals %q", got)
		}
		if err := r.service.Signal(Quit); !errors.Is(err, ErrLeft) {
			t.Errorf("signal after the end: %v", err)
		}
	})
}

// Many senders at once, real time, for the race detector.
func TestManySenders(t *testing.T) {
	w := newWorld(nil)
	s := New(w.config())
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 200 {
				if err := s.Control([]byte("12pcdu")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	s.Signal(Quit)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Every byte is one of the commands or means nothing.
func TestCommandBytes(t *testing.T) {
	known := map[byte]eventKind{
		'a': cmdALRM, 'b': cmdABRT, 'q': cmdQUIT, 'h': cmdHUP, 'k': cmdKILL, 't': cmdTERM, 'i': cmdINT,
		'1': cmdUSR1, '2': cmdUSR2, 'y': cmdWINCH, 'p': cmdPause, 'c': cmdResume,
		'P': cmdPauseGroup, 'C': cmdResumeGroup, 'K': cmdKillGroup, 'r': cmdDownSignal, 'l': cmdReloadSignal,
		'o': cmdOnce, 'd': cmdDown, 'u': cmdUp, 'D': cmdDownFile, 'U': cmdUpFile, 'x': cmdExit,
		'O': cmdAtMostOnce, 'Q': cmdStayDownFile,
	}
	for i := range 256 {
		kind, ok := commandEvent(byte(i))
		want, wantOK := known[byte(i)]
		if ok != wantOK || kind != want {
			t.Errorf("byte %q is %v, %v; want %v, %v", byte(i), kind, ok, want, wantOK)
		}
	}
}
