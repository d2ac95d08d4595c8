package peerbench

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// peer is a supervisor: ours, or one that we are compared with.
type peer struct {
	name    string
	absent  string   // why it cannot be measured; "" if it can
	scanner []string // argv before the scan directory; descriptor 3 is for readiness if ready
	ready   bool
	end     syscall.Signal // to the scanner: stop everything in order

	logger []string // argv of the logger before its directives, for log/run
	svlogd bool     // the logger is configured by a file, as svlogd

	svc func(action, dir string) []string // argv of its own tool, which waits
	s6  bool                              // has s6's control, events and client
}

const ours = "ours"

// most is the limit of services that scanners are given.
const most = 4000

// peers returns all that may be measured, us first. Of those that are not
// there, us and s6 are missed where real parts are required.
func peers(b *testing.B) []*peer {
	b.Helper()
	bindir := os.Getenv("S6_BINDIR")
	if path, err := exec.LookPath("s6-svscan"); err == nil && bindir == "" {
		bindir = filepath.Dir(path)
	}
	all := []*peer{self(), realS6("s6", bindir)}
	for _, p := range all {
		if p.absent != "" && os.Getenv("CI_REQUIRE_REAL") == "1" {
			b.Fatalf("%s cannot be measured: %s", p.name, p.absent)
		}
	}
	dirs := os.Getenv("BENCH_S6_BINDIRS")
	if dirs == "" {
		dirs = "/opt/s6-2.15/bin"
	}
	for _, dir := range filepath.SplitList(dirs) {
		all = append(all, realS6(filepath.Base(filepath.Dir(dir)), dir))
	}
	return append(all, runit())
}

// present are those that can be measured. The others are noted in the results.
func present(all []*peer, noted ...*results) []*peer {
	var found []*peer
	for _, p := range all {
		if p.absent == "" {
			found = append(found, p)
		}
		for _, r := range noted {
			if p.absent != "" {
				r.missing(p.name, p.absent)
			} else {
				r.row(p.name)
			}
		}
	}
	return found
}

func self() *peer {
	bin := os.Getenv("HERMES_GATEWAY_BIN")
	p := &peer{
		name: ours, ready: true, s6: true, end: syscall.SIGTERM,
		scanner: []string{bin, "svscan", "-C", strconv.Itoa(most), "-t", "0", "-d", "3"},
		logger:  []string{bin, "log"},
	}
	if bin == "" {
		p.absent = "no binary in HERMES_GATEWAY_BIN; run make bench"
	} else if help, _ := exec.Command(bin, "svscan", "--help").Output(); !bytes.Contains(help, []byte("svscan")) {
		p.absent = "no command svscan"
	}
	return p
}

func realS6(name, bindir string) *peer {
	program := func(name string) string { return filepath.Join(bindir, name) }
	p := &peer{
		name: name, ready: true, s6: true, end: syscall.SIGTERM,
		logger: []string{program("s6-log")},
		svc: func(action, dir string) []string {
			return append([]string{program("s6-svc")}, append(svcOptions(action), dir)...)
		},
	}
	if _, err := os.Stat(program("s6-svscan")); err != nil {
		p.absent = "not installed"
		return p
	}
	p.scanner = []string{program("s6-svscan"), mostFlag(program("s6-svscan")), strconv.Itoa(most), "-t", "0", "-d", "3"}
	return p
}

func svcOptions(action string) []string {
	if action == "stop" {
		return []string{"-wD", "-d"}
	}
	return []string{"-wu", "-u"}
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

func runit() *peer {
	p := &peer{
		name: "runit", scanner: []string{"runsvdir", "-P"}, end: syscall.SIGHUP,
		logger: []string{"svlogd", "-tt"}, svlogd: true,
		svc: func(action, dir string) []string { return []string{"sv", action, dir} },
	}
	for _, name := range []string{"runsvdir", "runsv", "svlogd", "sv"} {
		if _, err := exec.LookPath(name); err != nil {
			p.absent = "not installed"
		}
	}
	return p
}

// environment is that of a tree and of the tools that control it: the peer's
// own programs come first in PATH, as scanners look for the supervisor there.
func (p *peer) environment(more ...string) []string {
	env := append(os.Environ(), more...)
	if dir := filepath.Dir(p.scanner[0]); strings.HasPrefix(dir, "/") {
		env = append(env, "PATH="+dir+":"+os.Getenv("PATH"))
	}
	return env
}
