package supervise

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// What services in these tests run.
const (
	sleeper  = "exec sleep 1000"
	announce = "echo >&3; exec 3>&-; exec sleep 1000"
	argsOnly = "echo \"$0 $*\" >>run.args; echo >&3; exec sleep 1000"
	recorder = "echo \"$*\" | sed 's/ [0-9]*$/ PGID/' >>finish.args; exit $(cat code)"
)

// script makes an executable. No fork of another test may inherit the open
// file: executing it would fail then.
func script(t *testing.T, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// stage is something that is done, and what it has to lead to.
type stage struct {
	send   string
	signal int // of a Signal, plus one
	kill   syscall.Signal
	events string // all so far
	record string
	exit   bool // the supervisor is gone afterwards
}

type drama struct {
	name   string
	run    string
	finish string
	files  map[string]string
	stages []stage
	wait   uint16            // at last
	leaves map[string]string // files at last
	recent bool              // only 2.15
	not215 bool              // a bug of 2.15.1 is in the way
}

func dramas() []drama {
	up := stage{events: "su", record: "up want"}
	term, hup, quit, interrupt := int(Terminate)+1, int(Hangup)+1, int(Quit)+1, int(Interrupt)+1
	return []drama{
		{name: "down and up", run: sleeper, stages: []stage{
			up,
			{send: "d", events: "sudD", record: "down ready"},
			{send: "u", events: "sudDu", record: "up want"},
			{send: "O", events: "sudDu", record: "up"},
			{send: "xt", events: "sudDudDx", record: "down ready", exit: true},
		}, wait: 15},
		{name: "normally down", run: sleeper, files: map[string]string{"down": ""}, stages: []stage{
			{events: "s", record: "down ready paused"},
			{send: "pck", events: "s", record: "down ready paused"},
			{send: "d", events: "s", record: "down ready"},
			{send: "o", events: "su", record: "up"},
			{send: "k", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", record: "down ready", exit: true},
		}, wait: 9},
		{name: "burst", run: sleeper, stages: []stage{
			up,
			{send: "dud", events: "sudD", record: "down ready"},
			{send: "ud", events: "sudDudD", record: "down ready"},
			{send: "xuo", events: "sudDudDx", record: "down ready", exit: true},
		}, wait: 15, recent: true, not215: true}, // the real one starts after x
		{name: "pause", run: sleeper, stages: []stage{
			up,
			{send: "p", events: "su", record: "up want paused"},
			{send: "c", events: "su", record: "up want"},
			{send: "pd", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", exit: true},
		}, wait: 15},
		{name: "pause the group", run: sleeper, stages: []stage{
			up,
			{send: "P", events: "su", record: "up want paused"},
			{send: "C", events: "su", record: "up want"},
			{send: "OK", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", exit: true},
		}, wait: 9, recent: true},
		{name: "readiness", run: announce, files: map[string]string{"notification-fd": "3"}, stages: []stage{
			{events: "suU", record: "up want ready"},
			{send: "p", events: "suU", record: "up want ready paused"},
			{send: "K", kill: syscall.SIGKILL, events: "suUdDuU", record: "up want ready"},
			{send: "d", events: "suUdDuUdD", record: "down ready"},
			{send: "x", events: "suUdDuUdDx", exit: true},
		}, wait: 15},
		{name: "finish", run: argsOnly, finish: recorder, files: map[string]string{"code": "0", "down-signal": "USR1\n", "notification-fd": "3"}, stages: []stage{
			{events: "suU", record: "up want ready"},
			{send: "d", events: "suUdD", record: "down ready"},
			{send: "uO", events: "suUdDuU", record: "up ready"},
			{send: "r", events: "suUdDuUdD", record: "down ready"},
			{send: "x", events: "suUdDuUdDx", exit: true},
		}, wait: 10, leaves: map[string]string{
			"finish.args": "256 10 web PGID; 256 10 web PGID",
			"run.args":    "./run web; ./run web",
		}, recent: true},
		{name: "finish of an exit", run: "exit 3", finish: recorder, files: map[string]string{"code": "0", "down": ""}, stages: []stage{
			{events: "s", record: "down ready paused"},
			{send: "o", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", exit: true},
		}, wait: 0x0300, leaves: map[string]string{"finish.args": "3 0 web PGID"}, recent: true},
		{name: "permanent failure", run: sleeper, finish: recorder, files: map[string]string{"code": "125"}, stages: []stage{
			up,
			{send: "t", events: "sudOD", record: "down ready"},
			{send: "u", events: "sudODu", record: "up want"},
			{send: "x", events: "sudODu", record: "up want"},
			{send: "k", events: "sudODudODx", record: "down ready", exit: true},
		}, wait: 9},
		{
			name: "reload", run: "trap 'kill $!; exit 4' USR2; sleep 1000 & echo >&3; wait",
			files: map[string]string{"notification-fd": "3", "reload-signal": "USR2"}, stages: []stage{
				{events: "suU", record: "up want ready"},
				{send: "Ol", events: "suUdD", record: "down ready"},
				{send: "x", events: "suUdDx", exit: true},
			}, wait: 0x0400, recent: true,
		},
		{name: "down file", run: sleeper, stages: []stage{
			up,
			{send: "D", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", exit: true},
		}, wait: 15, leaves: map[string]string{"down": ""}},
		{name: "no down file", run: sleeper, files: map[string]string{"down": ""}, stages: []stage{
			{events: "s", record: "down ready paused"},
			{send: "U", events: "su", record: "up want"},
			{send: "d", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", exit: true},
		}, wait: 15, leaves: map[string]string{"down": "absent"}},
		{name: "stay down", run: sleeper, stages: []stage{
			up,
			{send: "Q", events: "su", record: "up"},
			{send: "tx", events: "sudDx", record: "down ready", exit: true},
		}, wait: 15, leaves: map[string]string{"down": ""}, not215: true},
		{name: "TERM", run: sleeper, finish: recorder, files: map[string]string{"code": "0"}, stages: []stage{
			up,
			{signal: term, events: "sudDx", record: "down ready", exit: true},
		}, wait: 15},
		{name: "TERM when down", run: sleeper, files: map[string]string{"down": ""}, stages: []stage{
			{events: "s", record: "down ready paused"},
			{signal: term, events: "sx", record: "down ready paused", exit: true},
		}},
		{name: "HUP", run: sleeper, stages: []stage{
			up,
			{signal: hup, events: "su", record: "up want"},
			{send: "d", events: "sudDx", record: "down ready", exit: true},
		}, wait: 15},
		{name: "QUIT", run: sleeper, stages: []stage{
			up,
			{signal: quit, events: "sux", record: "up want", exit: true},
		}},
		{name: "INT", run: "trap '' INT; echo >&3; exec sleep 1000", files: map[string]string{"notification-fd": "3"}, stages: []stage{
			{events: "suU", record: "up want ready"},
			{signal: interrupt, events: "suUx", record: "up want ready", exit: true},
		}},
		{name: "timeout-kill", run: "trap '' TERM; echo >&3; exec sleep 1000", files: map[string]string{"notification-fd": "3", "timeout-kill": "200"}, stages: []stage{
			{events: "suU", record: "up want ready"},
			{send: "d", events: "suUdD", record: "down ready"},
			{send: "x", events: "suUdDx", exit: true},
		}, wait: 9},
		{name: "timeout-finish", run: sleeper, finish: "exec sleep 1000", files: map[string]string{"timeout-finish": "200"}, stages: []stage{
			up,
			{send: "d", events: "sudD", record: "down ready"},
			{send: "x", events: "sudDx", exit: true},
		}, wait: 15},
		{name: "finish is let be", run: sleeper, finish: "exec sleep 1000", files: map[string]string{"timeout-finish": "0"}, stages: []stage{
			up,
			{send: "t", events: "sud", record: "finishing want"},
			{send: "ktd12", events: "sud", record: "finishing"},
			{send: "u", events: "sud", record: "finishing want"},
			{send: "xO", events: "sud", record: "finishing"},
			{kill: syscall.SIGKILL, events: "sudDx", record: "down ready", exit: true},
		}, wait: 15},
		{name: "restart", run: sleeper, stages: []stage{
			up,
			{send: "du", events: "sudDu", record: "up want"},
			{send: "xd", events: "sudDudDx", exit: true},
		}, wait: 15},
		{name: "not executable", run: "", stages: []stage{
			{events: "s", record: "down want ready paused"},
			{send: "u", events: "s", record: "down want ready"},
			{send: "d", events: "s", record: "down ready"},
			{send: "x", events: "sx", exit: true},
		}},
	}
}

// The same commands to the real supervisor and to ours: the same events, the
// same records, the same files.
func TestLikeTheRealOne(t *testing.T) {
	program, err := os.ReadFile(s6test.Tool(t, "s6-supervise"))
	if err != nil {
		t.Fatal(err)
	}
	recent := bytes.Contains(program, []byte("reload-signal"))
	for _, d := range dramas() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			t.Run("ours", func(t *testing.T) { d.play(t, startOurs, true) })
			t.Run("real", func(t *testing.T) {
				switch {
				case d.recent && !recent:
					t.Skip("this s6 is older than 2.15.1")
				case d.not215 && recent:
					t.Skip("2.15.1 has a bug here")
				}
				d.play(t, startReal, recent)
			})
		})
	}
}

func (d drama) play(t *testing.T, start func(*testing.T, string) subject, recent bool) {
	dir := d.stageDir(t)
	s := start(t, dir)
	for _, st := range d.stages {
		if st.send != "" {
			s.send(t, st.send)
		}
		if st.signal != 0 {
			s.signal(t, Signal(st.signal-1))
		}
		if st.kill != 0 {
			rec, _ := s.record()
			if err := syscall.Kill(rec.PID, st.kill); err != nil {
				t.Fatal(err)
			}
		}
		record := st.record
		if !recent && strings.HasPrefix(record, "down") {
			record = strings.TrimSuffix(record, " paused")
		}
		reach(t, s, st.events, record)
		if st.exit {
			<-s.gone()
		}
	}
	if rec, ok := s.record(); !ok || rec.Wait != d.wait {
		t.Errorf("wait status %#x, want %#x", rec.Wait, d.wait)
	}
	for name, want := range d.leaves {
		b, err := os.ReadFile(filepath.Join(dir, name))
		got := lines(b)
		if err != nil {
			got = "absent"
		}
		if got != want {
			t.Errorf("file %s: %q, want %q", name, got, want)
		}
	}
}

// stageDir makes the service directory.
func (d drama) stageDir(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "web")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if d.run != "" {
		script(t, filepath.Join(dir, "run"), d.run)
	}
	if d.finish != "" {
		script(t, filepath.Join(dir, "finish"), d.finish)
	}
	for name, text := range d.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
