package svscan_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// tree is a program that supervises a scan directory and understands
// s6-svscan's options.
type tree struct {
	name string
	ours bool     // it is the one of this module
	argv []string // before options and scan directory
}

// trees are the two that are compared.
func trees(t *testing.T) (real, second tree) {
	real = tree{name: "s6", argv: []string{s6test.Tool(t, "s6-svscan")}}
	program := os.Getenv(oursVar)
	if program == "s6" {
		second = real
		second.name = "s6 again"
		return real, second
	}
	return real, tree{name: "ours", ours: true, argv: []string{program, "svscan"}}
}

// version is one of s6 that the table knows.
type version string

const (
	v211 version = "2.11"
	v215 version = "2.15"
)

// installed tells which s6 there is, by the options that its s6-svc lists.
func installed(t *testing.T) version {
	usage, _ := exec.CommandContext(t.Context(), s6test.Tool(t, "s6-svc")).CombinedOutput()
	switch {
	case strings.Contains(string(usage), "rlPCK"):
		return v215
	case strings.Contains(string(usage), "abqhkti12pcyroduDUxOQ"):
		return v211
	}
	s6test.Missing(t, "the table of tools knows s6 2.11.3 and 2.15.1, and this is another: "+string(usage))
	return ""
}

// scanner is a tree that runs.
type scanner struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it is reaped
	stderr *messages
}

// startScanner runs a tree and returns when it reports that it is ready.
func startScanner(ctx context.Context, tr tree, scan string, env []string, stdout string, options []string, extra *os.File) (*scanner, error) {
	ready, readyWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ready.Close()
	defer readyWrite.Close()
	given := []*os.File{readyWrite}
	if extra != nil {
		given = append(given, extra)
	}
	s, err := spawnScanner(tr, append([]string{"-d", "3"}, append(options, scan)...), env, stdout, given...)
	if err != nil {
		return nil, err
	}
	readyWrite.Close()
	stop := context.AfterFunc(ctx, func() { ready.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err = bufio.NewReader(ready).ReadString('\n')
	return s, err
}

// spawnScanner runs a tree with arguments, and with extra as descriptors 3 and up.
func spawnScanner(tr tree, arguments, env []string, stdout string, extra ...*os.File) (*scanner, error) {
	out, err := os.OpenFile(stdout, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	argv := append(append([]string{}, tr.argv...), arguments...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, w
	cmd.ExtraFiles = extra
	if err := cmd.Start(); err != nil {
		r.Close()
		return nil, err
	}
	s := &scanner{cmd: cmd, exited: make(chan struct{}), stderr: collect(r)}
	go func() {
		defer close(s.exited)
		cmd.Wait()
	}()
	return s, nil
}

// code is the exit code of a scanner that has ended, or minus the signal that
// killed it.
func (s *scanner) code() int {
	if ws := s.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return -int(ws.Signal())
	}
	return s.cmd.ProcessState.ExitCode()
}

// end ends the scanner and everything that belongs to dir.
func (s *scanner) end(dir string) {
	s.cmd.Process.Kill()
	<-s.exited
	for range 10 {
		pids := s6test.Below(dir)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			killProcess(pid)
		}
	}
	s.stderr.close()
}

// killProcess ends a process and waits until it is gone.
func killProcess(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil {
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000)
	}
}

// messages are what a tree and its services print, line by line.
type messages struct {
	from *os.File
	done chan struct{}

	mu   sync.Mutex // guards what follows
	text strings.Builder
	more chan struct{} // closed at the next line
}

func collect(from *os.File) *messages {
	m := &messages{from: from, done: make(chan struct{}), more: make(chan struct{})}
	go func() {
		defer close(m.done)
		lines := bufio.NewReader(from)
		for {
			line, err := lines.ReadString('\n')
			m.add(line)
			if err != nil {
				return
			}
		}
	}()
	return m
}

func (m *messages) add(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.text.WriteString(line)
	close(m.more)
	m.more = make(chan struct{})
}

func (m *messages) close() {
	m.from.Close()
	<-m.done
}

func (m *messages) all() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// await waits for a message behind the first bytes.
func (m *messages) await(ctx context.Context, behind int, what *regexp.Regexp) error {
	for {
		m.mu.Lock()
		text, more := m.text.String(), m.more
		m.mu.Unlock()
		if what.MatchString(text[behind:]) {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return errors.New("no message like " + what.String())
		}
	}
}

// environment is that of a tree: little, and the same for both.
func environment(dir, tools string) []string {
	return []string{"PATH=" + tools + ":/usr/bin:/bin", "S6TEST_TREE=" + dir, "GIVEN=to the tree"}
}

func toolsDirectory(t *testing.T) string { return filepath.Dir(s6test.Tool(t, "s6-svc")) }
