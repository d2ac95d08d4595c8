package survivor_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	must(t, err)
	return n
}

// stat asks a real s6-svstat.
func stat(t testing.TB, dir, fields string) string {
	t.Helper()
	out, err := exec.Command(s6test.Tool(t, "s6-svstat"), "-o", fields, dir).Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}

func svc(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(s6test.Tool(t, "s6-svc"), append(args, dir)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(cmd.Path)+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("s6-svc %q: %v: %s", args, err, out)
	}
}

// record is what a killed supervisor has left.
func record(t testing.TB, dir string) supervise.Instance {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "supervise/instance"))
	if os.IsNotExist(err) {
		return supervise.Instance{}
	}
	must(t, err)
	in, err := supervise.ParseInstance(string(b))
	must(t, err)
	return in
}

// Killed at every step of a start, and of a finish, a supervisor leaves nothing
// that its successor would double, and nothing that it would end without need.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	const sleeps = takeLock + "echo $$ >pid\nexec sleep 1000\n"
	type fate uint8
	const (
		fresh   fate = iota // nothing was there, a first instance comes
		ended               // what was there was ended, another comes
		adopted             // it is the same
	)
	for _, tc := range []struct {
		die   string
		fate  fate
		state string // what the successor shows first of a process
		files map[string]string
	}{
		{"before starting", fresh, "up", nil},
		{"after starting", fresh, "up", nil},
		{"fork ./run", fresh, "up", nil},
		{"forked ./run", ended, "up", nil},
		{"before run", adopted, "up", nil}, // it says forked only where it dies there
		{"after run", adopted, "up", nil},
		{"fork ./finish", fresh, "up", map[string]string{"run": "exit 1\n"}},
	} {
		t.Run(tc.die, func(t *testing.T) {
			t.Parallel()
			if tc.die == "before run" {
				tc.fate = ended
			}
			dir := makeService(t, map[string]string{"run": sleeps, "finish": "exit 0\n"})
			fill(t, dir, tc.files)
			s := start(t, dir, dieVar+"="+tc.die)
			old := 0
			switch {
			case strings.HasPrefix(tc.die, "forked"):
				_, old = s.says("forked")
				until(t, "no script", func() bool { b, _ := os.ReadFile(filepath.Join(dir, "pid")); return len(b) > 0 })
				s.in.Write([]byte("\n"))
			case tc.fate != fresh:
				until(t, "no script", func() bool { b, _ := os.ReadFile(filepath.Join(dir, "pid")); return len(b) > 0 })
				old = atoi(t, readFile(t, dir, "pid"))
			}
			s.wait()
			fill(t, dir, map[string]string{"run": sleeps})
			next := start(t, dir)
			_, pid := next.says(tc.state)
			if old != 0 && (pid == old) != (tc.fate == adopted) {
				t.Errorf("process %d, was %d", pid, old)
			}
			if old != 0 && alive(old) != (tc.fate == adopted) {
				t.Errorf("the old process is alive: %v", alive(old))
			}
			if got := stat(t, dir, "pid,wantedup"); got != fmt.Sprint(pid, " true") {
				t.Errorf("s6-svstat says %q, the process is %d", got, pid)
			}
			if in := record(t, dir); in.Stage != supervise.StageRun || in.PID != pid {
				t.Errorf("the record is %v", in)
			}
			wantAlone(t, dir)
		})
	}
}

func readFile(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return string(b)
}

// One that was being started when its supervisor was killed is found wherever it
// has gone since.
func TestForkInFlight(t *testing.T) {
	t.Parallel()
	for _, tc := range []inFlight{
		{name: "in its directory", files: map[string]string{"run": takeLock + "echo $$ >pid\nexec sleep 1000\n"}},
		{name: "a group", files: map[string]string{"run": takeLock + "sleep 1000 &\necho $! >helper\necho $$ >pid\nwait\n"}},
		{
			name:  "elsewhere, with the id where Register's scripts leave it",
			files: map[string]string{"data/pid": "1\n", "run": takeLock + "echo $$ >data/pid\np=$PWD\ncd /\necho $$ >$p/pid\nexec env -i sleep 1000\n"},
		},
		{
			name:  "elsewhere, with a log",
			files: map[string]string{"run": takeLock + "p=$PWD\ncd /\necho $$ >$p/pid\nexec env -i sleep 1000\n"},
			vars:  []string{logsVar + "=1"},
			setup: func(t *testing.T, dir string) {
				must(t, os.MkdirAll(filepath.Join(dir, "log/supervise"), 0o700))
				must(t, unix.Mkfifo(filepath.Join(dir, "log/supervise/input"), 0o600))
			},
		},
		{
			name:  "as another user",
			files: map[string]string{"run": takeLock + "echo $$ >pid\nexec s6-applyuidgid -u 10000 -g 10000 sleep 1000\n"},
			setup: func(t *testing.T, _ string) {
				if os.Geteuid() != 0 {
					t.Skip("only root can become another user")
				}
				s6test.Tool(t, "s6-applyuidgid")
			},
		},
		{name: "finish", die: "forked ./finish", files: map[string]string{
			"run": takeLock + "exit 1\n", "finish": takeLock + "echo $$ >pid\nexec sleep 1000\n",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, old := tc.leave(t)
			_, pid := start(t, dir).says("up")
			if pid == old || alive(old) {
				t.Errorf("process %d, was %d, which is alive: %v", pid, old, alive(old))
			}
			if tc.name == "a group" && alive(atoi(t, readFile(t, dir, "helper"))) {
				t.Error("one of its group is alive")
			}
			wantAlone(t, dir)
		})
	}
}

