package survivor_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/survivor"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// process starts a program that leads a session, in a directory, and ends it
// with the test.
func process(t testing.TB, dir string, args ...string) (pid int, ticks uint64) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	must(t, cmd.Start())
	done := make(chan struct{})
	go func() { defer close(done); cmd.Wait() }()
	t.Cleanup(func() { unix.Kill(-cmd.Process.Pid, unix.SIGKILL); <-done })
	ticks, err := reaper.Ticks(cmd.Process.Pid)
	must(t, err)
	return cmd.Process.Pid, ticks
}

// zombie is a dead process that nobody reaps: its parent, not us, sleeps.
func zombie(t testing.TB) (pid int, ticks uint64) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "sh -c 'read line; exit 3' <&3 & echo $!; exec sleep 1000")
	r, w, err := os.Pipe()
	must(t, err)
	defer w.Close()
	cmd.ExtraFiles = []*os.File{r}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	r.Close()
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	pid = atoi(t, line)
	ticks, err = reaper.Ticks(pid)
	must(t, err)
	w.Close()
	until(t, "it does not end", func() bool { return !alive(pid) })
	return pid, ticks
}

func TestNothingSurvives(t *testing.T) {
	t.Parallel()
	here, err := survivor.ThisHost()
	must(t, err)
	pid, ticks := process(t, "/", "sleep", "1000")
	run := supervise.Instance{Stage: supervise.StageRun, PID: pid, Ticks: ticks, Host: here}
	with := func(change func(*supervise.Instance)) supervise.Instance {
		in := run
		change(&in)
		return in
	}
	dead := exec.Command("true")
	must(t, dead.Run())
	zombie, zombieTicks := zombie(t)
	for name, in := range map[string]supervise.Instance{
		"none":                            {Host: here},
		"another boot":                    with(func(in *supervise.Instance) { in.Host.BootID = "another" }),
		"another pid namespace":           with(func(in *supervise.Instance) { in.Host.PIDNS = "1" }),
		"another boot, namespace unknown": with(func(in *supervise.Instance) { in.Host = supervise.Host{BootID: "another"} }),
		"dead":                            with(func(in *supervise.Instance) { in.PID = dead.Process.Pid }),
		"dead, and not reaped":            with(func(in *supervise.Instance) { in.PID, in.Ticks = zombie, zombieTicks }),
		"the id is another's":             with(func(in *supervise.Instance) { in.Ticks-- }),
		"finish, id is another's":         with(func(in *supervise.Instance) { in.Stage = supervise.StageFinish; in.Ticks++ }),
		"starting, nothing came":          {Stage: supervise.StageStarting, Host: here},
		"starting on another boot":        {Stage: supervise.StageStarting, Host: supervise.Host{BootID: "x", PIDNS: "y"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := finder(t, makeService(t, nil))
			must(t, f.Dir.WriteInstance(in))
			found, err := f.Find(context.Background())
			if found != nil || err != nil {
				t.Errorf("found %+v, %v", found, err)
			}
			if left, _, err := f.Dir.Instance(); left.Stage != supervise.StageNone || err != nil {
				t.Errorf("the record is still %v, %v", left, err)
			}
			if !alive(pid) {
				t.Fatal("somebody else's process was ended")
			}
		})
	}
	f := finder(t, makeService(t, nil))
	if found, err := f.Find(context.Background()); found != nil || err != nil {
		t.Errorf("without a record: %+v, %v", found, err)
	}
}

