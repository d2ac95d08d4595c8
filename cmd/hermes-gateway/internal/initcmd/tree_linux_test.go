package initcmd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// scanDir has one service that says its number in a file each time it starts.
func scanDir(t *testing.T, finish string) (dir, lives string) {
	t.Helper()
	root := t.TempDir()
	dir, lives = filepath.Join(root, "scan"), filepath.Join(root, "lives")
	write(t, filepath.Join(dir, "web/run"), "#!/bin/sh\necho $$ >> "+lives+"\nexec sleep 1000\n")
	if finish != "" {
		write(t, filepath.Join(dir, "web/finish"), "#!/bin/sh\n"+finish+"\n")
	}
	must(t, os.Chmod(dir, 0o755))
	return dir, lives
}

// asked is what the command says of the service in there.
func asked(t *testing.T, dir string) string {
	return fmt.Sprintf("%s --scandir %s ", s6test.Binary(t), dir)
}

func TestTreeBesideTheProgram(t *testing.T) {
	t.Parallel()
	finished := filepath.Join(t.TempDir(), "finished")
	dir, lives := scanDir(t, "echo finished >> "+finished)
	script := "until " + asked(t, dir) + "status web > /dev/null 2>&1; do :; done; " + asked(t, dir) + "wait web --for up --timeout 20s; exit 3"
	out, code := run(t, setting{}, append([]string{"--scandir", dir, "--stop-within", long}, sh(script)...)...)
	if text, err := os.ReadFile(lives); code != 3 || err != nil || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%q, %d, %q, %v", out, code, text, err)
	}
	if text, err := os.ReadFile(finished); err != nil || string(text) != "finished\n" {
		t.Errorf("the service's finish: %q, %v", text, err)
	}
}

// Row 44: without a program the signals are for the tree.
func TestRow44OnlyATree(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPWR, 37, syscall.SIGUSR1, syscall.SIGUSR2} {
		dir, lives := scanDir(t, "")
		b := start(t, setting{}, "--scandir", dir, "--grace", long, "--stop-within", long)
		awaitLives(t, b, lives, 1)
		b.signal(syscall.SIGWINCH)
		if sig == syscall.SIGTERM { // HUP looks at the scan directory
			write(t, filepath.Join(dir, ".new/run"), "#!/bin/sh\necho $$ >> "+lives+"\nexec sleep 1000\n")
			must(t, os.Rename(filepath.Join(dir, ".new"), filepath.Join(dir, "new")))
			b.signal(syscall.SIGHUP)
			awaitLives(t, b, lives, 2)
		}
		b.signal(sig)
		if _, code := b.wait(); code != 0 || b.stderr.Len() > 0 {
			t.Errorf("%v: %d, %q", sig, code, b.stderr.String())
		}
	}
}

// awaitLives waits until services have been started so often. It looks again
// and again, as a file has no event for everybody.
func awaitLives(t *testing.T, b *box, lives string, n int) []string {
	t.Helper()
	cmd := exec.Command("timeout", "30", "sh", "-c", fmt.Sprintf(`until test "$(wc -l < %s 2> /dev/null)" -ge %d 2> /dev/null; do :; done`, lives, n))
	if err := cmd.Run(); err != nil {
		t.Fatalf("no %d lives: %v; it says %q", n, err, b.stderr.String())
	}
	text, err := os.ReadFile(lives)
	must(t, err)
	return strings.Fields(string(text))
}

// The tree is killed: its services live on and are never there twice, the tree
// comes back, and the program notices nothing.
func TestTreeIsKilled(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	script := `trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done`
	b := start(t, setting{}, append([]string{"--scandir", dir, "--grace", long, "--stop-within", long}, sh(script)...)...)
	b.want("ready")
	awaitLives(t, b, lives, 1)
	for range 3 {
		before := treePID(t, b, 0)
		must(t, syscall.Kill(before, syscall.SIGKILL))
		treePID(t, b, before)
		up := asked(t, dir) + "wait web --for up --timeout 20s" // once the tree takes commands
		out, err := exec.Command("timeout", "30", "sh", "-c", "until "+up+"; do :; done").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	b.signal(syscall.SIGUSR1)
	_, code := b.wait()
	if text, err := os.ReadFile(lives); code != 7 || err != nil || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%d, lives %q, %v", code, text, err)
	}
	if said := b.stderr.String(); strings.Count(said, "the supervision tree died: killed by killed; it is started again in") != 3 {
		t.Errorf("%q", said)
	}
}

