package superdir

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// writes are all that change a record.
func writes(d *Dir) map[string]error {
	return map[string]error{
		"status":   d.WriteStatus(supervise.Status{PID: 2, Stamp: time.Now()}),
		"instance": d.WriteInstance(supervise.Instance{Stage: supervise.StageRun, PID: 2, Ticks: 2}),
		"note":     d.WriteNote(supervise.Note{Problem: "second"}),
		"death":    d.AddDeath(supervise.Death{At: time.Now(), Exit: supervise.Exited(2)}, 100),
	}
}

// fullDisk is a small file system; fill uses up what is left of it.
func fullDisk(t *testing.T) (dir string, fill func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system; the test ran as root before")
	}
	mnt := s6test.Dir(t, 0)
	if err := unix.Mount("tmpfs", mnt, "tmpfs", 0, "size=64k,mode=755"); errors.Is(err, unix.EPERM) {
		t.Skip("root may not mount here: ", err)
	} else {
		must(t, err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(mnt, unix.MNT_DETACH)) })
	dir = filepath.Join(mnt, "web")
	must(t, os.Mkdir(dir, 0o755))
	return dir, func() {
		if err := os.WriteFile(filepath.Join(mnt, "ballast"), make([]byte, 1<<20), 0o644); !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("the file system is not full: %v", err)
		}
	}
}

// On a full disk every write is an error that says so, the old records stay
// whole, and when there is room again all is well.
func TestFullDisk(t *testing.T) {
	dir, fill := fullDisk(t)
	d := open(t, dir)
	must(t, d.WriteStatus(supervise.Status{PID: 1}))
	must(t, d.WriteInstance(supervise.Instance{Stage: supervise.StageRun, PID: 1, Ticks: 1}))
	must(t, d.WriteNote(supervise.Note{Problem: "first"}))
	must(t, d.AddDeath(supervise.Death{Exit: supervise.Exited(1)}, 100))
	fill()
	before := records(t, dir)
	for name, err := range writes(d) {
		if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := records(t, dir); now != before {
		t.Errorf("the records are %q now, were %q", now, before)
	}
	must(t, d.SetDown(true)) // an inode, no block
	d.Notify("u")
	must(t, os.Remove(filepath.Join(filepath.Dir(dir), "ballast")))
	for name, err := range writes(d) {
		if err != nil {
			t.Errorf("%s, with room again: %v", name, err)
		}
	}
}

// records is all that is in supervise/, names and contents.
func records(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "supervise"))
	must(t, err)
	var all bytes.Buffer
	for _, e := range entries {
		all.WriteString(e.Name() + ":")
		if e.Type().IsRegular() {
			b, err := os.ReadFile(filepath.Join(dir, "supervise", e.Name()))
			must(t, err)
			all.Write(b)
		}
	}
	return all.String()
}

// Where nothing may be written, every write says so.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; what is open for writing cannot be made read-only")
	}
	dir := service(t)
	d := open(t, dir)
	must(t, os.Chmod(filepath.Join(dir, "supervise"), 0o500))
	must(t, os.Chmod(dir, 0o500))
	got := writes(d)
	got["down"] = d.SetDown(true)
	for name, err := range got {
		if !errors.Is(err, unix.EACCES) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.Notify("u")
	wantTool(t, 0, "s6-svok", dir)
}

// Somebody removes supervise/ and event/ under us.
func TestDirectoriesRemoved(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	must(t, os.RemoveAll(filepath.Join(dir, "supervise")))
	must(t, os.RemoveAll(filepath.Join(dir, "event")))
	for name, err := range writes(d) {
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(dir, "supervise")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, d.WriteNote(supervise.Note{})) // nothing to say, nowhere to say it
	d.Notify("u")
	// Nor is a link in their place followed.
	outside := s6test.Dir(t, os.Geteuid())
	must(t, os.Symlink(outside, filepath.Join(dir, "supervise")))
	must(t, os.Symlink(outside, filepath.Join(dir, "event")))
	for name, err := range writes(d) {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	d.Notify("u")
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("a link was followed: %v", left)
	}
	must(t, d.Close())
}

// What lies where a record is built aside is removed and never written to: a
// leftover, a link, a FIFO somebody reads, a second name of a file.
func TestLeftoversAside(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	aside := filepath.Join(dir, "supervise/status.new")
	outside := filepath.Join(filepath.Dir(dir), "precious")
	must(t, os.WriteFile(outside, []byte("kept"), 0o600))
	for what, put := range map[string]func() error{
		"file":      func() error { return os.WriteFile(aside, bytes.Repeat([]byte("x"), 100), 0o444) },
		"link":      func() error { return os.Symlink(outside, aside) },
		"hard link": func() error { return os.Link(outside, aside) },
		"FIFO":      func() error { return unix.Mkfifo(aside, 0o600) },
		"directory": func() error { return os.Mkdir(aside, 0o700) },
	} {
		must(t, put())
		if what == "FIFO" {
			r, err := unix.Open(aside, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			must(t, err)
			defer unix.Close(r)
		}
		if err := d.WriteStatus(supervise.Status{PID: 4711}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got := d.LastStatus(); got.PID != 4711 {
			t.Errorf("%s: the record is %+v", what, got)
		}
		if b, _ := os.ReadFile(outside); string(b) != "kept" {
			t.Errorf("%s: the file elsewhere holds %q", what, b)
		}
		must(t, os.Remove(filepath.Join(dir, "supervise/status")))
	}
}
