package s6

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// withExit puts another end of the last process into a record of 35 bytes.
func withExit(record string, wait uint16) string {
	b := []byte(record)
	binary.BigEndian.PutUint16(b[32:], wait)
	return string(b)
}

// holdAsOwn takes the lock of a servicedir as our own tree does, which has
// written a status.
func holdAsOwn(t *testing.T, dir string, spoken bool) {
	t.Helper()
	d, err := fsat.Open(dir)
	must(t, err)
	defer d.Close()
	fd, err := lock.Take(d, "supervise/lock", 0o600)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	if spoken {
		must(t, lock.Speak(fd))
	}
}

// pidNamespace is ours, as instance records name it.
func pidNamespace(t *testing.T) string {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Stat("/proc/self/ns/pid", &st))
	return strconv.FormatUint(st.Ino, 10)
}

// What our own tree writes beside the record, row by row. The notes are written
// by hand.
func TestOwnEvidence(t *testing.T) {
	t.Parallel()
	const up, waiting, exit3 = "s6-2.15.1.0-up", "s6-2.15.1.0-down-restart-delay", "s6-2.15.1.0-down-exit3"
	const unknown, exit0 = 0xffff, 0
	const given = "finish exited 125: it is not to be started again by itself"
	dead := exec.Command("true")
	must(t, dead.Run())
	mark := func(policy string) string { return `{"v":1,"restart":"` + policy + `","fatal":[78]}` + "\n" }
	instance := func(ns string) string { return fmt.Sprintf("v1 run %d 1 boot %s up none\n", dead.Process.Pid, ns) }
	running := withPID(golden(t, up), os.Getpid())
	gone := withPID(golden(t, up), dead.Process.Pid)
	tests := []struct {
		name, status, note string
		files              files
		s6                 bool // not under our own tree
		silent             bool // it has not written a status yet
		state              sm.State
		problem            string
		pid                int
		adopted, noExit    bool
	}{
		{name: "backoff", status: golden(t, waiting), note: "v1 backoff 1772366400.250000000\n",
			state: sm.StateBackoff, problem: "died; the next start comes at 2026-03-01T12:00:00.250Z"},
		{name: "backoff, killed outright", status: withExit(golden(t, waiting), unknown), note: "v1 backoff 1772366400.000000000 exit status unknown: it outlived its supervisor\n",
			state: sm.StateBackoff, problem: "exit status unknown: it outlived its supervisor; the next start comes at 2026-03-01T12:00:00.000Z", noExit: true},
		{name: "backoff of a tree before s6", status: golden(t, waiting), note: "v1 backoff 1772366400.250000000\n", s6: true, state: sm.StateStarting},
		{name: "restart delay", status: golden(t, waiting), state: sm.StateStarting},
		{name: "restart delay, long ago", status: golden(t, waiting), files: files{"supervise/old": ""}, state: sm.StateStarting},
		{name: "note of a later version", status: golden(t, waiting), note: "v2 backoff 1772366400.250000000\n", state: sm.StateStarting},
		{name: "note that is too long", status: golden(t, waiting), note: "v1 - - " + strings.Repeat("x", 4000) + "\n", state: sm.StateStarting},
		{name: "run not executed, to be retried", status: golden(t, waiting), note: "v1 - 1772366400.250000000 run could not be started: exec format error\n",
			state: sm.StateStarting, problem: "run could not be started: exec format error; the next try comes at 2026-03-01T12:00:00.250Z"},
		{name: "run not executed, not to be retried", status: golden(t, waiting), note: "v1 - - not started: lock-fd\n",
			state: sm.StateStarting, problem: "not started: lock-fd"},
		{name: "up", status: running, state: sm.StateUp, pid: os.Getpid()},
		{name: "up, of a tree before this one", status: running, silent: true, state: sm.StateUnknown, problem: "the supervisor has not written a status yet", noExit: true},
		{name: "backoff, of a tree before this one", status: golden(t, waiting), note: "v1 backoff 1772366400.250000000\n", silent: true,
			state: sm.StateUnknown, problem: "the supervisor has not written a status yet", noExit: true},
		{name: "up, adopted", status: running, note: "v1 adopted -\n", state: sm.StateUp, pid: os.Getpid(), adopted: true},
		{name: "up, adopted from a tree before s6", status: running, note: "v1 adopted -\n", s6: true, state: sm.StateUp},
		{name: "up, the next note is there already", status: running, note: "v1 backoff 1772366400.250000000\n", state: sm.StateUp, pid: os.Getpid()},
		{name: "up, the last exit unknown", status: withExit(running, unknown), state: sm.StateUp, pid: os.Getpid(), noExit: true},
		{name: "up, with a problem", status: running, note: "v1 adopted - internal fault\n", state: sm.StateUp, pid: os.Getpid(), adopted: true, problem: "internal fault"},
		{name: "finishing, adopted", status: withPID(golden(t, "s6-2.15.1.0-finishing-want-up"), os.Getpid()), note: "v1 adopted -\n", state: sm.StateFinishing},
		{name: "down, exit unknown", status: withExit(golden(t, exit3), unknown), state: sm.StateDown, noExit: true, problem: unknownExit},
		{name: "down, exit unknown, under s6", status: withExit(golden(t, exit3), unknown), s6: true, state: sm.StateDown, noExit: true, problem: unknownExit},
		{name: "given up", status: golden(t, exit3), note: "v1 failed - " + given + "\n", state: sm.StateFailed, problem: given},
		{name: "given up, never to be restarted", status: golden(t, exit3), note: "v1 failed - " + given + "\n", files: files{"data/registered": mark("never")}, state: sm.StateDown},
		{name: "given up, exit 0 is no failure", status: withExit(golden(t, exit3), exit0), note: "v1 failed - " + given + "\n", files: files{"data/registered": mark("on-failure")}, state: sm.StateDown},
		{name: "given up, exit 3 is one", status: golden(t, exit3), note: "v1 failed - " + given + "\n", files: files{"data/registered": mark("on-failure")}, state: sm.StateFailed, problem: given},
		{name: "given up, registered", status: golden(t, exit3), note: "v1 failed - " + given + "\n", files: files{"data/registered": mark("always")}, state: sm.StateFailed, problem: given},
		{name: "parked", status: withExit(golden(t, exit3), 78<<8), note: "v1 failed - " + given + "\n", files: files{"data/registered": mark("always"), "data/parked": "exit code 78 is fatal\n"},
			state: sm.StateFailed, problem: "exit code 78 is fatal"},
		{name: "fault of the tree, process alive", status: running, note: "v1 failed - internal fault\n", state: sm.StateFailed, pid: os.Getpid(), problem: "internal fault"},
		{name: "fault of the tree, no process", status: golden(t, waiting), note: "v1 failed - internal fault\n", state: sm.StateFailed, problem: "internal fault"},
		{name: "process gone", status: gone, files: files{"supervise/instance": instance(pidNamespace(t))}, state: sm.StateUnknown, noExit: true,
			problem: "the supervisor's status names a process that is gone, and is not renewed: is the disk full?"},
		{name: "process of another pid namespace", status: gone, files: files{"supervise/instance": instance("4242")}, state: sm.StateUp, pid: dead.Process.Pid},
	}
	dir := s6test.Dir(t, os.Geteuid())
	m := openOn(t, &s6test.Tree{ScanDir: dir})
	for i, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			name := "svc" + strconv.Itoa(i)
			path := filepath.Join(dir, name)
			pid := evidence{free: !tc.s6}.lay(t, path)
			tc.files.write(t, path)
			if tc.s6 && tc.state == sm.StateUp { // s6 has no other processes than its own
				tc.status, tc.pid = withPID(tc.status, pid), pid
			}
			if !tc.s6 {
				holdAsOwn(t, path, !tc.silent)
			}
			if tc.note != "" {
				must(t, os.WriteFile(filepath.Join(path, "supervise/note"), []byte(tc.note), 0o644))
			}
			status := filepath.Join(path, "supervise/status")
			must(t, os.WriteFile(status, []byte(tc.status), 0o644))
			if _, old := tc.files["supervise/old"]; old {
				at := time.Now().Add(-time.Hour)
				must(t, os.Chtimes(status, at, at))
			}
			st, err := m.Status(context.Background(), name)
			must(t, err)
			if st.State != tc.state || st.Problem != tc.problem || st.PID != tc.pid || st.Adopted != tc.adopted {
				t.Errorf("got %+v\nwant %v, problem %q, pid %d, adopted %v", st, tc.state, tc.problem, tc.pid, tc.adopted)
			}
			if tc.noExit != (st.LastExit == nil) && tc.pid == 0 {
				t.Errorf("the last exit is %v", st.LastExit)
			}
		})
	}
}