// treePID finds the tree among the children of the init: another than before.
func treePID(t *testing.T, b *box, before int) int {
	t.Helper()
	script := fmt.Sprintf(`while :; do for p in $(cat /proc/%[1]d/task/*/children 2> /dev/null); do
		if test $p != %[2]d && tr '\0' ' ' < /proc/$p/cmdline 2> /dev/null | grep -q ' svscan '; then echo $p; exit; fi; done; done`, b.cmd.Process.Pid, before)
	out, err := exec.Command("timeout", "30", "sh", "-c", script).Output()
	if err != nil {
		t.Fatalf("no tree: %v; it says %q", err, b.stderr.String())
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	must(t, err)
	return pid
}

// A tree that cannot run: with a program that goes on, without one that is the end.
func TestTreeCannotRun(t *testing.T) {
	t.Parallel()
	dir, _ := scanDir(t, "")
	must(t, os.Chmod(dir, 0o777))
	b := start(t, setting{}, "--scandir", dir)
	if _, code := b.wait(); code != 125 || !strings.Contains(b.stderr.String(), dir) {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
	b = start(t, setting{}, append([]string{"--scandir", dir}, sh("trap 'exit 4' USR1; echo ready; while :; do sleep 0.01; done")...)...)
	b.want("ready")
	b.awaitWords("cannot run")
	b.signal(syscall.SIGUSR1)
	if _, code := b.wait(); code != 4 {
		t.Errorf("%d", code)
	}
}

// With --user everything but the init itself runs as that user, and nothing of
// root's is left.
func TestUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		out, code := run(t, setting{}, append([]string{"--user", "12345"}, sh("id -u")...)...)
		if want := fmt.Sprintf("%d\n", os.Geteuid()); out != want || code != 0 {
			t.Errorf("who is not root stays who they are: %q, %d", out, code)
		}
		return
	}
	script := `id -u; id -g; id -G; grep '^Cap[EP]' /proc/self/status; grep NoNewPrivs /proc/self/status; echo $HOME $USER $LOGNAME`
	s := setting{env: []string{"PATH=/bin:/usr/bin", "HOME=/root"}, through: []string{"/usr/bin/setpriv", "--groups", "0,4,777", "--"}}
	out, code := run(t, s, append([]string{"--user", "12345:54321", "--no-new-privs"}, sh(script)...)...)
	want := "12345\n54321\n54321 4 777\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n/ 12345 12345\n"
	if out != want || code != 0 {
		t.Errorf("%q, %d, want %q", out, code, want)
	}
	b := start(t, setting{through: []string{"/usr/bin/setpriv", "--bounding-set=-setgid,-setuid", "--inh-caps=-all", "--"}}, append([]string{"--user", "12345"}, sh("echo ran")...)...)
	if out, code := b.wait(); out != "" || code != 125 {
		t.Errorf("without the right to become the user: %q, %d, %q", out, code, b.stderr.String())
	}
}

// Row 77: a container that is started again with the same file system. What was
// registered in its life before does not come up unasked, what the image has does.
func TestRow77StartedAgain(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	words := []string{"--scandir", dir, "--grace", long, "--stop-within", long}
	do := func(what string) string {
		out, err := exec.Command("sh", "-c", asked(t, dir)+what).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v, %s", what, err, out)
		}
		return string(out)
	}
	for _, killed := range []bool{true, false} {
		b := start(t, setting{}, words...)
		awaitLives(t, b, lives, 1)
		if got := do("list --exact"); got != "web\n" {
			t.Errorf("services: %q", got)
		}
		do("register slot --exact --up --log-dir none -- sleep 1000")
		if killed {
			must(t, b.cmd.Process.Kill())
		} else {
			b.signal(syscall.SIGTERM)
		}
		b.wait()
		must(t, os.Remove(lives))
		if _, err := os.Stat(filepath.Join(dir, "slot/run")); err != nil {
			t.Error(err) // it stays until somebody begins anew
		}
	}
	b := start(t, setting{}, words...)
	awaitLives(t, b, lives, 1)
	if got := do("list --exact"); got != "web\n" {
		t.Errorf("services: %q", got)
	}
}

