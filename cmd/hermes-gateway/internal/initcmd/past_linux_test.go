package initcmd

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// called is this program by another name, as images have it.
func called(t *testing.T, name string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), name)
	must(t, os.Symlink(s6test.Binary(t), link))
	must(t, os.Chmod(filepath.Dir(link), 0o755))
	return link
}

// Called init, it takes every word for the program's, and has a tree in /run/service
// that nobody asked for.
func TestCalledInit(t *testing.T) {
	t.Parallel()
	link := called(t, "init")
	control := "/run/service/.s6-svscan/control"
	b := start(t, setting{program: []string{link}}, "sh", "-c", "until test -p "+control+"; do :; done; echo \"$@\"; exit 7", "sh", "-v", "--", "--grace")
	if out, code := b.wait(); out != "-v -- --grace\n" || code != 7 {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
	b = start(t, setting{program: []string{link}}, "--help")
	if out, code := b.wait(); out != "" || code != 127 || !strings.Contains(b.stderr.String(), `"--help"`) {
		t.Errorf("--help: %q, %d, %q", out, code, b.stderr.String())
	}
}

// Without a program it lives, as s6-overlay's does.
func TestCalledInitWithoutAProgram(t *testing.T) {
	t.Parallel()
	hooks := hookDir(t, "1", "echo booted >&2; exit 3") // which does not matter here
	b := start(t, setting{program: []string{called(t, "init")}, env: append(os.Environ(), "HERMES_INIT_HOOKS="+hooks)})
	b.awaitWords("booted")
	b.awaitWords("hook " + hooks + "/1 failed after ")
	b.signal(syscall.SIGTERM)
	if _, code := b.wait(); code != 0 && code != 143 { // it may not have begun yet
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}

// The tree would be an init too if it were started by that name.
func TestCopyCalledInit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(s6test.Binary(t))
	must(t, err)
	path := write(t, filepath.Join(t.TempDir(), "init"), string(text))
	b := start(t, setting{program: []string{path}}, "echo", "program")
	if out, code := b.wait(); out != "" || code != 125 || !strings.Contains(b.stderr.String(), "has to be a link to it: ln -sf ") {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
}

// Hooks leave variables in a directory that is empty in the beginning; who is started
// by with-contenv has them, over the container's own, and nobody else.
func TestWithContenv(t *testing.T) {
	t.Parallel()
	link := called(t, "with-contenv")
	dir := "/run/s6/container_environment"
	hooks := hookDir(t,
		"1", "ls "+dir+"; printf hook > "+dir+"/LEFT; printf '' > "+dir+"/GIVEN",
		"2", "exec "+link+" sh -c 'echo \"two: $LEFT ${GIVEN-unset} $KEPT\"'",
		"3", "echo \"three: ${LEFT-unset} $GIVEN\"",
	)
	seen := filepath.Join(t.TempDir(), "seen")
	services := hookDir(t)
	write(t, filepath.Join(services, "web/run"), "#!"+link+" sh\necho \"$LEFT ${GIVEN-unset} $KEPT\" > "+seen+".new; mv "+seen+".new "+seen+"\nexec sleep 1000\n")
	b := start(t, setting{env: append(os.Environ(), "GIVEN=given", "KEPT=kept")},
		append([]string{"--hooks", hooks, "--services", services, "--stop-within", long}, sh(`echo "program: ${LEFT-unset} $GIVEN"; until test -e `+seen+`; do :; done`)...)...)
	out, code := b.wait()
	said := b.stderr.String()
	if out != "program: unset given\n" || code != 0 || !strings.HasPrefix(said, "two: hook unset kept\nthree: unset given\n") {
		t.Errorf("%q, %d, %q", out, code, said)
	}
	if text, err := os.ReadFile(seen); err != nil || string(text) != "hook unset kept\n" {
		t.Errorf("the service: %q, %v", text, err)
	}
}

// What every init refuses for an image of the past, and before anything runs.
func TestRefusedOfThePast(t *testing.T) {
	t.Parallel()
	hooks := hookDir(t, "1", "echo one >&2")
	services := hookDir(t)
	write(t, filepath.Join(services, "web/run"), "#!/bin/sh\n")
	write(t, filepath.Join(services, "web/log/run"), "#!/command/execlineb -P\n")
	fine := hookDir(t)
	for name, c := range map[string]struct {
		env, dir string
		want     []string
	}{
		"execline": {"", services, []string{services + "/web/log/run: ", `there is no "/command/execlineb"`, "install execline"}},
		"logging":  {"S6_LOGGING=1", fine, []string{"S6_LOGGING=1", "unset it"}},
		"all logs": {"S6_LOGGING=2", fine, []string{"S6_LOGGING=2", "unset it"}},
		"hook":     {"S6_STAGE2_HOOK=" + services + "/web/log/run", fine, []string{"S6_STAGE2_HOOK: " + services, "execlineb"}},
	} {
		b := start(t, setting{env: append(os.Environ(), c.env)}, append([]string{"--hooks", hooks, "--services", c.dir}, sh("echo program")...)...)
		out, code := b.wait()
		said := b.stderr.String()
		if code != 125 || out != "" || strings.Contains(said, "one") || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %q, %d, %q", name, out, code, said)
		}
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: it says %q, want %q", name, said, want)
			}
		}
	}
}

