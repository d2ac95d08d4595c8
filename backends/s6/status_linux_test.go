package s6

import (
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// evidence is a servicedir without a supervisor: what one would have left there,
// with its lock held by a process that does nothing else.
type evidence struct {
	status string // content of supervise/status; "" for none
	free   bool   // nobody holds the lock
	files  files
	make   func(dir string) // anything else
}

// golden is a status record as a real supervisor wrote it.
func golden(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("internal/status/testdata", name+".status"))
	must(t, err)
	return string(b)
}

// withPID puts another process into a record.
func withPID(record string, pid int) string {
	b := []byte(record)
	binary.BigEndian.PutUint64(b[24:], uint64(pid))
	if len(b) == status.SizePGID {
		binary.BigEndian.PutUint64(b[32:], uint64(pid))
	}
	return string(b)
}

// lay writes evidence into a directory. Processes in its record become a child
// of the process that holds the lock, whose number it returns.
func (e evidence) lay(t *testing.T, dir string) (pid int) {
	t.Helper()
	e.files.write(t, dir)
	must(t, os.Mkdir(filepath.Join(dir, "supervise"), 0o700))
	lockPath := filepath.Join(dir, "supervise/lock")
	must(t, os.WriteFile(lockPath, nil, 0o644))
	if !e.free {
		pid = callAs(t, call{Op: "hold", Name: lockPath}).PID
	}
	if e.status != "" {
		must(t, os.WriteFile(filepath.Join(dir, "supervise/status"), []byte(e.status), 0o644))
	}
	if e.make != nil {
		e.make(dir)
	}
	return pid
}

