package peerbench

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// patience is how long anything may take before a benchmark fails.
const patience = 60 * time.Second

// tree is a running supervisor with its services.
type tree struct {
	b       *testing.B
	peer    *peer
	dir     string
	scan    string   // scan directory, in dir
	started *os.File // each service writes a byte when it runs
	cmd     *exec.Cmd
	over    bool
}

// newTree makes the directories of n services and starts nothing.
func newTree(b *testing.B, p *peer, n int, k kind) *tree {
	b.Helper()
	t := &tree{b: b, peer: p, dir: s6test.Dir(b, os.Geteuid())}
	t.scan = filepath.Join(t.dir, "service")
	t.must(os.Mkdir(t.scan, 0o755))
	fifo := filepath.Join(t.dir, "started")
	t.must(unix.Mkfifo(fifo, 0o600))
	var err error
	t.started, err = os.OpenFile(fifo, os.O_RDWR, 0)
	t.must(err)
	b.Cleanup(t.clear)
	for i := range n {
		t.service(s6test.ServiceName(i), k)
	}
	// runsvdir looks again a second later at a directory that has just changed.
	old := time.Now().Add(-time.Minute)
	t.must(os.Chtimes(t.scan, old, old))
	return t
}

// start runs the scanner and waits until it is ready, where it says so.
func (t *tree) start() {
	t.b.Helper()
	ready, write, err := os.Pipe()
	t.must(err)
	defer ready.Close()
	messages, err := os.Create(filepath.Join(t.dir, "messages"))
	t.must(err)
	defer messages.Close()
	argv := append(append([]string{}, t.peer.scanner...), t.scan)
	t.cmd = exec.Command(argv[0], argv[1:]...)
	t.cmd.Env = t.peer.environment("S6TEST_TREE=" + t.dir) // for s6test.Below
	t.cmd.Stdout, t.cmd.Stderr = messages, messages
	if t.peer.ready {
		t.cmd.ExtraFiles = []*os.File{write}
	}
	err = t.cmd.Start()
	write.Close()
	t.must(err)
	if !t.peer.ready {
		return
	}
	ready.SetReadDeadline(time.Now().Add(patience))
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.b.Fatalf("%s did not get ready: %v\n%s", t.peer.name, err, t.messages())
	}
}

func (t *tree) messages() string {
	text, err := os.ReadFile(filepath.Join(t.dir, "messages"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// await waits until services have said n things.
func (t *tree) await(n int) {
	t.b.Helper()
	t.started.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, n)
	for got := 0; got < n; {
		k, err := t.started.Read(buf[got:])
		if err != nil {
			t.b.Fatalf("%s: %d of %d: %v\n%s", t.peer.name, got, n, err, t.messages())
		}
		got += k
	}
}

// up starts n services and waits until all run.
func up(b *testing.B, p *peer, n int, k kind) *tree {
	b.Helper()
	t := newTree(b, p, n, k)
	t.start()
	t.await(n)
	return t
}

// stop ends the tree in order and returns how long it took until the last of
// its processes was gone: of those of the scanner in any case, which some
// scanners do not wait for.
func (t *tree) stop() time.Duration {
	t.b.Helper()
	var fds []int
	for _, p := range t.processes() {
		fd, err := unix.PidfdOpen(p.pid, 0)
		t.must(err)
		defer unix.Close(fd)
		fds = append(fds, fd)
	}
	begin := time.Now()
	t.must(t.cmd.Process.Signal(t.peer.end))
	killer := time.AfterFunc(patience, func() { t.cmd.Process.Kill() })
	_ = t.cmd.Wait() // runsvdir ends with 111
	if !killer.Stop() {
		t.b.Fatalf("%s did not end\n%s", t.peer.name, t.messages())
	}
	for _, fd := range fds {
		if err := gone(fd, begin.Add(patience)); err != nil {
			t.b.Fatalf("%s: a process outlives its tree: %v\n%s", t.peer.name, err, t.messages())
		}
	}
	took := time.Since(begin)
	for _, fd := range fds {
		reap(fd)
	}
	t.clear()
	return took
}

// gone waits for the end of a process.
func gone(pidfd int, deadline time.Time) error {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return os.ErrDeadlineExceeded
		default:
			return nil
		}
	}
}

// clear ends whatever is left and removes the files.
func (t *tree) clear() {
	if t.over {
		return
	}
	t.over = true
	t.started.Close()
	if t.cmd != nil && t.cmd.Process != nil && t.cmd.ProcessState == nil {
		t.cmd.Process.Signal(t.peer.end)
		killer := time.AfterFunc(patience, func() { t.cmd.Process.Kill() })
		t.cmd.Wait()
		killer.Stop()
	}
	for range 20 { // what is killed may have a supervisor that starts it again
		pids := s6test.Below(t.dir)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			end(pid)
		}
	}
	os.RemoveAll(t.dir)
}

// end kills a process and waits until it is gone.
func end(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if unix.PidfdSendSignal(fd, syscall.SIGKILL, nil, 0) == nil {
		_ = gone(fd, time.Now().Add(patience))
		reap(fd)
	}
}

// adopt makes this process the parent of what trees leave behind, so that no
// zombie is left to a process 1 that may not look.
func adopt() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// reap collects a process that has ended if it has become a child of ours.
func reap(pidfd int) {
	_ = unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED|unix.WNOHANG, nil)
}

// reapAll collects what tools have left, such as the helper that s6-svc does not
// wait for. Only for the end of the run, when nobody else waits for a child.
func reapAll() {
	for {
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 && err != unix.EINTR {
			return
		}
	}
}