// One line names all that mean nothing; without a voice none does.
func TestWarnsOfVariables(t *testing.T) {
	t.Parallel()
	env := append(os.Environ(), "S6_CMD_ARG0=x", "S6_KEEP_ENV=1", "S6_SYNC_DISKS=0", "S6_BLA=1", "S6_LOGGING=0")
	b := start(t, setting{env: env}, sh("echo program")...)
	if out, code := b.wait(); out != "program\n" || code != 0 || b.stderr.String() != "hermes-gateway init: S6_BLA, S6_CMD_ARG0: not understood here, and ignored; unset what is not needed\n" {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
	if out, code := run(t, setting{env: append(env, "S6_VERBOSITY=0")}, sh("echo program")...); out != "program\n" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
}

// The three ways to take a hook that fails.
func TestStage2FailureOfS6Overlay(t *testing.T) {
	t.Parallel()
	hooks := hookDir(t, "1", "exit 3", "2", "echo two")
	for value, want := range map[string]struct {
		code  int
		warns bool
	}{"0": {0, false}, "1": {0, true}, "2": {125, true}, "": {125, true}} {
		b := start(t, setting{env: append(os.Environ(), "S6_BEHAVIOUR_IF_STAGE2_FAILS="+value)}, append([]string{"--hooks", hooks}, sh("true")...)...)
		_, code := b.wait()
		said := b.stderr.String()
		if code != want.code || strings.Contains(said, "/1 failed after") != want.warns || strings.Contains(said, "two\n") != (code == 0) {
			t.Errorf("%s: %d, %q", value, code, said)
		}
	}
}

// S6_STAGE2_HOOK runs before all hooks, with its words, and fails as they do.
func TestStage2HookOfS6Overlay(t *testing.T) {
	t.Parallel()
	hooks := hookDir(t, "1", "echo one")
	own := hookDir(t, "first", `echo "first $1 $2"; test "$1" != fail`)
	for hook, want := range map[string]struct {
		code int
		said []string
	}{
		own + "/first a  b":    {0, []string{"first a b\none\n"}},
		"echo looked-up":       {0, []string{"looked-up\none\n"}},
		own + "/first fail":    {125, []string{"first fail", "boot stopped: S6_STAGE2_HOOK failed after"}},
		"no-such-program-here": {125, []string{"boot stopped: S6_STAGE2_HOOK cannot be run"}},
	} {
		b := start(t, setting{env: append(os.Environ(), "S6_STAGE2_HOOK="+hook)}, append([]string{"--hooks", hooks}, sh("true")...)...)
		_, code := b.wait()
		for _, text := range want.said {
			if said := b.stderr.String(); code != want.code || !strings.Contains(said, text) {
				t.Errorf("%s: %d, %q", hook, code, said)
			}
		}
	}
}

// S6_SERVICES_GRACETIME is for the services, before the finish hooks; who is left then
// has S6_KILL_GRACETIME.
func TestGraceOfS6Overlay(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	write(t, filepath.Join(dir, "web/run"), "#!/bin/sh\ntrap '' TERM\necho $$ >> "+lives+"\nwhile :; do sleep 0.05; done\n")
	ends := hookDir(t, "1", "kill -0 $(cat "+lives+") && echo it is there")
	b := start(t, setting{env: append(os.Environ(), "S6_SERVICES_GRACETIME=300", "S6_KILL_GRACETIME=300", "S6_VERBOSITY=2")},
		append([]string{"--finish-hooks", ends, "--scandir", dir, "--stop-within", long}, sh("until test -e "+lives+"; do :; done; exit 4")...)...)
	_, code := b.wait()
	said := b.stderr.String()
	if code != 4 || !strings.Contains(said, "the supervision tree has not ended in time, and is killed") || !strings.Contains(said, "it is there\n") || !strings.Contains(said, "what is left is killed") {
		t.Errorf("%d, %q", code, said)
	}
}

// Row 72: a command that is PID 1 runs below an init, which reaps, and says so once.
func TestRow72PID1WithoutInit(t *testing.T) {
	t.Parallel()
	uid := "10000"
	if os.Geteuid() == 0 {
		uid = "0"
	}
	script := `for i in 1 2 3 4 5; do (sleep 0.05 > /dev/null &); done
while grep -q sleep /proc/[0-9]*/comm; do :; done
until ! grep -qs '^State:.Z' /proc/[0-9]*/status; do :; done
echo $$; trap 'exit 6' USR1; kill -USR1 1; while :; do sleep 0.05; done`
	b := start(t, setting{program: []string{s6test.Binary(t)}}, "exec-gateway", "--user", uid, "--", "sh", "-c", script)
	out, code := b.wait()
	if pid := strings.TrimSpace(out); code != 6 || pid == "1" || pid == "" {
		t.Errorf("%q, %d, %q", out, code, b.stderr.String())
	}
	if said := b.stderr.String(); !strings.HasPrefix(said, "hermes-gateway: this is PID 1, so it runs below an init; the entrypoint should be: hermes-gateway init -- hermes-gateway exec-gateway --user "+uid) || strings.Count(said, "PID 1") != 1 {
		t.Errorf("it says %q", said)
	}
	b = start(t, setting{program: []string{s6test.Binary(t)}, outside: true}, "exec-gateway", "--user", uid, "--", "sh", "-c", "exit 6")
	if out, code := b.wait(); out != "" || code != 6 || b.stderr.Len() > 0 {
		t.Errorf("not PID 1: %q, %d, %q", out, code, b.stderr.String())
	}
}