// inFlight is a process that was being started when its supervisor was killed.
type inFlight struct {
	name  string
	files map[string]string
	vars  []string
	setup func(t *testing.T, dir string)
	die   string // "forked ./run" if empty
}

// leave leaves it behind, and a service that starts without more ado.
func (f *inFlight) leave(t *testing.T) (dir string, pid int) {
	t.Helper()
	dir = makeService(t, f.files)
	if f.setup != nil {
		f.setup(t, dir)
	}
	if f.die == "" {
		f.die = "forked ./run"
	}
	s := start(t, dir, append(f.vars, dieVar+"="+f.die)...)
	_, pid = s.says("forked")
	until(t, "no script", func() bool { b, _ := os.ReadFile(filepath.Join(dir, "pid")); return len(b) > 0 })
	until(t, "it does not become sleep", func() bool {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return f.name == "a group" || string(b) == "sleep\n" || string(b) == "blind\n"
	})
	s.in.Write([]byte("\n"))
	s.wait()
	if in := record(t, dir); in.Stage != supervise.StageStarting || !alive(pid) {
		t.Fatalf("the record is %v; alive: %v", in, alive(pid))
	}
	fill(t, dir, map[string]string{"run": takeLock + "exec sleep 1000\n", "finish": "exit 0\n"})
	return dir, pid
}

// unreadable makes a program that may be executed and not read: the kernel lets
// nobody but root look at who executes it.
func unreadable(t *testing.T, dir string) {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	must(t, err)
	b, err := os.ReadFile(sleep)
	must(t, err)
	syscall.ForkLock.RLock() // see fsat.Dir.Create
	err = os.WriteFile(filepath.Join(dir, "blind"), b, 0o711)
	syscall.ForkLock.RUnlock()
	must(t, err)
	must(t, os.Chmod(filepath.Join(dir, "blind"), 0o111))
}

// One that cannot be looked at might be the one: then it cannot be told, which
// is said, and can be helped. It is not a parallel test, as the others could not
// tell either.
func TestNotToBeLookedAt(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may look at everything")
	}
	f := inFlight{setup: unreadable, files: map[string]string{"run": takeLock + "echo $$ >pid\nexec ./blind 1000\n"}}
	dir, old := f.leave(t)
	s := start(t, dir)
	s.says("down")
	until(t, "no note", func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, "supervise/note"))
		return strings.Contains(string(b), fmt.Sprintf("process %d may be one", old))
	})
	if !alive(old) {
		t.Error("it was ended")
	}
	must(t, unix.Kill(old, unix.SIGKILL))
	until(t, "it does not end", func() bool { return !alive(old) })
	svc(t, dir, "-u")
	s.says("up")
	wantAlone(t, dir)
}

// But what another service of this supervisor is, is not taken for it.
func TestNotToBeLookedAtButKnown(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may look at everything")
	}
	dir := makeService(t, nil)
	unreadable(t, dir)
	f := finder(t, dir)
	must(t, f.Dir.WriteInstance(supervise.Instance{Stage: supervise.StageStarting, Host: f.Host}))
	gone := make(chan struct{})
	p, err := f.Reaper.Start(reaper.Spec{
		Path: "./blind", Args: []string{"blind", "1000"}, Dir: f.Dir.Dir().FD(), Files: []int{0, 1, 2},
		Exited: func(reaper.Exit) { close(gone) },
	})
	must(t, err)
	found, err := f.Find(context.Background())
	if found != nil || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
	must(t, p.Signal(syscall.SIGKILL)) // it is watched as before
	<-gone
}

