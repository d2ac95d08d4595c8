package logpool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
)

// smallDisk mounts a file system of so many bytes and fills it with a file, which
// empty removes.
func smallDisk(t *testing.T, size string) (dir string, empty func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir = t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "mode=755,size="+size); errors.Is(err, unix.EPERM) {
		t.Skip("this root cannot mount")
	} else {
		must(t, err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	ballast := filepath.Join(dir, "ballast")
	return dir, func() { must(t, os.Remove(ballast)) }
}

// fill leaves no room on a disk.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	must(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// On a full disk a log waits with its service, the others go on, and once there
// is room everything is written, once.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk, empty := smallDisk(t, "8m")
	root := t.TempDir()
	full := logDir(t, filepath.Join(root, "full"), "r20", "n1000", "s100000", filepath.Join(disk, "log"))
	other := logDir(t, filepath.Join(root, "other"), "./main")
	p := start(t, nil)
	p.add("full", full)
	p.add("other", other)
	fill(t, disk)
	text := numbered(0, 2<<20)
	written := make(chan error, 1)
	s, o := service(t, full), service(t, other)
	go func() {
		_, err := s.WriteString(text)
		written <- err
	}()
	p.answers.wants(t, `blocked "full" "`)
	p.answers.wants(t, "no space left on device")
	until(t, "a full FIFO", func() bool { return unread(t, s) > 60<<10 })
	for i := range 100 {
		fmt.Fprintf(o, "other %d\n", i)
		shows(t, filepath.Join(other, "main"), fmt.Sprintf("other %d\n", i))
	}
	p.send(wire.Rotate, "full") // which cannot help
	empty()
	must(t, <-written)
	p.wants(wire.Flows, "full")
	p.finish()
	if got := content(t, filepath.Join(disk, "log")); got != text {
		t.Errorf("%d bytes of %d", len(got), len(text))
	}
}

// Killed while the disk is full, it has lost nothing either.
func TestKilledOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk, empty := smallDisk(t, "4m")
	dir := logDir(t, t.TempDir(), "r20", "n1000", "s100000", filepath.Join(disk, "log"))
	const kills = 5
	p := start(t, nil)
	p.add("full", dir)
	fill(t, disk)
	s := service(t, dir)
	text := numbered(0, 1<<20)
	written := make(chan error, 1)
	go func() {
		_, err := s.WriteString(text)
		written <- err
	}()
	for range kills {
		p.answers.wants(t, `blocked "full" "`)
		p.kill()
		p = start(t, nil)
		p.send(wire.Add, "full", dir)
	}
	empty()
	must(t, <-written)
	p.finish()
	check(t, content(t, filepath.Join(disk, "log")), len(text), kills)
}

// A drain on a full disk is over when there is room, or when it is given up; what
// is in the FIFO stays there then.
func TestDrainOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk, empty := smallDisk(t, "4m")
	root := t.TempDir()
	p := start(t, nil)
	text := numbered(0, 50<<10)
	services := map[string]*os.File{}
	for _, id := range []string{"waits", "given up", "to the end"} {
		dir := logDir(t, filepath.Join(root, id), "r20", filepath.Join(disk, id))
		p.add(id, dir)
		services[id] = service(t, dir)
	}
	fill(t, disk)
	for id, s := range services {
		fmt.Fprint(s, text)
		p.answers.wants(t, fmt.Sprintf("blocked %q ", id))
	}
	p.send(wire.Drain, "given up")
	p.send(wire.Remove, "given up")
	p.answers.wants(t, fmt.Sprintf(`drained "given up" "%d" "`, unread(t, services["given up"])))
	if n := unread(t, services["given up"]); n == 0 {
		t.Error("nothing stays in the FIFO")
	}
	p.send(wire.Drain, "waits")
	// The end of the tree: what cannot be written does not keep the process.
	began := time.Now()
	must(t, p.in.Close())
	if code := p.ended(); code != exitLeft {
		t.Errorf("exit %d: %s", code, p.stderr.text())
	}
	if took := time.Since(began); took < endGrace {
		t.Errorf("it gives up after %v", took)
	}
	p.stderr.wants(t, "to the end: could not be written before the end")
	empty()
	p = start(t, nil)
	for id := range services {
		p.add(id, filepath.Join(root, id))
	}
	p.finish()
	for id := range services {
		check(t, content(t, filepath.Join(disk, id)), len(text), 1)
	}
}

// Of linux/fs.h.
const (
	fiFreeze = 0xc0045877
	fiThaw   = 0xc0045878
)

// frozenDisk mounts an ext4 of its own; freeze has all writes to it wait until
// thaw.
func frozenDisk(t *testing.T) (dir string, freeze, thaw func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	image := filepath.Join(t.TempDir(), "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 16<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v %s", err, out)
	}
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Skipf("this root cannot mount: %v %s", err, out)
	}
	mount, err := os.Open(dir)
	must(t, err)
	frozen := false
	thaw = func() {
		if frozen {
			must(t, unix.IoctlSetInt(int(mount.Fd()), fiThaw, 0))
			frozen = false
		}
	}
	t.Cleanup(func() {
		thaw()
		mount.Close()
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	freeze = func() {
		must(t, unix.IoctlSetInt(int(mount.Fd()), fiFreeze, 0))
		frozen = true
	}
	return dir, freeze, thaw
}

// A volume that hangs holds up its own services, whatever is asked of them, and
// nobody else.
func TestHungVolume(t *testing.T) {
	t.Parallel()
	disk, freeze, thaw := frozenDisk(t)
	root := t.TempDir()
	p := start(t, nil)
	text := numbered(0, 200<<10)
	var hung []*os.File
	written := make(chan error, 3)
	for i := range 3 {
		dir := logDir(t, filepath.Join(root, fmt.Sprint(i)), "s1000000", filepath.Join(disk, fmt.Sprint(i)))
		p.add(fmt.Sprint(i), dir)
		hung = append(hung, service(t, dir))
	}
	late := logDir(t, filepath.Join(root, "late"), filepath.Join(disk, "late"))
	other := logDir(t, filepath.Join(root, "other"), "./main")
	p.add("other", other)
	freeze()
	for _, s := range hung {
		go func() {
			_, err := s.WriteString(text)
			written <- err
		}()
	}
	p.send(wire.Add, "late", late)
	for _, s := range hung {
		until(t, "a full FIFO", func() bool { return unread(t, s) > 60<<10 })
	}
	for i := range 3 {
		for _, verb := range []string{wire.Rotate, wire.Stop, wire.Cont} {
			p.send(verb, fmt.Sprint(i))
		}
	}
	p.send(wire.Drain, "0")
	o := service(t, other)
	for i := range 100 {
		fmt.Fprintf(o, "other %d\n", i)
		shows(t, filepath.Join(other, "main"), fmt.Sprintf("other %d\n", i))
	}
	p.send(wire.Drain, "other")
	p.wants(wire.Drained, "other", "0", "")
	if strings.Contains(p.answers.text(), `drained "0"`) {
		t.Error("it is said to be drained while its volume hangs")
	}
	thaw()
	p.answers.wants(t, `drained "0"`)
	p.wants(wire.Opened, "late")
	p.send(wire.Add, "0", filepath.Join(root, "0")) // the rest
	for range hung {
		must(t, <-written)
	}
	p.finish()
	for i := range hung {
		if got := content(t, filepath.Join(disk, fmt.Sprint(i))); got != text {
			t.Errorf("volume %d: %d bytes of %d", i, len(got), len(text))
		}
	}
}
