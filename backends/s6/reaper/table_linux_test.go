package reaper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The threads that fork have a table of their own, and with it copies of
// nothing: who waits for the end of a pipe gets it.
func TestForkThreadsKeepNothingOpen(t *testing.T) {
	r := newReaper(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if out, exit, err := output(r, Spec{Path: "/bin/echo", Args: []string{"echo", "hello"}, Dir: -1}); err != nil || exit != (Exit{}) || out != "hello\n" {
		t.Fatalf("%q, %v, %v", out, exit, err)
	}
	th := <-r.forks.idle
	own := th.send >= 0
	r.forks.idle <- th
	if !own && os.Getenv(asOldKernel) == "" {
		t.Fatal("the thread has no table of its own")
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	read.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := read.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a pipe that was closed: %v, want its end", err)
	}
}

// All descriptors of a process arrive where they are to be, also if one is at
// several places and many are open here.
func TestManyDescriptorsAreHandedOver(t *testing.T) {
	r := newReaper(t)
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	spec := Spec{Path: "/bin/sh", Dir: -1, Files: []int{-1, -1, -1}}
	script := ""
	for i := 3; i < 10; i++ {
		fd, err := unix.MemfdCreate(fmt.Sprint("file", i), unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "")
		files = append(files, f)
		fmt.Fprint(f, i)
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		spec.Files = append(spec.Files, fd)
		script += fmt.Sprintf("cat <&%d; ", i)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	spec.Files[1], spec.Files[2] = int(write.Fd()), int(write.Fd())
	spec.Args = []string{"sh", "-c", script + "echo; ls /proc/self/fd | wc -l >&2"}
	_, err = r.Start(spec)
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(read)
	// ls has 1 to 9 and what it lists.
	if err != nil || string(out) != "3456789\n10\n" {
		t.Errorf("%q, %v", out, err)
	}
}