// What an adopted service has become goes on to be shown, and how it ends is
// told as far as that is known.
func TestAdopted(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{
		"run": takeLock + "echo >&3\nexec sleep 1000\n", "finish": "echo $* >args\n", "notification-fd": "3\n",
	})
	s := start(t, dir)
	_, pid := s.says("ready")
	svc(t, dir, "-p")
	until(t, "it is not paused", func() bool { return stat(t, dir, "paused") == "true" })
	const fields = "pid,wantedup,ready,paused,updownsince,readysince"
	want := stat(t, dir, fields)
	for range 3 {
		s.kill()
		s = start(t, dir)
		if _, got := s.says("ready"); got != pid {
			t.Fatalf("process %d, was %d", got, pid)
		}
		if got := stat(t, dir, fields); got != want {
			t.Errorf("s6-svstat says %q, said %q before", got, want)
		}
	}
	svc(t, dir, "-d")
	if _, finish := s.says("finishing"); finish == pid {
		t.Error("finish has the pid of run")
	}
	s.says("down")
	got := readFile(t, dir, "args")
	if got != fmt.Sprintf("256 15 web %d\n", pid) && got != fmt.Sprintf("256 0 web %d\n", pid) {
		t.Errorf("finish gets %q", got)
	}
	wantAlone(t, dir)
}

// One that had not announced its readiness is ended, as nobody can hear it any
// more; a finish is waited for.
func TestNotKept(t *testing.T) {
	t.Parallel()
	dir := makeService(t, map[string]string{
		"run": takeLock + "echo $$ >pid\nexec sleep 1000\n", "finish": takeLock + "echo >finishing\nread line <go\n", "notification-fd": "3\n",
	})
	must(t, unix.Mkfifo(filepath.Join(dir, "go"), 0o600))
	s := start(t, dir)
	_, pid := s.says("up")
	until(t, "no script", func() bool { _, err := os.Stat(filepath.Join(dir, "pid")); return err == nil })
	s.kill()
	s = start(t, dir)
	_, finish := s.says("finishing")
	if alive(pid) {
		t.Error("it was kept")
	}
	until(t, "no finish", func() bool { _, err := os.Stat(filepath.Join(dir, "finishing")); return err == nil })
	s.kill()
	s = start(t, dir)
	if _, again := s.says("finishing"); again != finish {
		t.Errorf("finish is %d, was %d", again, finish)
	}
	fifo, err := os.OpenFile(filepath.Join(dir, "go"), os.O_RDWR, 0)
	must(t, err)
	defer fifo.Close()
	_, err = fifo.WriteString("\n")
	must(t, err)
	if _, next := s.says("up"); next == pid || next == finish {
		t.Errorf("process %d again", next)
	}
	wantAlone(t, dir)
}

// Killed at any instant, a few hundred times: there never are two, and what can
// be kept is kept.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	rounds, limit := 300, 15*time.Second
	if s6test.Brief() {
		rounds = 30
	}
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := makeService(t, map[string]string{"run": takeLock + "exec sleep 1000\n"})
	until := time.Now().Add(limit)
	var adopted, started, unborn int
	for round := 0; round < rounds && time.Now().Before(until); round++ {
		s := start(t, dir)
		if random.IntN(3) > 0 {
			s.says("down", "up") // it holds the lock, and is about to start
		}
		<-time.After(time.Duration(random.Int64N(int64(8 * time.Millisecond))))
		s.kill()

		left := record(t, dir)
		kept := left.Stage == supervise.StageRun && alive(left.PID)
		if left.Stage == supervise.StageStarting && len(s6test.Below(dir)) > 0 {
			unborn++
		}
		s = start(t, dir)
		_, pid := s.says("up")
		if kept && pid != left.PID {
			t.Fatalf("round %d: process %d, and %d was alive", round, pid, left.PID)
		}
		if got := stat(t, dir, "pid"); got != strconv.Itoa(pid) {
			t.Fatalf("round %d: s6-svstat says %s, the process is %d", round, got, pid)
		}
		if kept {
			adopted++
		} else {
			started++
		}
		s.kill()
		wantAlone(t, dir)
		if random.IntN(2) == 0 {
			endAll(t, dir)
		}
	}
	t.Logf("%d adopted, %d started, %d caught while being started", adopted, started, unborn)
	if adopted == 0 || started == 0 {
		t.Error("the test has not tried both")
	}
}

// programs are the processes that work in a directory.
func programs(t testing.TB, dir string) (pids []int) {
	t.Helper()
	for _, pid := range s6test.Below(dir) {
		if alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}
