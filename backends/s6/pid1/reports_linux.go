package pid1

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/report"
)

// A tree tells in a pipe what has become of its services. Nothing else comes up
// from it: its init reads no file of anybody.

// told is a line of a tree.
type told struct {
	tree   int // its pid
	report report.Report
}

// reports are what trees have told.
type reports struct {
	lines   chan told
	pipe    *os.File         // of the tree that there is
	ready   bool             // it takes signals
	kept    []syscall.Signal // for when it does
	waiting bool             // the program waits for the services
	late    *time.Timer
}

func newReports() reports { return reports{lines: make(chan told, 1), late: stoppedTimer()} }

// reportPipe has a read end that does not block a thread.
func reportPipe() (r *os.File, w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, -1, os.NewSyscallError("pipe2", err)
	}
	_ = unix.SetNonblock(p[0], true) // or it does block one
	return os.NewFile(uintptr(p[0]), "reports"), p[1], nil
}

// readReports reads until the tree has ended, or the pipe is closed.
func (i *initProcess) readReports(tree int, pipe *os.File) {
	defer pipe.Close()
	lines := bufio.NewReaderSize(pipe, report.MaxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		r, known := report.Parse(strings.TrimSuffix(string(line), "\n"))
		if !known {
			continue
		}
		select {
		case i.reports.lines <- told{tree, r}:
		case <-i.stopAll:
			return
		}
	}
}

// hear is about what a tree has told.
func (i *initProcess) hear(t told) {
	r := &i.reports
	if t.tree != i.tree {
		return
	}
	switch t.report.Kind {
	case report.Ready:
		r.ready = true
		for _, sig := range r.kept {
			i.passTo(i.tree, sig, false)
		}
		r.kept = nil
	case report.AllReady:
		i.o.log(1, "all services are ready")
		if r.waiting {
			i.waitedEnough()
		}
	case report.GaveUp:
		text := fmt.Sprintf("service %s has been given up: %s", t.report.Name, t.report.Reason)
		if r.waiting {
			i.unready(text)
			return
		}
		i.o.log(1, text)
	case report.Essential:
		i.o.log(0, fmt.Sprintf("service %s, which is essential, has ended for good: exit code %d", t.report.Name, t.report.Status))
		i.decide(t.report.Status)
		i.dropWaiting()
		i.tellProgram(syscall.SIGTERM)
		i.stop("an essential service has ended")
	}
}

// tellTree sends a signal to the tree, when it takes signals: before, it would end
// the tree.
func (i *initProcess) tellTree(sig syscall.Signal) {
	if i.reports.ready {
		i.passTo(i.tree, sig, false)
	} else if !slices.Contains(i.reports.kept, sig) {
		i.reports.kept = append(i.reports.kept, sig)
	}
}

// waitReady begins the wait of the program for the services.
func (i *initProcess) waitReady() {
	i.reports.waiting = true
	if i.o.ReadyWithin > 0 {
		i.reports.late.Reset(i.o.ReadyWithin)
	}
}

func (i *initProcess) waitedEnough() {
	i.reports.waiting = false
	i.reports.late.Stop()
	i.beginProgram()
}

// unready is a boot that has failed, unless it may.
func (i *initProcess) unready(why string) {
	if i.o.UnreadyMayFail || i.stopping {
		i.o.log(0, why)
		return
	}
	i.fail(ExitOwn, fmt.Errorf("%w: %s", ErrStep, why))
	i.dropWaiting()
	i.stop("the services are not ready")
}

// lateReady is the end of the time that the services have.
func (i *initProcess) lateReady() {
	if !i.reports.waiting {
		return
	}
	i.unready(fmt.Sprintf("the services are not ready within %v; hermes-gateway status says which", i.o.ReadyWithin))
	if i.reports.waiting {
		i.waitedEnough()
	}
}

// dropWaiting has the program never begin.
func (i *initProcess) dropWaiting() {
	if i.reports.waiting {
		i.reports.waiting = false
		i.reports.late.Stop()
		i.program = absent
	}
}
