package s6

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// rig is a real tree with a manager on it.
type rig struct {
	t    *testing.T
	tree *s6test.Tree
	m    *manager
	ctx  context.Context
}

func newRig(t *testing.T, opts ...s6test.Option) *rig {
	t.Helper()
	tree := s6test.Start(t, opts...)
	return &rig{t: t, tree: tree, m: openOn(t, tree), ctx: testContext(t)}
}

func (r *rig) register(spec sm.Spec) {
	r.t.Helper()
	must(r.t, r.m.Register(r.ctx, spec))
}

func (r *rig) start(name string, opts ...sm.ActOption) {
	r.t.Helper()
	must(r.t, r.m.Start(r.ctx, name, opts...))
}

func (r *rig) stop(name string, opts ...sm.ActOption) {
	r.t.Helper()
	must(r.t, r.m.Stop(r.ctx, name, opts...))
}

func (r *rig) restart(name string, opts ...sm.ActOption) {
	r.t.Helper()
	must(r.t, r.m.Restart(r.ctx, name, opts...))
}

func (r *rig) signal(name string, sig syscall.Signal) {
	r.t.Helper()
	must(r.t, r.m.Signal(r.ctx, name, sig))
}

func (r *rig) status(name string) sm.Status {
	r.t.Helper()
	st, err := r.m.Status(r.ctx, name)
	must(r.t, err)
	return st
}

// await watches a service until it is as described, and returns how it was
// then.
func (r *rig) await(name, what string, is func(sm.Status) bool) sm.Status {
	r.t.Helper()
	var last sm.Status
	for st, err := range r.m.Watch(r.ctx, name) {
		if err != nil {
			r.t.Fatalf("waiting for %s to be %s: %v", name, what, err)
		}
		if last = st; is(st) {
			return st
		}
	}
	r.t.Fatalf("%s did not get %s, the last of it: %+v (%v)", name, what, last, last.LastExit)
	return last
}

func (r *rig) awaitState(name string, want sm.State) sm.Status {
	r.t.Helper()
	return r.await(name, want.String(), func(st sm.Status) bool { return st.State == want })
}

// awaitOther waits for a process of the service other than pid.
func (r *rig) awaitOther(name string, pid int) sm.Status {
	r.t.Helper()
	return r.await(name, "another process", func(st sm.Status) bool { return st.Running() && st.PID != pid })
}

// open holds the servicedir of a service.
func (r *rig) open(name string) *service {
	r.t.Helper()
	s, err := r.m.service(name)
	must(r.t, err)
	r.t.Cleanup(s.close)
	return s
}

func (r *rig) path(elem ...string) string {
	return filepath.Join(append([]string{r.tree.ScanDir}, elem...)...)
}

func (r *rig) exists(elem ...string) bool {
	r.t.Helper()
	_, err := os.Lstat(r.path(elem...))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return err == nil
}

// s6Only ends a test of what our own tree does otherwise, or has not.
func s6Only(t testing.TB, tr *s6test.Tree, why string) {
	t.Helper()
	if tr.IsOwn() {
		t.Skip("not on our own tree: " + why)
	}
}

// supervisor is the process that supervises a service now.
func (r *rig) supervisor(name string) int {
	r.t.Helper()
	s6Only(r.t, r.tree, "supervisors are no processes of their own")
	held, pid, err := lock.Holder(r.open(name).dir, servicedir.LockFile)
	if err != nil || !held || pid == 0 {
		r.t.Fatalf("nobody known supervises %s: %v, %d, %v", name, held, pid, err)
	}
	return pid
}

// replaceSupervisor kills the supervisor of a service and returns when the
// scanner's new one has reported.
func (r *rig) replaceSupervisor(name string) {
	r.t.Helper()
	s := r.open(name)
	mo, err := s.monitor(r.ctx, false)
	must(r.t, err)
	defer mo.close()
	must(r.t, syscall.Kill(r.supervisor(name), syscall.SIGKILL))
	r.awaitEvent(mo, fifodir.Supervised)
}

func (r *rig) awaitEvent(mo *monitor, event byte) {
	r.t.Helper()
	for {
		n, err := mo.next(r.ctx)
		must(r.t, err)
		if n.has(event) {
			return
		}
	}
}

// rescan has the scanner look.
func (r *rig) rescan(more ...byte) {
	r.t.Helper()
	must(r.t, r.m.sendScanner(r.ctx, string(append([]byte{control.Rescan}, more...))))
}

// files are the content of a servicedir by path; a value that begins with #!
// is made executable, a path that ends in a slash is a directory.
type files map[string]string

func (f files) write(t testing.TB, dir string) {
	t.Helper()
	// A process that is forked now would hold a script open for writing until
	// it executes, and nobody can execute the script until then.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	must(t, os.MkdirAll(dir, 0o755))
	for name, text := range f {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		must(t, os.WriteFile(path, []byte(text), mode))
	}
}

