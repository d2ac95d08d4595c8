package s6

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// A supervisor that has just begun has its lock and does not read commands yet. One that
// is to end hears of it all the same.
func TestEndOfASupervisorThatHasJustBegun(t *testing.T) {
	t.Parallel()
	tr := s6test.Start(t)
	m := openOn(t, tr)
	path := filepath.Join(tr.ScanDir, ".newborn")
	must(t, os.MkdirAll(filepath.Join(path, "supervise"), 0o700))
	must(t, os.Chown(path, tr.UID(), -1))
	must(t, os.Chown(filepath.Join(path, "supervise"), tr.UID(), -1))
	dir, err := fsat.Open(path)
	must(t, err)
	defer dir.Close()
	s := &service{m: m, dir: dir}
	must(t, s.sendIfAlive(testContext(t), "dx")) // there is none
	held, err := lock.Take(dir, "supervise/lock", 0o600)
	must(t, err)
	defer unix.Close(held)
	soonOver, cancel := context.WithCancel(testContext(t))
	cancel()
	if err := s.sendIfAlive(soonOver, "dx"); err == nil {
		t.Error("nobody has heard it, and that is no error")
	}
	sent := make(chan error, 1)
	go func() { sent <- s.sendIfAlive(testContext(t), "dx") }()
	fifo, err := control.Listen(dir, "supervise/control", 0o600, -1)
	must(t, err)
	defer unix.Close(fifo)
	must(t, <-sent)
	var buf [8]byte
	if n, err := unix.Read(fifo, buf[:]); err != nil || string(buf[:n]) != "dx" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}