// The table of states, row by row.
func TestStatusEvidence(t *testing.T) {
	t.Parallel()
	const up, downNever, downExit3 = "s6-2.15.1.0-up", "s6-2.15.1.0-down-never-started", "s6-2.11.3.2-down-exit3"
	const unreadable = "status cannot be read: "
	mark := `{"v":1,"restart":"always","fatal":[3]}` + "\n"
	asked := files{"data/registered": mark, "data/asked": "4711\n", "data/pid": "4711\n"}
	tests := []struct {
		name string
		evidence
		state   sm.State
		problem string // the beginning
		running bool
		ready   bool
		paused  bool
		wantUp  bool
	}{
		{name: "lock free", evidence: evidence{status: golden(t, up), free: true}, problem: "no supervisor"},
		{name: "lock free, down", evidence: evidence{status: golden(t, downExit3), free: true}, problem: "no supervisor"},
		{name: "lock missing", evidence: evidence{status: golden(t, up), free: true, make: func(dir string) {
			must(t, os.Remove(filepath.Join(dir, "supervise/lock")))
		}}, problem: "no supervisor"},
		{name: "no status", problem: "the supervisor has not written a status yet"},
		{name: "status of 0 bytes", evidence: evidence{make: writeStatus(t, "")}, problem: "unknown status format: 0 bytes"},
		{name: "status of 34 bytes", evidence: evidence{status: golden(t, up)[:34]}, problem: "unknown status format: 34 bytes"},
		{name: "status of 36 bytes", evidence: evidence{status: golden(t, up) + "x"}, problem: "unknown status format: 36 bytes"},
		{name: "status of 44 bytes", evidence: evidence{status: golden(t, "s6-2.13.2.0-up") + "x"}, problem: "unknown status format: 44 bytes"},
		{name: "status of 64 bytes", evidence: evidence{status: strings.Repeat("x", 64)}, problem: "unknown status format: 64 bytes"},
		{name: "status of a megabyte", evidence: evidence{status: strings.Repeat("x", 1<<20)}, problem: "unknown status format: 64 bytes"},
		{name: "impossible process", evidence: evidence{make: writeStatus(t, withPID(golden(t, up), 1<<40))}, problem: unreadable + "status with impossible process"},
		{name: "status is a directory", evidence: evidence{make: func(dir string) {
			must(t, os.Mkdir(filepath.Join(dir, "supervise/status"), 0o755))
		}}, problem: unreadable},
		{name: "status is a link", evidence: evidence{make: func(dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "elsewhere"), []byte(golden(t, up)), 0o644))
			must(t, os.Symlink("../elsewhere", filepath.Join(dir, "supervise/status")))
		}}, problem: unreadable},
		{name: "status is a FIFO", evidence: evidence{make: func(dir string) {
			must(t, unix.Mkfifo(filepath.Join(dir, "supervise/status"), 0o600))
		}}, problem: "unknown status format: 0 bytes"},
		{name: "supervise is a link", evidence: evidence{status: golden(t, downExit3), make: func(dir string) {
			must(t, os.Rename(filepath.Join(dir, "supervise"), filepath.Join(dir, "elsewhere")))
			must(t, os.Symlink("elsewhere", filepath.Join(dir, "supervise")))
		}}, problem: unreadable},
		{name: "finishing", evidence: evidence{status: golden(t, "s6-2.11.3.2-finishing")}, state: sm.StateFinishing},
		{name: "finishing, want up", evidence: evidence{status: golden(t, "s6-2.15.1.0-finishing-want-up")}, state: sm.StateFinishing, wantUp: true},
		{name: "up, want down", evidence: evidence{status: golden(t, "s6-2.15.1.0-want-down-still-up")}, state: sm.StateStopping, running: true, ready: false},
		{name: "up, want down, announced", evidence: evidence{status: golden(t, "s6-2.15.1.0-want-down-still-up-ready"), files: files{"notification-fd": "3\n"}}, state: sm.StateStopping, running: true, ready: true},
		{name: "up, to announce", evidence: evidence{status: golden(t, up), files: files{"notification-fd": "3\n"}}, state: sm.StateStarting, running: true, wantUp: true},
		{name: "up, announced", evidence: evidence{status: golden(t, "s6-2.15.1.0-up-ready"), files: files{"notification-fd": "3\n"}}, state: sm.StateUp, running: true, ready: true, wantUp: true},
		{name: "up, announces nothing", evidence: evidence{status: golden(t, up)}, state: sm.StateUp, running: true, ready: true, wantUp: true},
		{name: "up, of 43 bytes", evidence: evidence{status: golden(t, "s6-2.13.2.0-up")}, state: sm.StateUp, running: true, ready: true, wantUp: true},
		{name: "up, paused", evidence: evidence{status: golden(t, "s6-2.11.3.2-paused")}, state: sm.StateUp, running: true, ready: true, paused: true, wantUp: true},
		{name: "notification-fd without a number", evidence: evidence{status: golden(t, up), files: files{"notification-fd": " 3\n"}}, state: sm.StateUp, running: true, ready: true, wantUp: true},
		{name: "to be started", evidence: evidence{status: golden(t, "s6-2.15.1.0-down-restart-delay")}, state: sm.StateStarting, wantUp: true},
		{name: "to be started for long", evidence: evidence{status: golden(t, "s6-2.15.1.0-down-restart-delay"), make: func(dir string) {
			old := time.Now().Add(-90 * time.Second)
			must(t, os.Chtimes(filepath.Join(dir, "supervise/status"), old, old))
		}}, state: sm.StateStarting, wantUp: true, problem: "no process for 1m3"},
		{name: "down", evidence: evidence{status: golden(t, downNever)}, state: sm.StateDown},
		{name: "down, of 43 bytes", evidence: evidence{status: golden(t, "s6-2.13.2.0-down-exit3")}, state: sm.StateDown},
		{name: "parked", evidence: evidence{status: golden(t, downExit3), files: files{"data/registered": mark, "data/parked": "10 deaths in 9 s\nmore\n"}}, state: sm.StateFailed, problem: "10 deaths in 9 s"},
		{name: "fatal exit", evidence: evidence{status: golden(t, downExit3), files: files{"data/registered": mark}}, state: sm.StateFailed, problem: "exit code 3 is fatal"},
		{name: "fatal exit that was asked for", evidence: evidence{status: golden(t, downExit3), files: asked}, state: sm.StateDown},
		{name: "exit of somebody else's service", evidence: evidence{status: golden(t, downExit3)}, state: sm.StateDown},
		{name: "damaged mark", evidence: evidence{status: golden(t, downExit3), files: files{"data/registered": "{"}}, state: sm.StateDown},
	}
	dir := s6test.Dir(t, os.Geteuid())
	m := openOn(t, &s6test.Tree{ScanDir: dir})
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			name := strings.Map(func(r rune) rune {
				if r == ' ' || r == ',' || r == '\'' {
					return '_'
				}
				return r
			}, tc.name)
			pid := tc.lay(t, filepath.Join(dir, name))
			if tc.running || tc.state == sm.StateFinishing {
				must(t, os.WriteFile(filepath.Join(dir, name, "supervise/status"), []byte(withPID(tc.status, pid)), 0o644))
			}
			st, err := m.Status(context.Background(), name)
			must(t, err)
			if st.State != tc.state || st.Ready != tc.ready || st.Paused != tc.paused || st.WantUp != tc.wantUp {
				t.Errorf("got %+v, want %v, ready %v, paused %v, want up %v", st, tc.state, tc.ready, tc.paused, tc.wantUp)
			}
			if want := map[bool]int{true: pid}[tc.running]; st.PID != want {
				t.Errorf("got pid %d, want %d", st.PID, want)
			}
			if !strings.HasPrefix(st.Problem, tc.problem) || (tc.problem == "") != (st.Problem == "") || strings.Contains(st.Problem, "\n") {
				t.Errorf("got problem %q, want %q", st.Problem, tc.problem)
			}
			if st.Name != name {
				t.Errorf("got name %q", st.Name)
			}
		})
	}
}

