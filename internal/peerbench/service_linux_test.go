package peerbench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// program is the service of testdata/service.c, built for a number of lines
// and of bytes that it writes at a time.
func program(b *testing.B, lines, write int) string {
	b.Helper()
	return compile(b, "testdata/service.c", fmt.Sprint("LINES=", lines), fmt.Sprint("WRITE=", write))
}

// compile builds a program that has no C library.
func compile(t testing.TB, source string, defines ...string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		s6test.Missing(t, "gcc is not installed; it builds the programs that are measured with")
	}
	out := filepath.Join(s6test.Dir(t, os.Geteuid()), "program")
	args := []string{"-static", "-nostdlib", "-O2", "-fno-builtin", "-fno-stack-protector", "-fno-tree-loop-distribute-patterns"}
	for _, define := range defines {
		args = append(args, "-D"+define)
	}
	run(t, gcc, append(args, "-o", out, source)...)
	return out
}

// kind is what the services of a tree are.
type kind struct {
	program string
	notify  bool // says when it is ready
	logged  bool // has a logger
	told    bool // has the FIFO go
}

// service makes a service directory, the same for every peer.
func (t *tree) service(name string, k kind) {
	t.b.Helper()
	dir := filepath.Join(t.scan, name)
	t.must(os.Mkdir(dir, 0o755))
	t.must(os.Link(k.program, filepath.Join(dir, "run")))
	if k.notify {
		t.write(filepath.Join(dir, "notification-fd"), "3\n", 0o644)
	}
	if k.told {
		t.must(unix.Mkfifo(filepath.Join(dir, "go"), 0o600))
	}
	if k.logged {
		t.logger(dir, t.logDir(name))
	}
}

func (t *tree) logDir(name string) string { return filepath.Join(t.dir, "logs", name) }

// logger gives a service its logger: log/run for those that run one, and
// log/directives for the log process of ours.
func (t *tree) logger(dir, logs string) {
	t.b.Helper()
	t.must(os.MkdirAll(logs, 0o755))
	t.must(os.Mkdir(filepath.Join(dir, "log"), 0o755))
	directives := []string{"n5", "s1000000", "T", logs}
	command := append(append([]string{}, t.peer.logger...), directives...)
	if t.peer.svlogd {
		t.write(filepath.Join(logs, "config"), "s1000000\nn5\n", 0o644)
		command = append(append([]string{}, t.peer.logger...), logs)
	} else {
		t.write(filepath.Join(dir, "log", "directives"), strings.Join(directives, "\n")+"\n", 0o644)
	}
	t.write(filepath.Join(dir, "log", "run"), "#!/bin/sh\nexec "+strings.Join(command, " ")+"\n", 0o755)
}

func (t *tree) write(path, text string, mode os.FileMode) {
	t.b.Helper()
	t.must(writeProgram(path, text, mode))
}

func (t *tree) must(err error) {
	t.b.Helper()
	if err != nil {
		t.b.Fatal(err)
	}
}

// writeProgram writes a file that may be executed at once: no child that is
// being forked has it open for writing.
func writeProgram(path, text string, mode os.FileMode) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(text), mode)
}
