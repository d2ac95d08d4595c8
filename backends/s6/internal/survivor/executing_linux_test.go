package survivor_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// hanging makes a run whose execution waits for as long as the loader of the
// program cannot be read. asked tells that it waits.
func hanging(t *testing.T, dir string) (asked <-chan os.Signal, goOn func()) {
	t.Helper()
	cat, err := exec.LookPath("cat")
	must(t, err)
	program, err := os.ReadFile(cat)
	must(t, err)
	loader := loaderOf(t, cat)
	own, err := os.MkdirTemp("", "ld") // a short name, that takes the place of another
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(own) })
	must(t, os.Chmod(own, 0o755))
	path := filepath.Join(own, "l")
	if len(path) > len(loader) {
		t.Skipf("%s does not fit into the place of %s", path, loader)
	}
	content, err := os.ReadFile(loader)
	must(t, err)
	padded := append([]byte(path), make([]byte, len(loader)-len(path))...)
	syscall.ForkLock.RLock() // see fsat.Dir.Create
	err = os.WriteFile(path, content, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "run"), bytes.ReplaceAll(program, []byte(loader), padded), 0o755)
	}
	syscall.ForkLock.RUnlock()
	must(t, err)
	// The kernel lets whoever opens the file wait until the lease is given up,
	// or for 45 seconds.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	c := make(chan os.Signal, 8)
	signal.Notify(c, syscall.SIGIO)
	t.Cleanup(func() { signal.Stop(c) })
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skip("no leases on this file system: ", err)
	}
	return c, func() {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
		must(t, err)
	}
}

// loaderOf is the loader that a program asks for.
func loaderOf(t *testing.T, program string) string {
	t.Helper()
	f, err := elf.Open(program)
	must(t, err)
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b, err := io.ReadAll(p.Open())
			must(t, err)
			return string(bytes.TrimRight(b, "\x00"))
		}
	}
	t.Skip(program + " needs no loader")
	return ""
}

// A supervisor is killed while the program of its service is being executed,
// which takes its time. It does not come to life beside another instance.
func TestKilledWhileExecuting(t *testing.T) {
	t.Parallel()
	dir := makeService(t, nil)
	must(t, unix.Mkfifo(filepath.Join(dir, "web"), 0o600)) // what cat would wait for
	asked, goOn := hanging(t, dir)
	s := start(t, dir)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("the execution does not wait")
	}
	s.kill()
	if in := record(t, dir); in.Stage != supervise.StageStarting {
		t.Fatalf("the record is %v", in)
	}
	must(t, os.Remove(filepath.Join(dir, "run")))
	fill(t, dir, map[string]string{"run": takeLock + "exec sleep 1000\n"})
	if _, err := hold(dir); !errors.Is(err, superdir.ErrRunning) {
		t.Errorf("while a process is being made the lock is free: %v", err)
	}
	goOn()
	until(t, "the lock is not given back", func() bool {
		held, err := hold(dir)
		if err == nil {
			held.Close()
		}
		return err == nil
	})
	_, pid := start(t, dir).says("up")
	// Its script has a child for a moment. A second instance would find the lock
	// taken.
	until(t, "there are other processes than the one that came up", func() bool {
		got := programs(t, dir)
		return len(got) == 1 && got[0] == pid
	})
	wantAlone(t, dir)
}
