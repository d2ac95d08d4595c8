package svscan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// patience bounds what should happen at once.
const patience = 40 * time.Second

// play is one case of the table on one tree. What can be observed from outside
// becomes lines; the two trees must give the same.
type play struct {
	t     *testing.T
	tree  tree
	s6    version
	tools string // their directory
	ctx   context.Context

	dir  string // everything of this play
	scan string // the scan directory
	*scanner

	// What a tree is started with, beside options.
	extra   *os.File // one more descriptor
	ignored string   // signals

	lines  []string
	fences int
}

func newPlay(t *testing.T, tr tree, s6 version) *play {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	p := &play{t: t, tree: tr, s6: s6, tools: toolsDirectory(t), ctx: ctx, dir: s6test.Dir(t, os.Geteuid())}
	p.scan = filepath.Join(p.dir, "service")
	p.must(os.Mkdir(p.scan, 0o755))
	return p
}

// has says whether the tools are of s6 2.15.
func (p *play) has215() bool { return p.s6 == v215 }

func (p *play) must(err error) {
	p.t.Helper()
	if err != nil {
		p.fatalf("%v", err)
	}
}

func (p *play) fatalf(format string, args ...any) {
	p.t.Helper()
	text := ""
	if p.scanner != nil {
		text = p.stderr.all()
	}
	p.t.Fatalf("on %s: %s\nuntil then:\n  %s\nmessages of the tree:\n%s",
		p.tree.name, fmt.Sprintf(format, args...), strings.Join(p.lines, "\n  "), text)
}

// note adds a line.
func (p *play) note(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// start runs the tree with options of s6-svscan.
func (p *play) start(options ...string) {
	p.t.Helper()
	p.must(os.Chmod(p.dir, 0o755))
	tr := p.tree
	if p.ignored != "" {
		tr.argv = append([]string{"/bin/sh", "-c", "trap '' " + p.ignored + "; exec \"$@\"", "sh"}, tr.argv...)
	}
	s, err := startScanner(p.ctx, tr, p.scan, environment(p.dir, p.tools), filepath.Join(p.dir, "stdout"), options, p.extra)
	p.scanner = s
	if s != nil {
		p.t.Cleanup(func() { s.end(p.dir) })
	}
	if err != nil {
		p.fatalf("the tree did not get ready: %v", err)
	}
}

// ends waits for the end of the scanner and notes its exit code.
func (p *play) ends() {
	p.t.Helper()
	select {
	case <-p.exited:
		p.note("the scanner has ended with %d", p.code())
	case <-p.ctx.Done():
		p.fatalf("the scanner does not end")
	}
}

// awaitMessage waits for what the tree or a service prints behind the first
// bytes.
func (p *play) awaitMessage(behind int, what *regexp.Regexp) {
	p.t.Helper()
	if err := p.stderr.await(p.ctx, behind, what); err != nil {
		p.fatalf("%v", err)
	}
}

// path is a path below the scan directory.
func (p *play) path(name ...string) string {
	return filepath.Join(append([]string{p.scan}, name...)...)
}

func (p *play) exists(path string) bool {
	p.t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.fatalf("%v", err)
	}
	return err == nil
}

// tool runs a program of s6 and notes how that ended.
func (p *play) tool(name string, args ...string) {
	p.t.Helper()
	for {
		c := p.background(name, args...)
		_ = c.cmd.Wait()
		// On a busy machine a short time may be over before the tool listens.
		if c.cmd.ProcessState.ExitCode() != 111 || !strings.Contains(c.err.String(), "Connection timed out") {
			c.note()
			return
		}
	}
}

// eventually runs a program of s6 until it exits with a code, for what a tree
// does right after its last event, as giving up a lock.
func (p *play) eventually(code int, name string, args ...string) {
	p.t.Helper()
	for {
		c := p.background(name, args...)
		_ = c.cmd.Wait()
		switch {
		case c.cmd.ProcessState.ExitCode() == code:
			p.note("%s = %d", p.plain(c.title), code)
			return
		case p.ctx.Err() != nil:
			p.fatalf("%s never ends with %d", p.plain(c.title), code)
		}
	}
}