// Note and record are two files: in between, a service that was given up and is
// wanted again is neither.
func TestOwnSightInPassing(t *testing.T) {
	t.Parallel()
	dir := s6test.Dir(t, os.Geteuid())
	m := openOn(t, &s6test.Tree{ScanDir: dir})
	path := filepath.Join(dir, "web")
	evidence{free: true, status: golden(t, "s6-2.15.1.0-down-restart-delay")}.lay(t, path)
	holdAsOwn(t, path, true)
	note := filepath.Join(path, "supervise/note")
	must(t, os.WriteFile(note, []byte("v1 failed - given up\n"), 0o644))
	s, err := m.service("web")
	must(t, err)
	defer s.close()
	holder, err := lock.Query(s.dir, "supervise/lock")
	must(t, err)
	v, err := s.look(holder)
	must(t, err)
	if !s.passing(v) {
		t.Errorf("%+v is taken for settled", v)
	}
	must(t, os.Remove(note))
	if v, err = s.look(holder); err != nil || s.passing(v) {
		t.Errorf("%+v, %v is taken for passing", v, err)
	}
	// What waits for a service to come up does not give up over it.
	for _, st := range []sm.Status{{State: sm.StateBackoff, WantUp: true}, {State: sm.StateStarting, WantUp: true, Problem: "x"}} {
		for _, until := range []sm.Condition{sm.UntilUp, sm.UntilReady, sm.UntilFinished} {
			if done, err := reached(st, until); done || err != nil {
				t.Errorf("%v until %v: %v, %v", st.State, until, done, err)
			}
		}
	}
	// One that nobody supervises and that is there is neither finished nor lost.
	fault := sm.Status{State: sm.StateFailed, PID: 1, WantUp: true}
	for until, want := range map[sm.Condition]bool{sm.UntilUp: true, sm.UntilReady: false, sm.UntilDown: false, sm.UntilFinished: false} {
		if done, err := reached(fault, until); done != want || err != nil {
			t.Errorf("a fault until %v: %v, %v", until, done, err)
		}
	}
}