// Where it cannot be told, nothing is concluded, the record stays, and what
// there is stays alive.
func TestUnsure(t *testing.T) {
	t.Parallel()
	here, err := survivor.ThisHost()
	must(t, err)
	pid, ticks := process(t, "/", "sleep", "1000")
	for name, line := range map[string]string{
		"empty":           "",
		"another version": "v2 none 0 0 - - up none\n",
		"no start time":   supervise.Instance{Stage: supervise.StageRun, PID: pid, Host: here}.String(),
		"no boot id":      supervise.Instance{Stage: supervise.StageRun, PID: pid, Ticks: ticks, Host: supervise.Host{PIDNS: here.PIDNS}}.String(),
		"no host at all":  supervise.Instance{Stage: supervise.StageStarting}.String(),
	} {
		t.Run(name, func(t *testing.T) {
			f := finder(t, makeService(t, nil))
			path := f.Dir.Dir().Path(superdir.InstanceFile)
			must(t, os.WriteFile(path, []byte(line), 0o644))
			found, err := f.Find(context.Background())
			if found != nil || err == nil || !strings.Contains(err.Error(), "remove "+path) {
				t.Errorf("found %+v, %v", found, err)
			}
			if b, _ := os.ReadFile(path); string(b) != line {
				t.Errorf("the record is %q", b)
			}
			if !alive(pid) {
				t.Fatal("the process was ended")
			}
		})
	}
	// A kernel that does not say where we are.
	f := finder(t, makeService(t, nil))
	must(t, f.Dir.WriteInstance(supervise.Instance{Stage: supervise.StageRun, PID: pid, Ticks: ticks, Host: here}))
	f.Host = supervise.Host{}
	if found, err := f.Find(context.Background()); found != nil || err == nil {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestSurvivor(t *testing.T) {
	t.Parallel()
	here, err := survivor.ThisHost()
	must(t, err)
	f := finder(t, makeService(t, nil))
	pid, ticks := process(t, "/", "sleep", "1000")
	in := supervise.Instance{Stage: supervise.StageRun, PID: pid, Ticks: ticks, Host: here, WantUp: true, Ready: supervise.Ready}
	last := supervise.Status{PID: pid, Stamp: time.Unix(1772366400, 5).UTC(), ReadyStamp: time.Unix(1772366401, 5).UTC(), Wait: 0x300, WantUp: true, Ready: true}
	must(t, f.Dir.WriteInstance(in))
	must(t, f.Dir.WriteStatus(last))
	found, err := f.Find(context.Background())
	must(t, err)
	if found == nil || found.Instance != in || found.Last != last {
		t.Fatalf("found %+v", found)
	}
	c := found.Child
	if c.PID() != pid || c.Ticks() != ticks || c.Ready() != nil {
		t.Errorf("child %d, ticks %d, %v", c.PID(), c.Ticks(), c.Ready())
	}
	c.CloseReady()
	must(t, c.Signal(syscall.SIGTERM, false))
	select {
	case exit := <-c.Exit():
		if !exit.Unknown && exit != supervise.Killed(15) {
			t.Errorf("exit %+v", exit)
		}
	case <-time.After(patience):
		t.Fatal("its death is not told")
	}
	c.Release()
	c.Release()
}

// In a pid namespace of its own, with the /proc of another, nothing can be told.
func TestForeignProc(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a pid namespace; the test ran as root before")
	}
	dir := makeService(t, nil)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), blindVar+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	want := []string{"/proc shows other", "/proc does not show"}
	if len(got) != len(want) {
		t.Fatalf("it says %q", got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("it says %q, want %q", got[i], want[i])
		}
	}
}

// Leaders of sessions that only look like the one that was being started live
// on.
func TestBystanders(t *testing.T) {
	t.Parallel()
	here, err := survivor.ThisHost()
	must(t, err)
	dir := makeService(t, map[string]string{"data/pid": "99999999\n"})
	before, _ := process(t, dir, "sleep", "1000")
	// The record is of a later tick than that process.
	limit, err := reaper.Now()
	must(t, err)
	until(t, "the clock stands", func() bool { now, err := reaper.Now(); must(t, err); return now > limit })
	f := finder(t, dir)
	must(t, f.Dir.WriteInstance(supervise.Instance{Stage: supervise.StageStarting, Host: here}))
	elsewhere, _ := process(t, filepath.Dir(dir), "sleep", "1000")
	// Somebody at work in the directory: the shell leads the session, and is
	// elsewhere.
	pidFile := filepath.Join(filepath.Dir(dir), "worker")
	shell, _ := process(t, "/", "sh", "-c", "(cd "+dir+" && exec sh -c 'echo $$ >"+pidFile+"; exec sleep 1000'); :")
	var worker int
	until(t, "nobody works", func() bool {
		b, err := os.ReadFile(pidFile)
		if err != nil || len(b) == 0 {
			return false
		}
		worker = atoi(t, string(b))
		return true
	})
	unborn, _ := process(t, dir, "sleep", "1000")
	found, err := f.Find(context.Background())
	if found != nil || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
	for name, pid := range map[string]int{"older": before, "elsewhere": elsewhere, "shell": shell, "worker": worker} {
		if !alive(pid) {
			t.Errorf("%s was ended", name)
		}
	}
	if alive(unborn) {
		t.Error("what was being started is alive")
	}
}