func writeStatus(t testing.TB, text string) func(dir string) {
	return func(dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "supervise/status"), []byte(text), 0o644))
	}
}

// A supervisor takes the lock before it has written a status: until then that of
// its predecessor, with a process it does not know, is no truth.
func TestStatusOfThePredecessor(t *testing.T) {
	t.Parallel()
	dead := exec.Command("true")
	must(t, dead.Run())
	dir := s6test.Dir(t, os.Geteuid())
	m := openOn(t, &s6test.Tree{ScanDir: dir})
	tests := []struct {
		name, golden string
		pid          int
	}{
		{name: "up_with_a_process_that_is_gone", golden: "s6-2.15.1.0-up", pid: dead.Process.Pid},
		{name: "up_with_a_process_of_somebody_else", golden: "s6-2.15.1.0-up", pid: 1},
		{name: "finishing", golden: "s6-2.15.1.0-finishing-want-up", pid: 1},
	}
	for _, tc := range tests {
		e := evidence{status: withPID(golden(t, tc.golden), tc.pid)}
		if child := e.lay(t, filepath.Join(dir, tc.name)); child < tc.pid {
			t.Skip("process numbers have begun anew")
		}
		st, err := m.Status(context.Background(), tc.name)
		must(t, err)
		if st.State != sm.StateUnknown || st.PID != 0 || st.WantUp || st.Problem != "the supervisor has not written a status yet" {
			t.Errorf("%s: %+v", tc.name, st)
		}
	}
}

