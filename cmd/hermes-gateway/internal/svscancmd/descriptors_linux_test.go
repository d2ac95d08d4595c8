package svscancmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// descriptors are those of a process.
func descriptors(t *testing.T, pid int) string {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// What the starter of a tree has left open is not for services, and neither is
// what the tree has open itself.
func TestServicesInheritNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	read, write, err := os.Pipe()
	must(t, err)
	defer read.Close()
	defer write.Close()
	r.files = []*os.File{write, nil, read} // 4 and 6
	r.sleeper("web")
	r.script("web/log/run", "exec sleep 1000\n")
	r.start(r.scan)
	// The linker of the program may have one of its own for a moment.
	pid, got := r.began("web"), ""
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the service has the descriptors %s", got)
		}
	})
	until(t, "no descriptors but 0 1 2", func() bool {
		got = descriptors(t, pid)
		return got == "0 1 2"
	})
}

// -X is standard error of the catch-all logger alone.
func TestConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	read, write, err := os.Pipe()
	must(t, err)
	defer read.Close()
	r.files = []*os.File{write}
	r.script("web/run", "echo from web >&2\nexec sleep 1000\n")
	r.script("s6-svscan-log/run", "echo from the catch-all logger >&2\nexec sleep 1000\n")
	tr := r.start("-X", "4", r.scan)
	write.Close()
	const want = "from the catch-all logger\n"
	text := make([]byte, 100)
	if n, err := read.Read(text); err != nil || string(text[:n]) != want {
		t.Errorf("%q, %v", text[:n], err)
	}
	until(t, "what web says", func() bool { return tr.output() == "from web\n" })
}

// Numbers of the command line arrive.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r.script(name+"/run", "echo "+name+" >\"$SAID\"\nexec sleep 1000\n")
	}
	r.script("a-name-that-is-long/run", "echo long >\"$SAID\"\nexec sleep 1000\n")
	tr := r.start("-t", "20", "-C", "4", "-L", "11", r.scan)
	for range 4 {
		if name := r.heard(); len(name) != 1 {
			t.Errorf("%s was started", name)
		}
	}
	until(t, "both warnings", func() bool {
		out := tr.output()
		return strings.Contains(out, "1 service directories are not supervised") && strings.Contains(out, "a-name-that-is-long... is skipped")
	})
}

// -t looks without being told to.
func TestRescan(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start("-t", "20", r.scan)
	r.sleeper("web")
	r.began("web")
}

// -G lets a group use the tools.
func TestGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sleeper("web")
	r.start("-G", fmt.Sprint(os.Getegid()), r.scan)
	r.began("web")
	for name, want := range map[string]os.FileMode{
		"supervise": os.ModeDir | 0o710, "supervise/control": os.ModeNamedPipe | 0o620,
		"event": os.ModeDir | os.ModeSetgid | os.ModeSticky | 0o730,
	} {
		info, err := os.Stat(filepath.Join(r.scan, "web", name))
		must(t, err)
		if info.Mode() != want {
			t.Errorf("%s is %v, want %v", name, info.Mode(), want)
		}
	}
}
