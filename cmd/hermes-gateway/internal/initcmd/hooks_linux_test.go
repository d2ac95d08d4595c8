package initcmd

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hookDir is a directory that only this user can write, and nobody above it: as
// root, hooks must be in one.
func hookDir(t *testing.T, hooks ...string) string {
	t.Helper()
	above := ""
	if os.Geteuid() == 0 {
		above = "/var/lib"
	}
	dir, err := os.MkdirTemp(above, "hooks")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	for len(hooks) > 1 {
		write(t, filepath.Join(dir, hooks[0]), "#!/bin/sh\n"+hooks[1]+"\n")
		hooks = hooks[2:]
	}
	return dir
}

// Row 86: one after the other in lexical order, each with the caller's
// environment, before the services and the program.
func TestRow86BootHooks(t *testing.T) {
	t.Parallel()
	scan, lives := scanDir(t, "")
	dir := hookDir(t,
		"20-second", "echo second $FOR_HOOKS; pwd",
		"10-first", "sleep 0.05; test ! -e "+lives+" && echo first; cat; read -r _ _ _ _ group _ </proc/$$/stat; test $group = $$ && echo leads",
		".hidden", "echo hidden",
	)
	b := start(t, setting{env: append(os.Environ(), "FOR_HOOKS=a b")},
		append([]string{"-v", "--hooks", dir, "--scandir", scan, "--stop-within", long}, sh("echo program")...)...)
	if out, code := b.wait(); out != "program\n" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
	said := b.stderr.String()
	if !strings.HasPrefix(said, "first\nleads\n") || strings.Contains(said, "hidden") || !strings.Contains(said, "second a b\n/\n") {
		t.Errorf("it says %q", said)
	}
	for _, want := range []string{"hook " + dir + "/10-first took ", "hook " + dir + "/20-second took "} {
		if !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q", said, want)
		}
	}
}

// Row 57: a hook that fails stops the boot, unless it was asked to go on.
func TestRow57HookFails(t *testing.T) {
	t.Parallel()
	for how, failing := range map[string]string{
		"failed after ":     "exit 3",
		"killed by killed":  "kill -KILL $$",
		"was killed after ": "sleep 1000 & sleep 1000",
	} {
		dir := hookDir(t, "1", failing, "2", "echo two")
		ended := hookDir(t, "1", "echo ended with $1")
		words := append([]string{"--hooks", dir, "--finish-hooks", ended, "--hook-timeout", "3s"}, sh("echo program")...)
		b := start(t, setting{}, words...)
		out, code := b.wait()
		if said := b.stderr.String(); code != 125 || out != "" || !strings.Contains(said, "boot stopped: hook "+dir+"/1 ") ||
			!strings.Contains(said, how) || strings.Contains(said, "two") || !strings.Contains(said, "ended with 125\n") {
			t.Errorf("%s: %q, %d, %q", failing, out, code, said)
		}
		b = start(t, setting{}, append([]string{"--hook-failure", "continue"}, words...)...)
		out, code = b.wait()
		if said := b.stderr.String(); code != 0 || out != "program\n" || !strings.Contains(said, how) || !strings.Contains(said, "two\n") {
			t.Errorf("%s, and on: %q, %d, %q", failing, out, code, said)
		}
	}
}

// What cannot work is refused before anything runs.
func TestHooksRefused(t *testing.T) {
	t.Parallel()
	dir := hookDir(t, "1", "echo one")
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"plain":       {"#!/bin/sh\n", 0o644, "is not executable"},
		"execline":    {"#!/command/execlineb -P\n", 0o755, `there is no "/command/execlineb"`},
		"from-dos":    {"#!/bin/sh\r\necho\r\n", 0o755, `there is no "/bin/sh\r"`},
		"others":      {"#!/bin/sh\n", 0o777, "others than root can write "},
		"others.user": {"#!/bin/sh\n", 0o777, ""},
	} {
		path := write(t, filepath.Join(dir, name), c.text)
		must(t, os.Chmod(path, c.mode))
		b := start(t, setting{}, append([]string{"--hooks", dir}, sh("echo program")...)...)
		out, code := b.wait()
		want, fails := c.want, c.want != ""
		if c.mode == 0o777 && os.Geteuid() != 0 {
			want, fails = "", false
		}
		if said := b.stderr.String(); fails != (code == 125) || fails == (out == "program\n") || fails == strings.Contains(said, "one") || !strings.Contains(said, want) {
			t.Errorf("%s: %q, %d, %q", name, out, code, said)
		}
		must(t, os.Remove(path))
	}
	b := start(t, setting{}, append([]string{"--hooks", "/nonexistent"}, sh("echo program")...)...)
	if out, code := b.wait(); code != 125 || out != "" || !strings.Contains(b.stderr.String(), "/nonexistent") {
		t.Errorf("no directory: %q, %d, %q", out, code, b.stderr.String())
	}
}