// What there is to know beside the state.
func TestStatusDetails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	spec := p.spec("web")
	spec.Down = true
	r.register(spec)
	st := r.status("web")
	if st.LastExit != nil || st.Restarts != 0 || st.Enabled || st.Since.IsZero() || !st.ReadySince.IsZero() {
		t.Errorf("never started: %+v (%v)", st, st.LastExit)
	}
	begun := time.Now()
	r.start("web")
	st = r.status("web")
	// s6 adds half a microsecond to what it reads from the clock.
	if age := st.Since.Sub(begun); age < -time.Millisecond || age > patience || !st.ReadySince.Equal(st.Since) || st.LastExit != nil {
		t.Errorf("started at %v: %+v (%v)", begun, st, st.LastExit)
	}
	p.do("exit 3")
	st = r.await("web", "again up", func(now sm.Status) bool { return now.Running() && now.PID != st.PID })
	if st.Restarts != 1 || st.LastExit == nil || st.LastExit.Code != 3 || st.LastExit.At.Before(begun) || st.LastExit.At.After(st.Since) {
		t.Errorf("after a death: %+v (%v)", st, st.LastExit)
	}
	r.signal("web", syscall.SIGABRT)
	st = r.await("web", "again up", func(now sm.Status) bool { return now.Running() && now.PID != st.PID })
	if st.Restarts != 2 || st.LastExit == nil || st.LastExit.Signal != syscall.SIGABRT || st.LastExit.String() != "signal SIGABRT" {
		t.Errorf("after another: %+v (%v)", st, st.LastExit)
	}
	r.stop("web")
	st = r.status("web")
	if st.Restarts != 2 || st.LastExit == nil || st.LastExit.Signal != syscall.SIGTERM || !st.LastExit.At.Equal(st.Since) {
		t.Errorf("after stop: %+v (%v)", st, st.LastExit)
	}
}

// On a real tree every state is seen, and a sweep over all services shows what
// asking for each does.
func TestStatusOfARealLife(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := newPuppet(t, r.tree.Dir)
	r.servicedir("web", files{
		"run":             p.run(),
		"finish":          "#!/bin/sh\nread -r word <" + p.inPath + "\n",
		"notification-fd": "3\n",
		"down":            "",
	})
	r.register(sleeper("other"))
	check := func(state sm.State, more string, is func(sm.Status) bool) {
		t.Helper()
		want := r.await("web", state.String()+more, func(st sm.Status) bool { return st.State == state && is(st) })
		for st, err := range r.m.StatusAll(r.ctx) {
			must(t, err)
			if st.Name == "web" && !equalStatus(st, want) {
				t.Errorf("%v%s: alone %+v, in the sweep %+v", state, more, want, st)
			}
		}
	}
	check(sm.StateDown, "", func(st sm.Status) bool { return !st.WantUp && !st.Ready && !st.Enabled })
	r.start("web")
	check(sm.StateStarting, "", func(st sm.Status) bool { return st.WantUp && st.Running() && !st.Ready })
	p.do("echo >&3")
	check(sm.StateUp, ", ready", func(st sm.Status) bool { return st.Ready && !st.ReadySince.IsZero() })
	r.signal("web", syscall.SIGSTOP)
	check(sm.StateUp, ", paused", func(st sm.Status) bool { return st.Paused && st.Running() })
	r.signal("web", syscall.SIGCONT)
	check(sm.StateUp, ", on", func(st sm.Status) bool { return !st.Paused })
	p.expect(exitOnTerm(4))
	r.stop("web", sm.NoWait())
	p.hear("term")
	check(sm.StateStopping, "", func(st sm.Status) bool { return !st.WantUp && st.Running() })
	p.do("go")
	check(sm.StateFinishing, "", func(st sm.Status) bool { return !st.Running() && st.LastExit != nil && st.LastExit.Code == 4 })
	p.do("go")
	check(sm.StateDown, " again", func(st sm.Status) bool { return st.LastExit != nil && st.LastExit.Code == 4 })
}

// A service that should run and has no process is no problem at first.
func TestStatusOfALateStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s6Only(t, r.tree, "it tells why, at once")
	r.servicedir("web", files{"run": "#!/nonexistent/interpreter\n"})
	if st := r.status("web"); st.State != sm.StateStarting || st.Problem != "" {
		t.Errorf("at first: %+v", st)
	}
	// Half a minute later.
	old := time.Now().Add(-30 * time.Second)
	must(t, os.Chtimes(r.path("web", "supervise/status"), old, old))
	st := r.status("web")
	if st.State != sm.StateStarting || !regexp.MustCompile(`^no process for 3[0-9]s: run cannot be executed or is being retried$`).MatchString(st.Problem) {
		t.Errorf("then: %+v", st)
	}
}