// Row 77: the container before was killed while it started a service, and its pid
// namespace had the number that ours has.
func TestRow77SameNamespaceNumber(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	for file, text := range map[string]string{"run": "", "down": "", "data/registered": "x"} {
		write(t, filepath.Join(dir, "slot", file), text)
	}
	must(t, os.MkdirAll(filepath.Join(dir, "slot/supervise"), 0o700))
	record := `set -e; ns=$(stat -L -c %i /proc/self/ns/pid); set -- $(sed 's/.*) //' /proc/1/stat) "$@"; began=${20}; shift 50
echo "v1 starting 0 $((began - 1)) $(cat /proc/sys/kernel/random/boot_id) $ns up none" > ` + filepath.Join(dir, "slot/supervise/instance") + `
exec "$@"`
	b := start(t, setting{through: []string{"/bin/sh", "-c", record, "sh"}}, "--scandir", dir, "--grace", long, "--stop-within", long)
	awaitLives(t, b, lives, 1)
	if _, err := os.Stat(filepath.Join(dir, "slot")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the slot is there: %v, it says %q", err, b.stderr.String())
	}
}

// Services of an image: copied by the tree into a scan directory that it makes.
func TestServices(t *testing.T) {
	t.Parallel()
	from, lives := scanDir(t, "")
	dir := filepath.Join(filepath.Dir(from), "run")
	must(t, os.Mkdir(dir, 0o755))
	b := start(t, setting{}, "--scandir", dir, "--services", from, "--grace", long, "--stop-within", long)
	awaitLives(t, b, lives, 1)
	if _, err := os.Stat(filepath.Join(dir, "web/data/copied")); err != nil {
		t.Error(err)
	}
	b.signal(syscall.SIGTERM)
	if _, code := b.wait(); code != 0 || b.stderr.Len() > 0 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
	b = start(t, setting{}, append([]string{"--services", filepath.Join(dir, "absent")}, sh("echo program")...)...)
	if out, code := b.wait(); code != 125 || out != "" || !strings.Contains(b.stderr.String(), "/absent") {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// A scan directory is made, and where it cannot be that is said once.
func TestScanDirectoryIsMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made")
	script := "until " + asked(t, dir) + "list > /dev/null 2>&1; do :; done; stat -c %a " + dir
	if out, code := run(t, setting{}, append([]string{"--scandir", dir, "--stop-within", long}, sh(script)...)...); code != 0 || out != "755\n" {
		t.Errorf("%q, %d", out, code)
	}
	b := start(t, setting{}, "--scandir", filepath.Join(dir, "not/there"))
	if _, code := b.wait(); code != 125 || strings.Count(b.stderr.String(), "cannot be made") != 1 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}

// Row 75: a scan directory on a tmpfs as engines mount it. A script runs there; of a
// program it is said why it does not.
func TestRow75NoExec(t *testing.T) {
	t.Parallel()
	from, lives := scanDir(t, "")
	finished := filepath.Join(filepath.Dir(from), "finished")
	write(t, filepath.Join(from, "web/finish"), "#!/bin/sh -e\necho $0 $3 >> "+finished+"\n")
	text, err := os.ReadFile("/bin/sleep")
	must(t, err)
	write(t, filepath.Join(from, "program/run"), string(text))
	dir := filepath.Join(filepath.Dir(from), "run")
	must(t, os.Mkdir(dir, 0o755))
	b := start(t, setting{how: "noexec:" + dir}, "--scandir", filepath.Join(dir, "service"), "--services", from, "--grace", long, "--stop-within", long)
	awaitLives(t, b, lives, 1)
	b.awaitWords("the file system is mounted noexec")
	b.signal(syscall.SIGTERM)
	b.wait()
	if text, err := os.ReadFile(finished); err != nil || string(text) != "./finish web\n" {
		t.Errorf("finish: %q, %v", text, err)
	}
}

// Definitions of s6-rc: the program begins when what they define is ready, and what
// they undo is undone at the end.
func TestS6RC(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	from, dir, diary := filepath.Join(root, "s6-rc.d"), filepath.Join(root, "scan"), filepath.Join(root, "diary")
	say := write(t, filepath.Join(root, "say"), "#!/bin/sh\necho $1 >> "+diary+"\n")
	for path, text := range map[string]string{
		"prepare/type": "oneshot\n", "prepare/up": say + " up\n", "prepare/down": say + " down\n",
		"web/type": "longrun\n", "web/run": "#!/bin/sh\necho web >> " + diary + "\necho >&3\nexec sleep 1000\n",
		"web/notification-fd": "3\n", "web/dependencies.d/prepare": "",
		"user/type": "bundle\n", "user/contents.d/web": "",
	} {
		write(t, filepath.Join(from, path), text)
	}
	out, code := run(t, setting{}, append([]string{"--scandir", dir, "--s6-rc", from, "--wait-ready", "--stop-within", long}, sh("cat "+diary)...)...)
	if text, err := os.ReadFile(diary); out != "up\nweb\n" || code != 0 || err != nil || string(text) != "up\nweb\ndown\n" {
		t.Errorf("%q, %d, %q, %v", out, code, text, err)
	}
	must(t, os.Remove(filepath.Join(from, "user/type")))
	b := start(t, setting{}, append([]string{"--scandir", dir, "--s6-rc", from, "--wait-ready", "--stop-within", long}, sh("echo ran")...)...)
	if out, code := b.wait(); out != "" || code != 125 || !strings.Contains(b.stderr.String(), "user/type") {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// The tree is killed while a oneshot runs. Where nobody knows how that ends it is run
// again, and is no failure, though the container must not live without it.
func TestOneshotOutlivesTheTree(t *testing.T) {
	t.Parallel()
	oneshotOutlivesTheTree(t, "", 1, 2) // newer kernels tell
	oneshotOutlivesTheTree(t, "exits-of-others-unknown", 2, 2)
}

func oneshotOutlivesTheTree(t *testing.T, how string, least, most int) {
	t.Helper()
	dir, lives := scanDir(t, "")
	gate := filepath.Join(filepath.Dir(dir), "gate")
	write(t, filepath.Join(dir, "web/run"), "#!/bin/sh\necho $$ >> "+lives+"\nuntil test -e "+gate+"; do sleep 0.01; done\n")
	write(t, filepath.Join(dir, "web/type"), "oneshot\n")
	write(t, filepath.Join(dir, "web/essential"), "")
	script := "until test -e " + filepath.Join(dir, "web/data/done") + "; do sleep 0.01; done; exit 3"
	b := start(t, setting{how: how}, append([]string{"-v", "--scandir", dir, "--grace", long, "--stop-within", long}, sh(script)...)...)
	awaitLives(t, b, lives, 1)
	before := treePID(t, b, 0)
	must(t, syscall.Kill(before, syscall.SIGKILL))
	treePID(t, b, before)
	up := asked(t, dir) + "status web --exact --json | grep -q '\"adopted\": *true'"
	if out, err := exec.Command("timeout", "30", "sh", "-c", "until "+up+"; do :; done").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write(t, gate, "")
	if _, code := b.wait(); code != 3 || strings.Contains(b.stderr.String(), "given up") || strings.Contains(b.stderr.String(), "essential") {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
	text, err := os.ReadFile(lives)
	if n := strings.Count(string(text), "\n"); err != nil || n < least || n > most {
		t.Errorf("it ran as %q, %v", text, err)
	}
}
