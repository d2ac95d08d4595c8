package logpool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
)

func TestWritesWhatServicesWrite(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := start(t, nil)
	var services []*os.File
	for i := range 3 {
		dir := logDir(t, filepath.Join(root, fmt.Sprint("a \"service\" ", i), "log"), "./main")
		p.add(fmt.Sprint("service\n", i), dir)
		services = append(services, service(t, dir))
	}
	for i, s := range services {
		fmt.Fprintf(s, "service %d begins", i)
	}
	for i := range services {
		shows(t, filepath.Join(root, fmt.Sprint("a \"service\" ", i), "log", "main"), fmt.Sprintf("service %d begins", i))
	}
	for _, s := range services {
		fmt.Fprint(s, " and ends\n")
	}
	p.finish()
	for i, s := range services {
		got := content(t, filepath.Join(root, fmt.Sprint("a \"service\" ", i), "log", "main"))
		if want := fmt.Sprintf("service %d begins and ends\n", i); got != want || unread(t, s) != 0 {
			t.Errorf("%q, want %q; %d unread", got, want, unread(t, s))
		}
	}
}

// Nobody has the FIFO open for writing, then somebody has, then nobody: that is
// no end and no reason to be busy.
func TestServicesComeAndGo(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "./main")
	p := start(t, nil)
	p.add("web", dir)
	for i := range 20 {
		s, err := os.OpenFile(filepath.Join(dir, InputFile), os.O_WRONLY, 0)
		must(t, err)
		fmt.Fprintf(s, "%d\n", i)
		must(t, s.Close())
		shows(t, filepath.Join(dir, "main"), fmt.Sprintf("%d\n", i))
	}
	before := cpu(t, p)
	<-tick(100)
	if used := cpu(t, p) - before; used > 2 {
		t.Errorf("it used %d/100 s of the processor while nothing happened", used)
	}
	p.finish()
}

func TestRotateStopContinueRemove(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "./main")
	log := filepath.Join(dir, "main")
	p, s := start(t, nil), service(t, dir)
	p.add("web", dir)
	fmt.Fprint(s, "one\n")
	shows(t, log, "one\n")
	p.send(wire.Rotate, "web")
	until(t, "an archive", func() bool { m, _ := filepath.Glob(log + "/@*.s"); return len(m) == 1 })
	p.send(wire.Stop, "web")
	p.send(wire.Rotate, "nobody")
	p.send(wire.Drain, "nobody") // so that we know that it has come so far
	p.wants(wire.Drained, "nobody", "0", "there is no such log")
	fmt.Fprint(s, "two\n")
	if n := unread(t, s); n != 4 {
		t.Errorf("paused, it leaves %d bytes in the FIFO", n)
	}
	p.send(wire.Cont, "web")
	shows(t, log, "two\n")
	p.send(wire.Remove, "web")
	p.wants(wire.Drained, "web", "0", "")
	fmt.Fprint(s, "three\n")
	p.send(wire.Add, "web", dir)
	p.answers.wantsTimes(t, `opened "web"`, 2)
	p.finish()
	if got := content(t, log); got != "one\ntwo\nthree\n" {
		t.Errorf("%q", got)
	}
}

// Paused, a service comes to a halt when its FIFO is full; a drain reads on.
func TestDrainWhilePaused(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "n100", "./main")
	p, s := start(t, nil), service(t, dir)
	p.add("web", dir)
	p.send(wire.Stop, "web")
	p.send(wire.Drain, "nobody")
	p.wants(wire.Drained, "nobody", "0", "there is no such log")
	text := numbered(0, 60<<10)
	fmt.Fprint(s, text)
	p.send(wire.Drain, "web")
	p.wants(wire.Drained, "web", "0", "")
	if got := content(t, filepath.Join(dir, "main")); got != text {
		t.Errorf("%d bytes of %d", len(got), len(text))
	}
	p.finish()
}

// A drain is done when what was there is written, though the service goes on.
func TestDrainOfABusyService(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "n2", "./main")
	p, s := start(t, nil), service(t, dir)
	p.add("web", dir)
	var stop atomic.Bool
	over := make(chan struct{})
	text := []byte(numbered(0, 4<<10))
	go func() {
		defer close(over)
		for !stop.Load() {
			s.Write(text)
		}
	}()
	shows(t, filepath.Join(dir, "main"), "000000001\n")
	p.send(wire.Drain, "web")
	p.answers.wants(t, `drained "web"`)
	stop.Store(true)
	go s.Read(make([]byte, 64<<10)) // if it waits for room
	<-over
	must(t, p.in.Close())
	p.ended()
}