// command is a program of s6 that runs.
type command struct {
	p        *play
	title    string
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

// background starts a program of s6.
func (p *play) background(name string, args ...string) *command {
	p.t.Helper()
	c := &command{p: p, title: name + " " + strings.Join(args, " "), cmd: exec.CommandContext(p.ctx, filepath.Join(p.tools, name), args...)}
	c.cmd.Env = environment(p.dir, p.tools)
	c.cmd.Dir = p.dir
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.err
	// Helpers of a program may keep its output open.
	c.cmd.WaitDelay = 5 * time.Second
	p.must(c.cmd.Start())
	return c
}

// wait notes the exit code of a program and what it has printed.
func (c *command) wait() {
	c.p.t.Helper()
	_ = c.cmd.Wait() // whatever is wrong shows in the exit code
	c.note()
}

func (c *command) note() {
	c.p.t.Helper()
	if c.p.ctx.Err() != nil {
		c.p.fatalf("%s does not end", c.p.plain(c.title))
	}
	complaint := helperComplaint.ReplaceAllString(c.err.String(), "")
	if c.cmd.ProcessState.ExitCode() == 99 && strings.Contains(c.title, " "+patient+" ") {
		c.p.fatalf("%s waits in vain", c.p.plain(c.title))
	}
	c.p.note("%s = %d%s%s", c.p.plain(c.title), c.cmd.ProcessState.ExitCode(), c.p.printed(" | ", c.out.String()), c.p.printed(" ! ", complaint))
}

// patient is the timeout, in milliseconds, of a tool that must not need it.
const patient = "20000"

// helperComplaint is what a helper of the waiting tools may say when the tool
// ends before it.
var helperComplaint = regexp.MustCompile(`(?m)^s6-ftrigrd: fatal: unable to flush asyncout: Broken pipe\n`)

func (p *play) printed(mark, text string) string {
	if text == "" {
		return ""
	}
	return mark + p.plain(strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", mark))
}

// plain takes out of a text what differs from run to run.
func (p *play) plain(text string) string {
	text = strings.ReplaceAll(text, p.scan, "SCAN")
	text = strings.ReplaceAll(text, p.dir, "DIR")
	text = strings.ReplaceAll(text, p.tools+"/", "")
	for _, n := range []struct{ varies, fixed string }{
		{`(pid|pgid) [0-9]+`, "$1 P"},
		{`[0-9]+ seconds`, "N seconds"},
		{`@[0-9a-f]{24}`, "@"},
	} {
		text = regexp.MustCompile(n.varies).ReplaceAllString(text, n.fixed)
	}
	return text
}

// until waits for something that is seen in directories, and looks each time
// something changes in one of them.
func (p *play) until(what string, is func() bool, dirs ...string) {
	p.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	p.must(err)
	f := os.NewFile(uintptr(fd), "inotify")
	defer f.Close()
	for _, dir := range dirs {
		_, err := unix.InotifyAddWatch(fd, dir, unix.IN_MOVE|unix.IN_CREATE|unix.IN_DELETE|unix.IN_ATTRIB|unix.IN_MODIFY|unix.IN_CLOSE_WRITE)
		p.must(err)
	}
	deadline := time.Now().Add(patience)
	f.SetReadDeadline(deadline)
	for buf := make([]byte, 16<<10); !is(); {
		if _, err := f.Read(buf); err != nil {
			p.fatalf("%s does not come: %v", what, err)
		}
	}
}

// files are the content of a directory by path; a value that begins with #! is
// made executable, a path that ends in a slash is a directory.
type files map[string]string

// with returns the files with others added.
func (f files) with(others files) files {
	all := files{}
	for _, from := range []files{f, others} {
		for name, text := range from {
			all[name] = text
		}
	}
	return all
}

func (p *play) write(dir string, f files) {
	p.t.Helper()
	// A process that is forked now would hold a script open for writing until
	// it executes, and nobody can execute the script until then.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	p.must(os.MkdirAll(dir, 0o755))
	for name, text := range f {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			p.must(os.MkdirAll(path, 0o755))
			continue
		}
		p.must(os.MkdirAll(filepath.Dir(path), 0o755))
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		p.must(os.WriteFile(path, []byte(text), mode))
	}
}