// As root, what somebody else could change is not run as root.
func TestHooksOfOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("about root")
	}
	real := hookDir(t, "1", "echo one")
	foreign := t.TempDir() // below a directory of everybody
	must(t, os.Symlink(real, filepath.Join(foreign, "link")))
	own := hookDir(t)
	must(t, os.Symlink(real, filepath.Join(own, "link")))
	must(t, os.Symlink(filepath.Join(foreign, "link"), filepath.Join(own, "indirect")))
	for path, fine := range map[string]bool{
		real: true, filepath.Join(own, "link"): true,
		filepath.Join(foreign, "link"): false, filepath.Join(own, "indirect"): false,
	} {
		err := thisImage().OnlyRoots(filepath.Join(path, "1"))
		if (err == nil) != fine {
			t.Errorf("%s: %v", path, err)
		}
	}
	must(t, os.Chown(filepath.Join(real, "1"), 10000, 10000))
	if err := thisImage().OnlyRoots(filepath.Join(real, "1")); err == nil || !strings.Contains(err.Error(), "does not belong to root") {
		t.Errorf("a file of another: %v", err)
	}
}

// Only hooks that are marked so run as the user.
func TestHookAsUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("about root")
	}
	dir := hookDir(t, "1", "id -u", "2.user", "id -u")
	b := start(t, setting{}, append([]string{"--user", "10000:10000", "--hooks", dir}, sh("id -u")...)...)
	if out, code := b.wait(); out != "10000\n" || code != 0 || b.stderr.String() != "0\n10000\n" {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// TERM while a hook runs ends it and everything; the program is never there.
func TestStopWhileBooting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sig  syscall.Signal
		hook string
	}{
		{syscall.SIGTERM, "echo here >&2; exec sleep 1000"},
		{syscall.SIGINT, "echo here >&2; exec sleep 1000"},
		{syscall.SIGTERM, "trap '' TERM; echo here >&2; sleep 1000 & sleep 1000; sleep 1000"},
	} {
		dir := hookDir(t, "1", c.hook, "2", "echo two")
		b := start(t, setting{}, append([]string{"--hooks", dir, "--grace", "300ms", "--stop-within", long}, sh("echo program")...)...)
		b.awaitWords("here")
		b.signal(c.sig)
		if out, code := b.wait(); out != "" || code != 143 || strings.Contains(b.stderr.String(), "two") {
			t.Errorf("%v, %q: %q, %d, %q", c.sig, c.hook, out, code, b.stderr.String())
		}
	}
}

// A signal that is not for the boot is kept for the program.
func TestSignalWhileBooting(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "go")
	must(t, syscall.Mkfifo(fifo, 0o666))
	must(t, os.Chmod(filepath.Dir(fifo), 0o755))
	dir := hookDir(t, "1", "echo here >&2; read -r x <"+fifo)
	b := start(t, setting{}, append([]string{"--hooks", dir}, sh("exec sleep 1000")...)...)
	b.awaitWords("here")
	b.signal(syscall.SIGUSR1)
	must(t, os.WriteFile(fifo, []byte("go\n"), 0))
	if _, code := b.wait(); code != 128+int(syscall.SIGUSR1) {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}

// At the end, after the services: with the exit code, and in order.
func TestFinishHooks(t *testing.T) {
	t.Parallel()
	scan, lives := scanDir(t, "echo finished >> $PWD/../../finished")
	finished := filepath.Join(filepath.Dir(scan), "finished")
	dir := hookDir(t, "2", "exit 9", "1", "cat "+finished+"; echo code $1")
	b := start(t, setting{}, append([]string{"--finish-hooks", dir, "--map", "7=6", "--scandir", scan, "--stop-within", long},
		sh("until test -e "+lives+"; do :; done; exit 7")...)...)
	if out, code := b.wait(); code != 6 || out != "" || !strings.HasPrefix(b.stderr.String(), "finished\ncode 6\n") ||
		!strings.Contains(b.stderr.String(), "hook "+dir+"/2 failed after ") {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// Row 69: one that hangs is killed at its own limit, and at the end of all.
func TestRow69FinishHookHangs(t *testing.T) {
	t.Parallel()
	hangs := "trap '' TERM; sleep 1000 & sleep 1000; sleep 1000"
	for limit, words := range map[string][]string{
		"its own": {"--finish-timeout", "3s", "--stop-within", long},
		"of all":  {"--finish-timeout", long, "--stop-within", "500ms"},
	} {
		dir := hookDir(t, "1", hangs, "2", "echo two")
		began := time.Now()
		b := start(t, setting{}, append(append([]string{"--finish-hooks", dir}, words...), sh("exit 4")...)...)
		_, code := b.wait()
		said := b.stderr.String()
		if code != 4 || !strings.Contains(said, "hook "+dir+"/1 was killed after ") || strings.Contains(said, "two\n") != (limit == "its own") {
			t.Errorf("%s: %d after %v, %q", limit, code, time.Since(began), said)
		}
	}
}
