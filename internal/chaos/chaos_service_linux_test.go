package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// What a service does, as testdata/service.c has it.
const (
	logs = 1 << iota
	stubborn
	ready
	crashes
	atOnce
	pardon
)

// logger is what a service has for a log.
type logger int

const (
	unlogged logger = iota
	pooled          // the log process of the tree
	piped           // a log/run
)

// service is one of the scan directory, and what was done to it.
type service struct {
	name, dir string
	flags     int
	logger    logger
	calm      bool // nothing is done to it that may end it

	away   bool // its directory is not in the scan directory
	asked  bool // its supervisor may leave, and lose commands
	logged bool // so may that of its log
	up     bool // the state that is demanded at the end
	lasts  bool // by d or u, not by D or U

	// Times in which what it wrote may be lost if it ends.
	gaps []gap
}

// gap is a time, of the clock that services use too; to is 0 while it lasts.
type gap struct {
	from, to uint64
	why      string
}

func (s *service) log() string { return filepath.Join(s.dir, "log") }

// program builds the service.
func program(t testing.TB, root string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		s6test.Missing(t, "gcc is not installed; it builds the service of the test")
	}
	out := filepath.Join(root, "service")
	cmd := exec.Command(gcc, "-static", "-O2", "-Wall", fmt.Sprintf("-DROOT=%q", root), "-o", out, "testdata/service.c")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// makeServices makes n service directories.
func (w *world) makeServices(n int) {
	w.t.Helper()
	run := program(w.t, w.root)
	s6log, err := exec.LookPath("s6-log")
	if err != nil {
		w.t.Log("s6-log is not installed, so no service has a log/run")
	}
	for i := range n {
		s := &service{name: fmt.Sprintf("svc-%04d", i), up: true}
		s.dir = filepath.Join(w.scan, s.name)
		switch {
		case i%10 < 3:
			s.logger = pooled
		case i%10 == 3 && s6log != "":
			s.logger = piped
		}
		s.calm = i%11 == 0 && s.logger != piped
		w.makeService(s, run, s6log)
		w.all = append(w.all, s)
	}
}

func (w *world) makeService(s *service, run, s6log string) {
	w.t.Helper()
	r, write := w.rand, w.write
	must(w.t, os.Mkdir(s.dir, 0o755))
	must(w.t, os.Link(run, filepath.Join(s.dir, "run")))
	if !s.calm {
		w.temper(s)
		if r.IntN(3) == 0 {
			s.flags |= []int{0, pardon}[r.IntN(2)]
			must(w.t, os.Link(run, filepath.Join(s.dir, "finish")))
			write(s, "timeout-finish", fmt.Sprint(200+r.IntN(300)))
		}
		if r.IntN(3) == 0 {
			write(s, "backoff", "50 1000")
		}
		if r.IntN(4) == 0 {
			write(s, "max-death-tally", fmt.Sprint(r.IntN(10)))
		}
		if r.IntN(8) == 0 {
			write(s, "down-signal", "USR1")
		}
	}
	lines, pause := 4, 100
	if s.logger != unlogged {
		s.flags |= logs
		if r.IntN(6) == 0 { // more than a pipe holds
			lines, pause = 1500, 3000
		}
		w.makeLog(s, s6log)
	}
	write(s, "conf", fmt.Sprintln(s.name, s.flags, lines, pause))
}

// temper is how a service ends.
func (w *world) temper(s *service) {
	r := w.rand
	if r.IntN(8) == 0 {
		s.flags |= stubborn
	}
	if s.flags&stubborn != 0 || r.IntN(8) == 0 {
		w.write(s, "timeout-kill", fmt.Sprint(100+r.IntN(300)))
	}
	if r.IntN(4) == 0 {
		s.flags |= ready
		w.write(s, "notification-fd", "3")
	}
	switch r.IntN(8) {
	case 0, 1:
		s.flags |= crashes
	case 2:
		s.flags |= atOnce
	}
}

func (w *world) makeLog(s *service, s6log string) {
	w.t.Helper()
	must(w.t, os.Mkdir(s.log(), 0o755))
	to := w.logDir(s)
	if s.logger == pooled {
		w.write(s, "log/directives", "n1000000\ns20000\n"+to)
		return
	}
	syscall.ForkLock.RLock() // see fsat.Dir.Create
	defer syscall.ForkLock.RUnlock()
	script := fmt.Sprintf("#!/bin/sh\nexec %s n1000000 s20000 %s\n", s6log, to)
	must(w.t, os.WriteFile(filepath.Join(s.log(), "run"), []byte(script), 0o755))
}

// logDir is on the volume that is filled, but for s6-log: version 2.11, where a
// full disk gets it in a rotation, tries for ever to sync a file that it has
// closed, and never ends.
func (w *world) logDir(s *service) string {
	if s.logger == piped {
		return filepath.Join(w.root, "logs", s.name)
	}
	return filepath.Join(w.volume.dir, s.name)
}

func (w *world) write(s *service, name, text string) {
	w.t.Helper()
	must(w.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text+"\n"), 0o644))
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
