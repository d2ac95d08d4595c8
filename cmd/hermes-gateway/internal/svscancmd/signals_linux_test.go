package svscancmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const (
	sigALRM = syscall.SIGALRM
	sigABRT = syscall.SIGABRT
)

// Signals that end a tree end its services.
func TestEndingSignals(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sleeper("web")
			tr := r.start(r.scan)
			pid := r.began("web")
			tr.signal(s)
			tr.ends(0)
			if alive(pid) {
				t.Error("the service lives on")
			}
		})
	}
}

// A tree that leaves, or is killed, leaves its services, and the next one has
// them and starts no other.
func TestAbandon(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"ABRT": sigABRT, "KILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sleeper("web")
			tr := r.start(r.scan)
			pid := r.began("web")
			until(t, "its record", func() bool {
				record, _ := os.ReadFile(filepath.Join(r.scan, "web/supervise/instance"))
				return strings.HasPrefix(string(record), fmt.Sprintf("v1 run %d ", pid))
			})
			tr.signal(s)
			tr.ends(map[bool]int{true: 0, false: -1}[s == sigABRT])
			if !alive(pid) {
				t.Fatal("the service has ended")
			}
			tr = r.start(r.scan)
			until(t, "its adoption", func() bool {
				note, _ := os.ReadFile(filepath.Join(r.scan, "web/supervise/note"))
				return strings.Contains(string(note), "adopted")
			})
			tr.signal(syscall.SIGTERM)
			tr.ends(0)
			if alive(pid) {
				t.Error("it lives on after the end of its tree")
			}
			if n := r.said.Buffered(); n > 0 {
				t.Errorf("another was started: %q", r.heard())
			}
		})
	}
}

// ALRM takes up what is new; HUP also ends what is gone.
func TestScanSignals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tr := r.start(r.scan)
	r.sleeper("web")
	tr.signal(sigALRM)
	web := r.began("web")

	must(t, os.Rename(filepath.Join(r.scan, "web"), filepath.Join(r.scan, ".web")))
	r.sleeper("mail")
	tr.signal(sigALRM)
	mail := r.began("mail")
	if !alive(web) {
		t.Fatal("ALRM has ended a service")
	}
	r.sleeper("news")
	tr.signal(syscall.SIGHUP)
	r.began("news")
	until(t, "the end of what is gone", func() bool { return !alive(web) })
	if !alive(mail) {
		t.Error("HUP has ended a service that is there")
	}
}

// What other programs send to everybody ends no tree.
func TestSignalsWithoutMeaning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tr := r.start(r.scan)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGWINCH, syscall.SIGPWR} {
		tr.signal(s)
	}
	r.sleeper("web")
	tr.signal(sigALRM)
	r.began("web")
	tr.signal(syscall.SIGTERM)
	tr.ends(0)
}
