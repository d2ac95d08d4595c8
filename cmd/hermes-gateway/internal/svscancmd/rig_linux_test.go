package svscancmd

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// patience is far beyond what anything here takes.
const patience = 30 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rig is a directory with a scan directory, and the program to run on it.
type rig struct {
	t     *testing.T
	bin   string
	dir   string
	scan  string
	said  *bufio.Reader // what services write into the FIFO dir/said
	env   []string
	files []*os.File // descriptors from 4 on
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, bin: s6test.Binary(t), dir: s6test.Dir(t, os.Geteuid())}
	r.scan = filepath.Join(r.dir, "scan")
	must(t, os.Mkdir(r.scan, 0o755))
	fifo := filepath.Join(r.dir, "said")
	must(t, unix.Mkfifo(fifo, 0o600))
	f, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0)
	must(t, err)
	must(t, f.SetReadDeadline(time.Now().Add(patience)))
	r.said = bufio.NewReader(f)
	r.env = append(os.Environ(), "SAID="+fifo, "GORACE=atexit_sleep_ms=0")
	t.Cleanup(func() { // trees are gone: these are services that lived on
		for _, pid := range s6test.Below(r.dir) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		f.Close()
	})
	return r
}

// heard is the next line that a service has said.
func (r *rig) heard() string {
	r.t.Helper()
	line, err := r.said.ReadString('\n')
	if err != nil {
		r.t.Fatal("nobody says anything: ", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// script makes a program below the scan directory.
func (r *rig) script(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.scan, name)
	must(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	syscall.ForkLock.RLock() // a child with this descriptor would make it busy
	defer syscall.ForkLock.RUnlock()
	must(r.t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755))
}

// sleeper makes a service that says its process id, and sleeps. A tree that is
// there sees all of it or nothing.
func (r *rig) sleeper(name string) {
	r.t.Helper()
	r.script(".new-"+name+"/run", "echo "+name+" $$ >\"$SAID\"\nexec sleep 1000\n")
	must(r.t, os.Rename(filepath.Join(r.scan, ".new-"+name), filepath.Join(r.scan, name)))
}

// began is the process of a sleeper, when it sleeps.
func (r *rig) began(name string) (pid int) {
	r.t.Helper()
	word, number, _ := strings.Cut(r.heard(), " ")
	pid, err := strconv.Atoi(number)
	if word != name || err != nil {
		r.t.Fatalf("%s %s instead of %s", word, number, name)
	}
	until(r.t, name+" to sleep", func() bool {
		comm, _ := os.ReadFile("/proc/" + number + "/comm")
		return string(comm) == "sleep\n"
	})
	return pid
}

func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// until waits for a condition that nothing announces.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// tree is the running program.
type tree struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string // the name of the file
	dead bool
}

// command is the program with what the rig has.
func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.bin, append([]string{"svscan"}, args...)...)
	cmd.Env, cmd.Dir = r.env, r.dir
	return cmd
}

// start runs a tree; -d 3 comes first. It returns when the tree is ready, which
// it says in one line, and no more.
func (r *rig) start(args ...string) *tree {
	r.t.Helper()
	tr := &tree{t: r.t, cmd: r.command(append([]string{"-d", "3"}, args...)...), log: filepath.Join(r.dir, "log")}
	out, err := os.OpenFile(tr.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(r.t, err)
	defer out.Close()
	ready, end, err := os.Pipe()
	must(r.t, err)
	defer ready.Close()
	tr.cmd.Stdout, tr.cmd.Stderr = out, out
	tr.cmd.ExtraFiles = append([]*os.File{end}, r.files...)
	err = tr.cmd.Start()
	end.Close()
	must(r.t, err)
	r.t.Cleanup(func() {
		if !tr.dead {
			tr.cmd.Process.Kill()
			tr.cmd.Wait()
		}
	})
	must(r.t, ready.SetReadDeadline(time.Now().Add(patience)))
	var said bytes.Buffer
	if _, err := said.ReadFrom(ready); err != nil || said.String() != "\n" {
		r.t.Fatalf("readiness: %q, %v\n%s", said.String(), err, tr.output())
	}
	return tr
}

func (tr *tree) output() string {
	b, err := os.ReadFile(tr.log)
	must(tr.t, err)
	return string(b)
}

func (tr *tree) signal(s syscall.Signal) {
	tr.t.Helper()
	must(tr.t, tr.cmd.Process.Signal(s))
}

// ends waits for its end with an exit code.
func (tr *tree) ends(code int) {
	tr.t.Helper()
	killer := time.AfterFunc(patience, func() { tr.cmd.Process.Signal(syscall.SIGKILL) })
	defer killer.Stop()
	tr.cmd.Wait()
	tr.dead = true
	if got := tr.cmd.ProcessState.ExitCode(); got != code {
		tr.t.Fatalf("%v, want exit code %d\n%s", tr.cmd.ProcessState, code, tr.output())
	}
}

// fails runs the program to its end, which must be a failure that it explains in
// one line.
func (r *rig) fails(code int, text string, args ...string) {
	r.t.Helper()
	cmd := r.command(args...)
	var out bytes.Buffer
	cmd.Stderr = &out
	must(r.t, cmd.Start())
	killer := time.AfterFunc(patience, func() { cmd.Process.Signal(syscall.SIGKILL) })
	defer killer.Stop()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(out.String(), text) || strings.Count(out.String(), "\n") != 1 {
		r.t.Errorf("%q: %v, want %d; it says %q, want %q", args, cmd.ProcessState, code, out.String(), text)
	}
}
