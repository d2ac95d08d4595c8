package svscan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// leave puts files below a scan directory, as another boot has.
func leave(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		mustDo(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mustDo(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// What another boot has left is removed; what may be alive, what was not
// registered, and what is in use stays.
func TestBootCleaning(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	other := filepath.Join(filepath.Dir(dir), "elsewhere")
	const dead = "v1 run 1 1 00000000-0000-0000-0000-000000000000 1 up none\n"
	const down = "" // nothing is to start
	leave(t, dir, map[string]string{
		"slot/run": "", "slot/down": down, "slot/data/registered": "x", "slot/supervise/instance": dead,
		"logged/data/registered": "x", "logged/log/supervise/instance": dead,
		"image/run": "", "image/down": down, "image/supervise/status": "x", "image/event/x": "", "image/log/supervise/status": "x", "image/log/run": "", "image/log/down": "", "image/data/mine": "",
		".hg-new-1/run": "", ".hg-del-1/run": "", ".hg-new-held/run": "", ".other/run": "",
		"unknown/data/registered": "x", "unknown/down": down, "unknown/run": "", "unknown/supervise/instance": "v1 starting 0 1 - - up none\n",
		"odd/data/registered": "x", "odd/down": down, "odd/run": "", "odd/supervise/instance": "v9 of a later version\n",
		"held/data/registered": "x", "held/down": down, "held/run": "",
	})
	leave(t, other, map[string]string{"linked/data/registered": "x", "linked/run": "", "linked/down": down, "state/status": ""})
	mustDo(t, os.Symlink(filepath.Join(other, "linked"), filepath.Join(dir, "linked")))
	leave(t, dir, map[string]string{"links/run": "", "links/down": down})
	mustDo(t, os.Symlink(filepath.Join(other, "state"), filepath.Join(dir, "links/event")))
	mustDo(t, os.Mkdir(filepath.Join(dir, "held/supervise"), 0o700))
	held, err := os.Create(filepath.Join(dir, "held/supervise/lock"))
	mustDo(t, err)
	defer held.Close()
	mustDo(t, unix.FcntlFlock(held.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}))
	staging, err := os.Open(filepath.Join(dir, ".hg-new-held"))
	mustDo(t, err)
	defer staging.Close()
	mustDo(t, unix.Flock(int(staging.Fd()), unix.LOCK_EX|unix.LOCK_NB))

	stays := []string{"image/run", "image/down", "image/data/mine", "image/log/run", ".hg-new-held/run", ".other/run",
		"unknown/run", "odd/run", "held/run", "linked/run", "links/event/status", svscan.BootFile}
	goes := []string{"slot", "logged", "image/supervise", "image/event", "image/log/supervise", ".hg-new-1", ".hg-del-1"}
	tree := func(boot string) {
		t.Helper()
		tr := newTree(t, svscan.Options{Dir: dir, Boot: boot, Warn: func(s string) { t.Error(s) }})
		mustDo(t, tr.Close())
	}
	tree("")
	for _, name := range goes { // no boot is named
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	tree("two 2")
	for _, name := range stays {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range goes {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	leave(t, dir, map[string]string{"slot/data/registered": "x"})
	tree("two 2") // a tree that is started again
	if _, err := os.Lstat(filepath.Join(dir, "slot")); err != nil {
		t.Error(err)
	}
	tree("three 3")
	if _, err := os.Lstat(filepath.Join(dir, "slot")); err == nil {
		t.Error("the slot is there")
	}
}

// A service that outlived its tree is not started a second time by a tree that
// takes the directory for that of another boot.
func TestBootCleaningOfTheLiving(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	lives := filepath.Join(filepath.Dir(dir), "lives")
	makeService(t, dir, "web", "echo $$ >>"+lives+"; exec sleep 1000")
	for _, boot := range []string{"one", "two"} {
		in := runInside(t, svscan.Options{Dir: dir, Boot: boot, Leave: true}, nil)
		await(t, dir, "web", sm.StateUp)
		awaitLine(t, lives)
		in.end()
		leave(t, dir, map[string]string{"web/data/registered": "x"})
	}
	if text := awaitLine(t, lives); strings.Count(text, "\n") != 1 {
		t.Errorf("its lives are %q", text)
	}
}

// awaitLine waits until a service has written a line, and returns all it wrote. A
// file has no event for everybody.
func awaitLine(t *testing.T, path string) string {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(insidePatience); time.Now().Before(end); <-tick.C {
		if text, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(text), "\n") {
			return string(text)
		}
	}
	t.Fatalf("nothing is written to %s", path)
	return ""
}
