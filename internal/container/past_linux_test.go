package container

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// Images of the past are trees that were made for s6-overlay. All that is changed is
// who is behind the names that it has in them.
var (
	hooksImage   = imageOfThePast("hooks")
	contenvImage = imageOfThePast("contenv")
	rcImage      = imageOfThePast("s6-rc")
)

func imageOfThePast(name string) source {
	return source{
		name: "past-" + name, entrypoint: []string{"/init"},
		env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		root: sync.OnceValues(func() (string, error) { return makePastRoot(name) }),
	}
}

// busybox is what images of the past have for a shell and all else.
const busybox = "/bin/busybox"

// makePastRoot puts a tree on what it stands on, and the program under all its names.
func makePastRoot(name string) (string, error) {
	dir, err := rootsDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(dir, "past-"+name)
	at := func(path string) string { return filepath.Join(root, path) }
	for _, d := range []string{"bin", "command", "etc", "run", "usr/bin", "var", "tmp", "dev", "proc", "sys"} {
		if err := os.MkdirAll(at(d), 0o755); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(at("tmp"), 0o777|os.ModeSticky); err != nil {
		return "", err
	}
	if err := build("../../cmd/hermes-gateway", at("usr/bin/hermes-gateway")); err != nil {
		return "", err
	}
	links := map[string]string{"init": "/usr/bin/hermes-gateway", "var/run": "/run", "usr/bin/with-contenv": "../../command/with-contenv"}
	for _, name := range []string{"with-contenv", "s6-setuidgid", "s6-applyuidgid"} {
		links["command/"+name] = "/usr/bin/hermes-gateway"
	}
	for _, name := range []string{"sh", "cat", "id", "mkdir", "mv", "sleep", "test"} {
		links["bin/"+name] = "busybox"
	}
	for name, to := range links {
		if err := os.Symlink(to, at(name)); err != nil {
			return "", err
		}
	}
	box, err := os.ReadFile(busybox)
	if err != nil {
		return "", err
	}
	for path, text := range map[string]string{
		busybox:       string(box),
		"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:10000:10000::/tmp:/bin/sh\n",
		"/etc/group":  "root:x:0:\napp:x:10000:\n",
	} {
		if err := os.WriteFile(at(path), []byte(text), 0o755); err != nil {
			return "", err
		}
	}
	return root, copyTree(root, filepath.Join("testdata/past", name))
}

// copyTree makes root the owner of all, as an image has it.
func copyTree(root, tree string) error {
	return filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		name, rerr := filepath.Rel(tree, path)
		switch {
		case err != nil || rerr != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(filepath.Join(root, name), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, name), text, 0o755)
	})
}

func pastRig(t *testing.T, s source) rig {
	t.Helper()
	c := chosen()
	c.usable(t)
	if out, err := exec.Command("ldd", busybox).CombinedOutput(); err == nil || !strings.Contains(string(out), "not a dynamic executable") {
		s6test.Missing(t, "no static busybox at "+busybox+" (apt-get install busybox-static)")
	}
	return on(t, c, s)
}

// rights are the two ways in which containers are run: as root, and where s6-overlay
// refuses to begin.
func rights(env ...string) map[string]options {
	return map[string]options{
		"root":    {user: "0", env: env},
		"anybody": {env: env, bare: true, tmpfs: []string{"/run:uid=10000,mode=755", "/tmp:mode=1777"}},
	}
}

// inOrder says whether a text has these lines, each once and in this order.
func inOrder(text string, lines ...string) bool {
	last := -1
	for _, line := range lines {
		at := strings.Index(text, line+"\n")
		if at <= last || strings.Count(text, line+"\n") != 1 {
			return false
		}
		last = at
	}
	return true
}

// Hooks and services.d, with a logger and a finish script, run as they are.
func TestPastHooksAndServices(t *testing.T) {
	t.Parallel()
	r := pastRig(t, hooksImage)
	for who, o := range rights("GREETING=hello  you") {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			b := rig{t, r.engine, r.image}.start(o, "sh", "-c", `trap 'exit 5' TERM; echo "cmd: $GREETING $1 $PATH"; while :; do sleep 0.1; done`, "sh", "--help")
			b.await("logged: web is up as 10000: hello  you", 1)
			b.await("cmd: hello  you --help /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", 1)
			b.stop(10 * time.Second)
			if got := b.wait(); got != 5 {
				t.Errorf("exit code %d", got)
			}
			b.await("bye: hello  you\n", 1)
			out := b.output().String()
			// Hooks print to standard error, and an engine joins the two as it likes.
			if !inOrder(out, "boot 10: hello  you", "boot 20: hello  you umask 0022", "bye: hello  you") || !inOrder(out, "logged: web is up as 10000: hello  you", "logged: web ends", "logged: web finish 0") {
				t.Errorf("it printed %q", out)
			}
			if !strings.Contains(out, "hook /etc/cont-init.d/30-fails failed after ") {
				t.Errorf("the hook that fails: %q", out)
			}
		})
	}
}

