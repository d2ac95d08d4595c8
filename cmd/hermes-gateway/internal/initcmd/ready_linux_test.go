package initcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The program begins when all services are ready, if it is to wait for them.
func TestWaitReady(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	gate := filepath.Join(filepath.Dir(dir), "gate")
	write(t, filepath.Join(dir, "slow/run"), "#!/bin/sh\nuntil test -e "+gate+"; do sleep 0.01; done\necho $$ >> "+lives+"\necho >&3\nexec sleep 1000\n")
	write(t, filepath.Join(dir, "slow/notification-fd"), "3\n")
	write(t, filepath.Join(dir, "down/run"), "#!/bin/sh\nexit 0\n")
	write(t, filepath.Join(dir, "down/down"), "")
	b := start(t, setting{}, append([]string{"--scandir", dir, "--wait-ready", "--stop-within", long}, sh("wc -l < "+lives)...)...)
	awaitLives(t, b, lives, 1)
	select {
	case <-b.ended:
		t.Error("the program has not waited")
	default:
	}
	write(t, gate, "")
	if out, code := b.wait(); strings.TrimSpace(out) != "2" || code != 0 || b.stderr.Len() > 0 {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// Services that cannot be ready fail the boot, or are gone without.
func TestWaitReadyInVain(t *testing.T) {
	t.Parallel()
	slow, _ := scanDir(t, "")
	write(t, filepath.Join(slow, "web/notification-fd"), "3\n")
	given, _ := scanDir(t, "exit 125")
	write(t, filepath.Join(given, "web/notification-fd"), "3\n")
	write(t, filepath.Join(given, "web/run"), "#!/bin/sh\nexit 9\n")
	for _, c := range []struct{ dir, wait, says string }{
		{slow, "--wait-ready=100ms", "the services are not ready within 100ms"},
		{given, "--wait-ready=0", "service web has been given up: it is not started again: exit code 9"},
	} {
		words := []string{"--scandir", c.dir, c.wait, "--stop-within", long}
		b := start(t, setting{}, append(words, sh("echo ran")...)...)
		if out, code := b.wait(); out != "" || code != 125 || !strings.Contains(b.stderr.String(), c.says) {
			t.Errorf("%q, %d, %q", out, code, b.stderr.String())
		}
		b = start(t, setting{}, append(append([]string{"--hook-failure", "continue"}, words...), sh("echo ran; exit 3")...)...)
		if out, code := b.wait(); out != "ran\n" || code != 3 || !strings.Contains(b.stderr.String(), c.says) {
			t.Errorf("%q, %d, %q", out, code, b.stderr.String())
		}
	}
	// A signal that ends a boot ends this one too.
	b := start(t, setting{}, append([]string{"--scandir", slow, "--wait-ready=0", "--stop-within", long}, sh("echo ran")...)...)
	treePID(t, b, 0)
	b.signal(syscall.SIGTERM)
	if out, code := b.wait(); out != "" || code != 143 {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// Rows 57 and 87: a service without which the container must not live ends it when it
// is down for good, with its exit code; the first failure wins.
func TestRow87Essential(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		run, program string
		code         int
	}{
		{"exit 9", "exec sleep 1000", 9},
		{"kill -ABRT $$", "", 128 + 6},
		{"exec sleep 1000", "exit 3", 3},
	} {
		dir, _ := scanDir(t, "exit 125")
		write(t, filepath.Join(dir, "web/run"), "#!/bin/sh\n"+c.run+"\n")
		write(t, filepath.Join(dir, "web/essential"), "")
		words := []string{"--scandir", dir, "--stop-within", long, "--grace", long}
		if c.program != "" {
			words = append(words, sh(c.program)...)
		}
		b := start(t, setting{}, words...)
		_, code := b.wait()
		says := fmt.Sprintf("service web, which is essential, has ended for good: exit code %d", c.code)
		if code != c.code || strings.Contains(b.stderr.String(), says) != (c.code != 3) {
			t.Errorf("%+v: %d, %q", c, code, b.stderr.String())
		}
	}
	// One that is not essential ends nothing, and is no news.
	dir, _ := scanDir(t, "exit 125")
	finished := filepath.Join(filepath.Dir(dir), "finished")
	write(t, filepath.Join(dir, "web/finish"), "#!/bin/sh\necho >"+finished+"; exit 125\n")
	write(t, filepath.Join(dir, "web/run"), "#!/bin/sh\nexit 9\n")
	script := "until test -e " + finished + "; do :; done; " + asked(t, dir) + "wait web --for finished --timeout 20s; exit 4"
	if _, code := run(t, setting{}, append([]string{"--scandir", dir, "--stop-within", long}, sh(script)...)...); code != 4 {
		t.Errorf("%d", code)
	}
}

// HUP to an init without a program, before its tree takes signals, waits for it: it
// would end the tree.
func TestHangupBeforeTheTree(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	must(t, os.Chmod(dir, 0o755))
	b := start(t, setting{}, "--scandir", dir, "--grace", long, "--stop-within", long)
	treePID(t, b, 0)
	for {
		if err := syscall.Kill(b.cmd.Process.Pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(lives); err == nil && len(text) > 0 {
			break
		}
		select {
		case <-b.ended:
			t.Fatalf("it has ended, and says %q", b.stderr.String())
		default:
		}
	}
	b.signal(syscall.SIGTERM)
	if _, code := b.wait(); code != 0 || b.stderr.Len() > 0 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}
