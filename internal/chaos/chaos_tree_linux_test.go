package chaos

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is far beyond what anything here takes.
const patience = 90 * time.Second

// startTree starts a tree and waits until it takes commands.
func (w *world) startTree() {
	w.t.Helper()
	exe, err := os.Executable()
	must(w.t, err)
	out, err := os.OpenFile(w.treeLog, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	must(w.t, err)
	defer out.Close()
	read, write, err := os.Pipe()
	must(w.t, err)
	defer read.Close()
	w.tree = exec.Command(exe, treeRole, w.scan)
	w.tree.Stderr = out
	w.tree.ExtraFiles = []*os.File{write}
	w.tree.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	w.tree.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	must(w.t, w.tree.Start())
	write.Close()
	read.SetReadDeadline(time.Now().Add(patience))
	if _, err := bufio.NewReader(read).ReadByte(); err != nil {
		w.t.Fatalf("the tree does not get ready: %v\n%s", err, text(w.treeLog, 20))
	}
	w.trees++
	for _, s := range w.all {
		s.asked, s.logged = false, false
		if s.logger == pooled {
			w.opening[s] = true
		}
	}
}

// killTree ends it as nothing else can.
func (w *world) killTree() {
	must(w.t, w.tree.Process.Kill())
	_ = w.tree.Wait()
	w.tree = nil
	for _, s := range w.all {
		s.begin("the tree was killed")
	}
}

// endTree has it end in order.
func (w *world) endTree() {
	w.t.Helper()
	began := time.Now()
	defer func() { w.t.Logf("the tree ended in %v", time.Since(began).Round(time.Millisecond)) }()
	must(w.t, w.tree.Process.Signal(unix.SIGTERM))
	done := make(chan error, 1)
	go func() { done <- w.tree.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			w.t.Errorf("the end of the tree: %v", err)
		}
		w.tree = nil
	case <-time.After(patience):
		_ = w.tree.Process.Signal(unix.SIGQUIT) // its stacks
		<-done
		w.tree = nil
		w.failed("the tree does not end")
	}
}

// command writes into the tree's own FIFO.
func (w *world) command(text string) bool {
	fd, err := unix.Open(filepath.Join(w.scan, ".s6-svscan/control"), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	return err == nil
}

// clock is that of services, in nanoseconds.
func clock() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return uint64(ts.Nano())
}

// begin notes that from now on what a service leaves in its pipe may be lost
// when it ends: nobody else may have that open.
func (s *service) begin(why string) { s.gaps = append(s.gaps, gap{from: clock(), why: why}) }

// leaves begins such a time that only the next tree ends.
func (w *world) leaves(s *service, why string) {
	s.begin(why)
	delete(w.opening, s)
}

// end ends all gaps.
func (s *service) end() {
	const late = 20e6 // what has the control FIFO open has the pipe open soon
	for i := range s.gaps {
		if s.gaps[i].to == 0 {
			s.gaps[i].to = clock() + late
		}
	}
}

// opened notes which logs are taken care of again.
func (w *world) opened() {
	for s := range w.opening {
		if !s.away && supervised(s.log()) {
			s.end()
			delete(w.opening, s)
		}
	}
}
