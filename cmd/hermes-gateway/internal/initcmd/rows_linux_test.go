package initcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Row 13: services have the environment that the container was given, too.
func TestRow13EnvironmentOfServices(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	said := filepath.Join(filepath.Dir(dir), "said")
	write(t, filepath.Join(dir, "web/run"), "#!/bin/sh\ntr '\\0' '\\n' < /proc/self/environ > "+said+"\necho >> "+lives+"\nexec sleep 1000\n")
	env := []string{"PATH=/bin:/usr/bin", "EMPTY=", "A=b=c  d", "odd-name.1=x"}
	b := start(t, setting{env: env}, "--scandir", dir, "--grace", long, "--stop-within", long)
	awaitLives(t, b, lives, 1)
	text, err := os.ReadFile(said)
	must(t, err)
	for _, entry := range env {
		if entry == env[0] && strings.Contains(string(text), entry) { // /command may follow
			continue
		}
		if !strings.Contains(string(text), entry+"\n") {
			t.Errorf("no %q in %q", entry, text)
		}
	}
	b.signal(syscall.SIGTERM)
	b.wait()
}

// Row 18: who the program is, what it may do and how it is scheduled is as the init
// was given it.
func TestRow18AttributesStay(t *testing.T) {
	t.Parallel()
	through := []string{"/bin/sh", "-c", `umask 027; echo 300 > /proc/self/oom_score_adj 2> /dev/null; exec nice -n 5 "$@"`, "sh"}
	script := `umask; nice
		for p in 1 $$; do
			grep -E '^(Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp|Cpus_allowed_list):' /proc/$p/status | md5sum
			cat /proc/$p/oom_score_adj
		done`
	out, code := run(t, setting{through: through}, sh(script)...)
	lines := strings.Fields(strings.ReplaceAll(out, "-", ""))
	if code != 0 || len(lines) != 6 || lines[0] != "0027" || lines[1] != "5" || lines[2] != lines[4] || lines[3] != lines[5] || lines[3] != "300" {
		t.Errorf("%q, %d", out, code)
	}
}

// Row 33: a SIGCHLD that somebody sends has no effect.
func TestRow33StraySIGCHLD(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, sh(`trap 'exit 3' USR1; echo ready; while :; do sleep 0.01; done`)...)
	b.want("ready")
	for range 100 {
		b.signal(syscall.SIGCHLD)
	}
	b.signal(syscall.SIGUSR1)
	if _, code := b.wait(); code != 3 || b.stderr.Len() > 0 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}

// Row 50: without a program the terminal stays with the init, and ^C stops the tree.
func TestRow50TerminalWithoutAProgram(t *testing.T) {
	t.Parallel()
	dir, lives := scanDir(t, "")
	master, slave := openTerminal(t)
	b := start(t, setting{tty: slave}, "--scandir", dir, "--grace", long, "--stop-within", long)
	awaitLives(t, b, lives, 1)
	_, err := master.WriteString("\x03")
	must(t, err)
	if code := within(t, soon, b); code != 0 {
		t.Errorf("%d", code)
	}
}

// Row 74: nobody in particular, without any right.
func TestRow74AnyUser(t *testing.T) {
	t.Parallel()
	through := []string{"/usr/bin/setpriv", "--inh-caps=-all", "--no-new-privs", "--"}
	uid := os.Geteuid()
	if uid == 0 {
		uid = 54321
		through = []string{"/usr/bin/setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"}
	}
	s := setting{through: through, env: []string{"PATH=/bin:/usr/bin"}, dir: "/"}
	out, code := run(t, s, sh(`echo "$(id -u) ${HOME-none}"; grep CapEff /proc/self/status; exit 4`)...)
	if want := fmt.Sprintf("%d none\nCapEff:\t0000000000000000\n", uid); out != want || code != 4 {
		t.Errorf("%q, %d, want %q", out, code, want)
	}
}

// Row 76: where no scan directory is named the tree takes one of its user's own.
func TestRow76ScanDirectoryOfTheUser(t *testing.T) {
	t.Parallel()
	from, lives := scanDir(t, "")
	runtime := t.TempDir()
	must(t, os.Chmod(runtime, 0o700))
	env := []string{"PATH=/bin:/usr/bin", "XDG_RUNTIME_DIR=" + runtime}
	b := start(t, setting{env: env}, "--services", from, "--grace", long, "--stop-within", long)
	awaitLives(t, b, lives, 1)
	var st unix.Stat_t
	must(t, unix.Stat(filepath.Join(runtime, "hermes-gateway/service"), &st))
	if st.Mode&0o777 != 0o700 || int(st.Uid) != os.Geteuid() {
		t.Errorf("mode %o, uid %d", st.Mode, st.Uid)
	}
	b.signal(syscall.SIGTERM)
	if _, code := b.wait(); code != 0 || b.stderr.Len() > 0 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}