// What a hook leaves those have who ask for it by with-contenv, also over what the
// container has; nothing of the container is on disk.
func TestPastWithContenv(t *testing.T) {
	t.Parallel()
	r := pastRig(t, contenvImage)
	for who, o := range rights("GREETING=hello", "SECRET=x") {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			got := rig{t, r.engine, r.image}.run(o, "sh", "-c",
				`until test -e /tmp/up; do sleep 0.1; done; cd /run/s6/container_environment; echo "cmd: ${FROM_HOOK-unset} $SECRET;" *; exit 6`)
			if got.code != 6 {
				t.Errorf("%+v", got)
			}
			lines := strings.Split(got.out+got.err, "\n")
			for _, line := range []string{
				"boot 20: hello from a hook, secret unset, found", "service: hello from a hook, secret unset, found",
				"plain: unset, secret x", "cmd: unset x; FROM_HOOK PATH SECRET",
			} {
				if !slices.Contains(lines, line) {
					t.Errorf("it printed %q, want %q", lines, line)
				}
			}
		})
	}
}

// Definitions of s6-rc: a oneshot, what needs it, a pipeline, and what needs that. The
// program begins when all are ready; they are stopped in the other order.
func TestPastS6RC(t *testing.T) {
	t.Parallel()
	r := pastRig(t, rcImage)
	for who, o := range rights("GREETING=hello") {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			b := rig{t, r.engine, r.image}.start(o, "sh", "-c", `trap 'exit 5' TERM; echo "cmd: $GREETING"; while :; do sleep 0.1; done`)
			b.await("cmd: hello\n", 1)
			b.await("worker is up\n", 1)
			b.stop(10 * time.Second)
			if got := b.wait(); got != 5 {
				t.Errorf("exit code %d", got)
			}
			b.await("down: hello\n", 1)
			out := b.output().String()
			if !inOrder(out, "up: hello the app", "logged: web is up: hello", "worker ends", "logged: web ends", "down: hello") || strings.Index(out, "up: hello") > strings.Index(out, "cmd: hello") {
				t.Errorf("it printed %q", out)
			}
		})
	}
}

// Without a program the container lives until it is stopped, and may be started again:
// what hooks left before is gone, and they run anew.
func TestPastWithoutAProgram(t *testing.T) {
	t.Parallel()
	b := pastRig(t, hooksImage).start(options{user: "0", env: []string{"GREETING=hello"}})
	b.await("logged: web is up as 10000: hello", 1)
	if got := b.exec("0", []string{"sh", "-c", "echo left > /run/s6/container_environment/GREETING; exec with-contenv sh -c 'echo $GREETING'"}); got.out != "left\n" {
		t.Errorf("%+v", got)
	}
	b.restart(10 * time.Second)
	b.await("logged: web is up as 10000: hello", 2)
	b.stop(10 * time.Second)
	if got := b.wait(); got != 0 {
		t.Errorf("exit code %d", got)
	}
	b.await("bye: left\n", 1)
	b.await("bye: hello\n", 1)
}

// What cannot work is refused by init, before a hook runs, and found by doctor.
func TestPastRefused(t *testing.T) {
	t.Parallel()
	r := pastRig(t, hooksImage)
	spoil := `mkdir -p /etc/fix-attrs.d; echo x > /etc/fix-attrs.d/01-x; mkdir /etc/services.d/old; printf '#!/command/execlineb -P\n' > /etc/services.d/old/run; `
	got := r.run(options{user: "0", entrypoint: []string{"/bin/sh"}}, "-c",
		spoil+"hermes-gateway doctor --image / > /tmp/found; echo doctor $?; cat /tmp/found; exec /init echo program")
	want := "doctor 1\n" +
		"/etc/services.d/old/run: there is no \"/command/execlineb\" to run it; install execline, or write it for /bin/sh\n" +
		"/etc/fix-attrs.d/01-x: owners and modes are not changed at boot; set them in the Dockerfile, or in a hook of /etc/cont-init.d, and remove it\n"
	if got.code != 125 || got.out != want || strings.Contains(got.err, "boot 10") || !strings.Contains(got.err, "hermes-gateway init: /etc/fix-attrs.d/01-x: ") {
		t.Errorf("%+v", got)
	}
	got = r.run(options{user: "0", entrypoint: []string{"/usr/bin/hermes-gateway"}}, "doctor", "--image", "/")
	if got.code != 0 || got.out != "" {
		t.Errorf("doctor of the image as it is: %+v", got)
	}
}
