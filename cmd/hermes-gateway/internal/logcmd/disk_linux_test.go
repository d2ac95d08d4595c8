package logcmd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "mode=755,size="+size); errors.Is(err, unix.EPERM) {
		t.Skip("this root cannot mount")
	} else {
		must(t, err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// On a full disk the service waits, no line is lost, and once there is space
// again everything is written.
func TestFullDisk(t *testing.T) {
	for _, args := range []string{"r20 n1000 s20000 T ./log", "-b r20 n1000 s20000 T ./log", "-b r20 n1000 s4096 l0 ./log"} {
		t.Run(args, func(t *testing.T) {
			dir := smallDisk(t, "4m")
			ballast := filepath.Join(dir, "ballast")
			must(t, os.WriteFile(ballast, make([]byte, 3700<<10), 0o600))
			l := ours(t).start(t, dir, nil, strings.Fields(args)...)
			text := numbered(20000, 80) // 1.8 MB
			written := make(chan error, 1)
			go func() {
				_, err := l.in.WriteString(text)
				l.in.Close()
				written <- err
			}()
			l.stderr.wants(t, "no space left on device")
			until(t, "a full pipe", func() bool { return unread(l.in) > 60<<10 })
			l.signal(syscall.SIGALRM) // which cannot help
			must(t, os.Remove(ballast))
			must(t, <-written)
			if code := l.wait(); code != 0 {
				t.Errorf("exit %d", code)
			}
			got := stampText.ReplaceAllString(content(t, filepath.Join(dir, "log")), "")
			if got != text {
				t.Errorf("%d bytes of %d", len(got), len(text))
			}
			checkLayout(t, filepath.Join(dir, "log"))
		})
	}
}

// A logger that is told to end while the disk is full ends when it has written
// everything.
func TestEndOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "1m")
	ballast := filepath.Join(dir, "ballast")
	l := ours(t).start(t, dir, nil, "r20", "./log")
	_ = os.WriteFile(ballast, make([]byte, 2<<20), 0o600) // as much as there is
	l.write(numbered(200, 80))
	l.stderr.wants(t, "no space left on device")
	l.signal(syscall.SIGTERM)
	must(t, os.Remove(ballast))
	if code := l.wait(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if got := content(t, filepath.Join(dir, "log")); got != numbered(200, 80) {
		t.Errorf("%d bytes", len(got))
	}
	checkLayout(t, filepath.Join(dir, "log"))
}

// A directory that is not writable for a while holds up the service and loses
// nothing.
func TestUnwritableForAWhile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can write everywhere")
	}
	dir := t.TempDir()
	l := ours(t).start(t, dir, nil, "-b", "r20", "n1000", "s4096", "./log")
	log := filepath.Join(dir, "log")
	l.write("a\n")
	l.shows("a\n")
	must(t, os.Chmod(log, 0o500))
	text := numbered(20000, 80)
	written := make(chan error, 1)
	go func() {
		_, err := l.in.WriteString(text)
		l.in.Close()
		written <- err
	}()
	l.stderr.wants(t, "permission denied")
	must(t, os.Chmod(log, 0o700))
	must(t, <-written)
	if code := l.wait(); code != 0 || content(t, log) != "a\n"+text {
		t.Errorf("exit %d, %d bytes of %d", code, len(content(t, log)), len(text)+2)
	}
	checkLayout(t, log)
}

// s6-log is refused where ours is at work, and the other way round.
func TestOnlyOneLogger(t *testing.T) {
	for _, order := range [][2]program{{ours(t), real(t)}, {real(t), ours(t)}, {ours(t), ours(t)}} {
		dir := t.TempDir()
		first := order[0].start(t, dir, nil, "./log")
		second := order[1].command(dir, "./log")
		out, _ := second.CombinedOutput()
		if code := second.ProcessState.ExitCode(); code != 111 {
			t.Errorf("%s beside %s: exit %d, %s", order[1].name, order[0].name, code, out)
		}
		first.write("a\n")
		must(t, first.in.Close())
		if code := first.wait(); code != 0 || content(t, filepath.Join(dir, "log")) != "a\n" {
			t.Errorf("exit %d of the first", code)
		}
		// A kill ends the lock.
		third := order[1].start(t, dir, nil, "./log")
		must(t, third.cmd.Process.Kill())
		third.wait()
		fourth := order[0].start(t, dir, nil, "./log")
		must(t, fourth.in.Close())
		if code := fourth.wait(); code != 0 {
			t.Errorf("exit %d after a kill", code)
		}
	}
}