// servicedir writes a servicedir by hand, as somebody else than Register would,
// and returns when it is supervised.
func (r *rig) servicedir(name string, f files) {
	r.t.Helper()
	dir := filepath.Join(r.tree.Dir, "made-"+name)
	f.write(r.t, dir)
	r.supervise(dir, func() error { return os.Rename(dir, r.path(name)) })
}

// linked is servicedir with only a link in the scan directory.
func (r *rig) linked(name string, f files) (target string) {
	r.t.Helper()
	target = filepath.Join(r.tree.Dir, "target-"+name)
	f.write(r.t, target)
	r.supervise(target, func() error { return os.Symlink(target, r.path(name)) })
	return target
}

// supervise has the scanner find a servicedir, and returns when its supervisor
// has reported, and that of its logger.
func (r *rig) supervise(dir string, publish func() error) {
	r.t.Helper()
	parts := []string{dir}
	if info, err := os.Stat(filepath.Join(dir, "log")); err == nil && info.IsDir() {
		parts = append(parts, filepath.Join(dir, "log"))
	}
	var all []*monitor
	for _, part := range parts {
		event := filepath.Join(part, "event")
		must(r.t, os.Mkdir(event, 0o700))
		must(r.t, os.Chmod(event, 0o730|os.ModeSetgid|os.ModeSticky))
		d, err := fsat.Open(part)
		must(r.t, err)
		defer d.Close()
		s := &service{m: r.m, name: filepath.Base(dir), dir: d}
		mo, err := s.monitor(r.ctx, false)
		must(r.t, err)
		defer mo.close()
		all = append(all, mo)
	}
	must(r.t, publish())
	r.rescan()
	for _, mo := range all {
		r.awaitEvent(mo, fifodir.Supervised)
	}
}

// puppet is the other end of a service that does what it is told, and tells.
type puppet struct {
	t         testing.TB
	in, out   *os.File
	heard     *bufio.Reader
	inPath    string
	outPath   string
	arguments []string
}

// puppetScript executes each line that comes from its first argument. What it
// opens for each line is always open for writing on the test's side, so that it
// never waits for more than the line. A trap that was run ends read without one.
const puppetScript = `while :; do read -r line <"$1" && eval "$line"; done`

func newPuppet(t testing.TB, dir string) *puppet {
	t.Helper()
	p := &puppet{t: t, inPath: filepath.Join(dir, "puppet.in"), outPath: filepath.Join(dir, "puppet.out")}
	p.arguments = []string{"/bin/sh", "-c", puppetScript, "puppet", p.inPath, p.outPath}
	open := func(path string) *os.File {
		must(t, unix.Mkfifo(path, 0o600))
		must(t, os.Chmod(path, 0o666))
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	p.in, p.out = open(p.inPath), open(p.outPath)
	p.heard = bufio.NewReader(p.out)
	return p
}

// spec is that of a service that is a puppet.
func (p *puppet) spec(name string) sm.Spec {
	return sm.Spec{Name: name, Command: p.arguments}
}

// run is a run script for a servicedir that is written by hand.
func (p *puppet) run() string {
	return "#!/bin/sh\nset -- " + p.inPath + " " + p.outPath + "\n" + puppetScript + "\n"
}

// do gives the service a line to execute.
func (p *puppet) do(line string) {
	p.t.Helper()
	_, err := p.in.WriteString(line + "\n")
	must(p.t, err)
}

// say gives it a line and waits until it has executed that and all before.
func (p *puppet) say(line string) {
	p.t.Helper()
	p.do(line)
	p.do("echo done >\"$2\"")
	p.hear("done")
}

// expect has the service set traps and then do nothing but wait for signals. A
// shell that reads may sleep through one that comes just before.
func (p *puppet) expect(traps string) {
	p.t.Helper()
	p.do(traps + "; sleep 1000 & echo done >\"$2\"; while :; do wait; done")
	p.hear("done")
}

// hear waits for a line from the service.
func (p *puppet) hear(want string) {
	p.t.Helper()
	if got := p.line(); got != want {
		p.t.Fatalf("the service said %q, want %q", got, want)
	}
}

// hearBoth waits for two lines in either order: one trap can run in the middle
// of another.
func (p *puppet) hearBoth(a, b string) {
	p.t.Helper()
	first, second := p.line(), p.line()
	if (first != a || second != b) && (first != b || second != a) {
		p.t.Fatalf("the service said %q and %q, want %q and %q", first, second, a, b)
	}
}

func (p *puppet) line() string {
	p.t.Helper()
	must(p.t, p.out.SetReadDeadline(time.Now().Add(patience)))
	got, err := p.heard.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the service said nothing more: %v", err)
	}
	return strings.TrimSuffix(got, "\n")
}