// The tree is dead: what is in the FIFOs is written, and the process ends.
func TestTreeDies(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := start(t, nil)
	text := numbered(0, 50<<10)
	var dirs []string
	for i := range 20 {
		dir := logDir(t, filepath.Join(root, fmt.Sprint(i)), "./main")
		p.add(fmt.Sprint(i), dir)
		p.send(wire.Stop, fmt.Sprint(i))
		dirs = append(dirs, dir)
	}
	p.send(wire.Drain, "nobody")
	p.wants(wire.Drained, "nobody", "0", "there is no such log")
	for _, dir := range dirs {
		fmt.Fprint(service(t, dir), text)
	}
	p.finish()
	for _, dir := range dirs {
		if got := content(t, filepath.Join(dir, "main")); got != text {
			t.Errorf("%s: %d bytes of %d", dir, len(got), len(text))
		}
		info, err := os.Stat(filepath.Join(dir, "main", "current"))
		must(t, err)
		if info.Mode()&0o100 == 0 {
			t.Error("current is not marked as closed")
		}
	}
}

// Signals: TERM ends it in order, HUP and INT do not, and nor do answers that
// nobody reads.
func TestSignals(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "./main")
	p := start(t, func(cmd *exec.Cmd) {
		r, w, err := os.Pipe()
		must(t, err)
		r.Close()
		cmd.Stdout = w
	})
	p.send(wire.Add, "web", dir)
	s := service(t, dir)
	fmt.Fprint(s, "a\n")
	shows(t, filepath.Join(dir, "main"), "a\n")
	must(t, p.cmd.Process.Signal(syscall.SIGHUP))
	must(t, p.cmd.Process.Signal(syscall.SIGINT))
	p.send(wire.Stop, "web")
	p.send(wire.Rotate, "web")
	fmt.Fprint(s, "b\n")
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	if code := p.ended(); code != 0 {
		t.Errorf("exit %d: %s", code, p.stderr.text())
	}
	if got := content(t, filepath.Join(dir, "main")); got != "a\nb\n" {
		t.Errorf("%q", got)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	p := start(t, func(cmd *exec.Cmd) { cmd.Args = append(cmd.Args, "--help") })
	if code := p.ended(); code != exitUsage || !strings.Contains(p.stderr.text(), "unknown argument") {
		t.Errorf("exit %d: %s", code, p.stderr.text())
	}
}

func withLines(cmd *exec.Cmd, to *os.File) {
	cmd.Args = append(cmd.Args, LinesFlag)
	cmd.ExtraFiles = []*os.File{to}
}

func TestDirective1GoesToDescriptor3(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	r, w, err := os.Pipe()
	must(t, err)
	out := newFeed()
	p := start(t, func(cmd *exec.Cmd) { withLines(cmd, w) })
	w.Close()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			if err != nil {
				return
			}
			out.Write(buf[:n])
		}
	}()
	t.Cleanup(func() { r.Close() })
	a := logDir(t, filepath.Join(root, "a"), "pfrom a:", "1", "./main")
	b := logDir(t, filepath.Join(root, "b"), "1", "./main")
	p.add("a", a)
	p.add("b", b)
	sa, sb := service(t, a), service(t, b)
	fmt.Fprint(sa, "beg")
	shows(t, filepath.Join(a, "main"), "beg")
	fmt.Fprint(sb, "whole\n")
	out.wants(t, "whole\n")
	fmt.Fprint(sa, "un\n")
	out.wants(t, "from a: begun\n")
	p.finish()
	if got := out.text(); got != "whole\nfrom a: begun\n" {
		t.Errorf("%q", got)
	}
}

func TestDirective1WithoutDescriptor3(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "1", "./main")
	p := start(t, nil)
	p.add("web", dir)
	p.stderr.wants(t, "web: directive 1 has no effect")
	fmt.Fprint(service(t, dir), "a\n")
	p.finish()
	if got := content(t, filepath.Join(dir, "main")); got != "a\n" {
		t.Errorf("%q", got)
	}
}
