package s6test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Tree is a running s6-svscan.
type Tree struct {
	// ScanDir is the scan directory, made for this tree.
	ScanDir string
	// Dir is a directory beside it that the tree's user owns.
	Dir string

	services int
	make     func(dir string)
	own      bool

	t   testing.TB
	uid int
	cmd *exec.Cmd
	log string
}

// Option changes how Start makes a tree.
type Option func(*Tree)

// AsUser runs the tree as a uid (and gid) other than the test's; needs root.
func AsUser(uid int) Option { return func(tr *Tree) { tr.uid = uid } }

// In puts the tree into a directory that exists: below it service/ is made.
func In(dir string) Option { return func(tr *Tree) { tr.Dir = dir } }

// Services makes n servicedirs before the scanner starts, with make called for
// the directory of each. Their names are ServiceName of 0 to n-1.
func Services(n int, make func(dir string)) Option {
	return func(tr *Tree) { tr.services, tr.make = n, make }
}

// ServiceName is the name of a service that Services made.
func ServiceName(i int) string { return fmt.Sprintf("svc-%04d", i) }

// Own runs our own tree instead of s6's, as the variable S6_TREE=own does for
// all tests.
func Own() Option { return func(tr *Tree) { tr.own = true } }

// IsOwn says whether the tree is ours.
func (tr *Tree) IsOwn() bool { return tr.own }

// Start makes a scan directory and runs a real s6-svscan in it, up and
// scanning when Start returns. The end of the test ends the tree and all that
// it started.
func Start(t testing.TB, opts ...Option) *Tree {
	t.Helper()
	tr := &Tree{t: t, uid: os.Geteuid(), own: os.Getenv("S6_TREE") == "own"}
	for _, o := range opts {
		o(tr)
	}
	if tr.Dir == "" {
		tr.Dir = Dir(t, tr.uid)
	}
	tr.ScanDir = filepath.Join(tr.Dir, "service")
	if err := os.Mkdir(tr.ScanDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(tr.ScanDir, tr.uid, tr.uid); err != nil && tr.uid != os.Geteuid() {
		t.Fatal(err)
	}
	tr.log = filepath.Join(tr.Dir, "svscan.log")
	t.Cleanup(tr.end)
	for i := range tr.services {
		tr.make(filepath.Join(tr.ScanDir, ServiceName(i)))
	}
	tr.Run()
	return tr
}

// Dir makes a directory that everybody may enter and uid owns, removed at the
// end of the test.
func Dir(t testing.TB, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s6test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if uid != os.Geteuid() {
		if err := os.Chown(dir, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Run starts the scanner, again after it was killed. It returns once the
// scanner reports that it is ready.
func (tr *Tree) Run() {
	tr.t.Helper()
	argv, path := tr.scanner()
	ready, write, err := os.Pipe()
	if err != nil {
		tr.t.Fatal(err)
	}
	defer ready.Close()
	logFile, err := os.OpenFile(tr.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer logFile.Close()
	tr.cmd = exec.Command(argv[0], append(argv[1:], "-d", "3", tr.ScanDir)...)
	tr.cmd.Env = append(os.Environ(), "PATH="+path, treeVar+"="+tr.Dir)
	tr.cmd.Stdout, tr.cmd.Stderr = logFile, logFile
	tr.cmd.ExtraFiles = []*os.File{write}
	tr.cmd.SysProcAttr = &syscall.SysProcAttr{}
	if tr.uid != os.Geteuid() {
		tr.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(tr.uid), Gid: uint32(tr.uid)}
	}
	err = tr.cmd.Start()
	write.Close()
	if err != nil {
		tr.t.Fatal(err)
	}
	ready.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		tr.t.Fatalf("the scanner did not get ready: %v\n%s", err, tr.Log())
	}
}

// scanner is the command line of the scanner, and the PATH it needs.
func (tr *Tree) scanner() (argv []string, path string) {
	tr.t.Helper()
	most := 2 * tr.services
	if tr.own {
		argv, path = []string{Binary(tr.t), "svscan"}, os.Getenv("PATH")
		if most > 0 {
			argv = append(argv, "-C", strconv.Itoa(most))
		}
		return argv, path
	}
	scanner := Tool(tr.t, "s6-svscan")
	argv, path = []string{scanner}, filepath.Dir(scanner)+":"+os.Getenv("PATH")
	if most > 500 { // the default of 2.11
		argv = append(argv, mostFlag(scanner), strconv.Itoa(most))
	}
	return argv, path
}

// mostFlag is the option for the number of services: -c became -C, and other
// words are a usage error, which is exit code 100.
func mostFlag(scanner string) string {
	err := exec.Command(scanner, "-C", "1000", "/nonexistent").Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 100 {
		return "-c"
	}
	return "-C"
}

// Log returns what the scanner and the supervisors have printed.
func (tr *Tree) Log() string {
	b, err := os.ReadFile(tr.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// UID is the user the tree runs as.
func (tr *Tree) UID() int { return tr.uid }

// PID is the scanner's.
func (tr *Tree) PID() int { return tr.cmd.Process.Pid }

// Kill ends the scanner with SIGKILL; supervisors and services live on.
func (tr *Tree) Kill() {
	tr.t.Helper()
	if err := tr.cmd.Process.Kill(); err != nil {
		tr.t.Fatal(err)
	}
	tr.cmd.Wait()
}

// end stops the tree in order and then whatever is left of it.
func (tr *Tree) end() {
	if tr.cmd != nil && tr.cmd.ProcessState == nil {
		tr.cmd.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(15*time.Second, func() { tr.cmd.Process.Kill() })
		tr.cmd.Wait()
		killer.Stop()
	}
	for range 10 {
		pids := Below(tr.Dir)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			kill(pid)
		}
	}
	if tr.t.Failed() {
		tr.t.Logf("the tree's own output:\n%s", tr.Log())
	}
}

// kill ends a process and waits until it is gone.
func kill(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil {
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000)
	}
}

// treeVar marks everything that a tree started.
const treeVar = "S6TEST_TREE"

// Below returns the processes that a tree in dir has started and that are
// still there: its mark is in their environment, or they work below dir.
func Below(dir string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() && belongs(filepath.Join("/proc", e.Name()), dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func belongs(proc, dir string) bool {
	cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
	cwd = strings.TrimSuffix(cwd, " (deleted)")
	if err == nil && (cwd == dir || strings.HasPrefix(cwd, dir+"/")) {
		return true
	}
	env, err := os.ReadFile(filepath.Join(proc, "environ"))
	return err == nil && slices.Contains(strings.Split(string(env), "\x00"), treeVar+"="+dir)
}
