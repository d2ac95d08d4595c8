package peerbench

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// first is what can be the first process of a container: an init, ours or one
// that we are compared with.
type first struct {
	name   string
	absent string   // why it cannot be measured; "" if it can
	argv   []string // before the main program, or before the scan directory
	told   int      // exit code when it was told to end and its program obeyed
}

// inits are those that run a main program and nothing else, us first.
func inits(bin string) []*first {
	all := []*first{
		{name: ours, argv: []string{bin, "init", "--"}},
		{name: "tini", argv: []string{"tini", "--"}},
		{name: "dumb-init", argv: []string{"dumb-init", "--"}},
		{name: "catatonit", argv: []string{"catatonit", "--"}},
	}
	for _, f := range all {
		f.told = 128 + int(syscall.SIGTERM)
		f.find()
	}
	return all
}

// scanners are those that supervise and have no main program, us first.
func scanners(bin string) []*first {
	all := []*first{
		{name: ours, argv: []string{bin, "init", "--scandir"}},
		{name: "s6-svscan", argv: []string{"s6-svscan", "-t", "0", "--"}},
	}
	for _, f := range all {
		f.find()
	}
	return all
}

// find has the program be a path, as whoever prepares the namespace needs one.
func (f *first) find() {
	path, err := exec.LookPath(f.argv[0])
	if err != nil {
		f.absent = "not installed"
		return
	}
	f.argv[0] = path
}

// measured are those that can be. The others are noted in the results, and are
// missed where real parts are required.
func measured(b *testing.B, all []*first, noted ...*results) []*first {
	b.Helper()
	var found []*first
	for _, f := range all {
		if f.absent == "" {
			found = append(found, f)
			continue
		}
		if os.Getenv("CI_REQUIRE_REAL") == "1" {
			b.Fatalf("%s cannot be measured: it is %s", f.name, f.absent)
		}
		for _, r := range noted {
			r.missing(f.name, f.absent)
		}
	}
	return found
}

// box is a pid namespace with its first process, as a container is, and the
// program of testdata/program.c in it.
type box struct {
	t        testing.TB
	name     string
	cmd      *exec.Cmd
	told     int
	began    int64    // when its first process was executed
	said     *os.File // the times that the program says
	messages *os.File
}

// boxes are all that are made with one program.
type boxes struct {
	t       testing.TB
	program string
	dir     string
	orders  *os.File // what the program does next
}

// orphans are made by the program at each order to make some.
const orphans = 1000

// newBoxes makes a directory with the program, as a service too.
func newBoxes(t testing.TB) *boxes {
	t.Helper()
	bs := &boxes{t: t, program: compile(t, "testdata/program.c", fmt.Sprint("ORPHANS=", orphans)), dir: s6test.Dir(t, os.Geteuid())}
	service := filepath.Join(bs.scan(), s6test.ServiceName(0))
	bs.must(os.MkdirAll(service, 0o755))
	bs.must(os.Link(bs.program, filepath.Join(service, "run")))
	fifo := filepath.Join(bs.dir, "go")
	bs.must(unix.Mkfifo(fifo, 0o600))
	bs.must(os.Symlink(fifo, filepath.Join(service, "go")))
	var err error
	bs.orders, err = os.OpenFile(fifo, os.O_RDWR, 0)
	bs.must(err)
	t.Cleanup(func() { bs.orders.Close() })
	return bs
}

func (bs *boxes) must(err error) {
	bs.t.Helper()
	if err != nil {
		bs.t.Fatal(err)
	}
}

// scan is a scan directory whose only service is the program.
func (bs *boxes) scan() string { return filepath.Join(bs.dir, "scan") }

// start starts a box. Its end is the test's at the latest.
func (bs *boxes) start(f *first, words ...string) *box {
	bs.t.Helper()
	b := &box{t: bs.t, name: f.name, told: f.told}
	said, write, err := os.Pipe()
	bs.must(err)
	defer write.Close()
	b.said = said
	b.messages, err = os.CreateTemp(bs.dir, "messages-")
	bs.must(err)
	argv := append(append([]string{"start"}, f.argv...), words...)
	b.cmd = exec.Command(bs.program, argv...)
	b.cmd.Dir, b.cmd.Env = bs.dir, plainEnvironment()
	b.cmd.Stdout, b.cmd.Stderr = write, b.messages
	b.cmd.SysProcAttr = namespaces()
	bs.must(b.cmd.Start())
	bs.t.Cleanup(b.clear)
	b.began = b.time()
	return b
}

// plainEnvironment has no settings of ours.
func plainEnvironment() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "HERMES_") {
			env = append(env, entry)
		}
	}
	return env
}

// namespaces are those that a box needs, and that of users for who may not make
// them.
func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid := os.Geteuid(); uid != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	return attr
}

// time is the next one that somebody in the box says.
func (b *box) time() int64 {
	b.t.Helper()
	b.said.SetReadDeadline(time.Now().Add(patience))
	var ns [8]byte
	if _, err := io.ReadFull(b.said, ns[:]); err != nil {
		b.t.Fatalf("%s: no time: %v; it says %q", b.name, err, b.heard())
	}
	return int64(binary.NativeEndian.Uint64(ns[:]))
}

func (b *box) heard() string {
	text, err := os.ReadFile(b.messages.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// terminate tells the first process to end.
func (b *box) terminate() {
	b.t.Helper()
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatalf("%s: %v", b.name, err)
	}
}

// wait waits for the end of the first process, with which everything in the box
// has ended, and wants an exit code.
func (b *box) wait(code int) {
	b.t.Helper()
	killer := time.AfterFunc(patience, func() { b.cmd.Process.Kill() })
	_ = b.cmd.Wait()
	killer.Stop()
	if got := b.cmd.ProcessState.ExitCode(); got != code {
		b.t.Fatalf("%s: %v, not exit code %d; it says %q", b.name, b.cmd.ProcessState, code, b.heard())
	}
	b.clear()
}

// clear ends a box that has not ended, and closes what was open for it.
func (b *box) clear() {
	if b.cmd.ProcessState == nil {
		b.cmd.Process.Kill()
		b.cmd.Wait()
	}
	b.said.Close()
	b.messages.Close()
}
