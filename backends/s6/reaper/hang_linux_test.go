package reaper

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A lease lets everybody wait who opens the file, as a file system does that
// hangs, until it is given up or the kernel breaks it after 45 seconds.
func lease(t *testing.T, path string) (asked <-chan os.Signal, giveUp func()) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	c := make(chan os.Signal, 8)
	signal.Notify(c, syscall.SIGIO)
	t.Cleanup(func() { signal.Stop(c) })
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		t.Skip("no leases on this file system:", err)
	}
	return c, func() {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
			t.Error(err)
		}
	}
}

// While a program cannot be read, others are started, their ends are told, and
// Go's runtime goes on.
func TestHangingProgramHoldsUpNobody(t *testing.T) {
	for _, hanging := range []string{"run", "interpreter"} {
		t.Run(hanging, func(t *testing.T) {
			path := t.TempDir()
			dir := openDir(t, path)
			executable(t, path+"/interpreter", "#!/bin/sh\nexit 3\n")
			executable(t, path+"/run", "#!"+path+"/interpreter\n")
			r := newReaper(t)
			asked, giveUp := lease(t, path+"/"+hanging)
			exited, c := exits()
			started := make(chan error, 4)
			for range cap(started) { // more than there are threads
				go func() {
					_, err := r.Start(Spec{Path: "./run", Args: []string{"run"}, Dir: dir, Exited: exited})
					started <- err
				}()
			}
			receive(t, asked, "request to give up the lease")
			begun := time.Now()
			for i := range 20 {
				spec := sh("exit " + strconv.Itoa(i))
				other, ended := exits()
				spec.Exited = other
				start(t, r, spec)
				runtime.GC()
				if e := receive(t, ended, "exit"); e.Status.ExitStatus() != i {
					t.Errorf("exit %d: %v", i, e)
				}
			}
			if len(started) != 0 || time.Since(begun) > soon {
				t.Errorf("it did not hang, or held up the others: %d started, %v", len(started), time.Since(begun))
			}
			giveUp()
			for range cap(started) {
				if err := receive(t, started, "start"); err != nil {
					t.Error(err)
				}
				if e := receive(t, c, "exit"); e.Status.ExitStatus() != 3 {
					t.Error(e)
				}
			}
		})
	}
}
