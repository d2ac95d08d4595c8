package logpool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// What is not as the tree makes it is refused, and taken once it is.
func TestRefused(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	p := start(t, nil)
	for i, tc := range []struct {
		spoil string // what is done to the directory, by a shell in it
		why   string
		mend  string
	}{
		{"rm supervise/input", "no such file or directory", "mkfifo -m 600 supervise/input"},
		{"rm supervise/input; touch supervise/input", "is no FIFO", "rm supervise/input; mkfifo -m 600 supervise/input"},
		{"mv supervise/input x; ln -s ../x supervise/input", "is a symbolic link", "rm supervise/input; mv x supervise/input"},
		{"mv supervise y; ln -s y supervise", "symbolic link", "rm supervise; mv y supervise"},
		{"chmod 620 supervise/input", "can be written by others (mode 0620)", "chmod 600 supervise/input"},
		{"rm directives", "no such file or directory", "echo ./main >directives"},
		{"echo R5 >directives", "asks for rotation by time", "echo ./main >directives"},
		{"echo n5 >directives", "no action", "echo ./main >directives"},
		{"dd if=/dev/zero of=directives bs=1024 count=65 2>/dev/null", "longer", "echo ./main >directives"},
		{"echo '${NOT_THERE}/log' >directives", "no variable NOT_THERE", "echo ./main >directives"},
		{"ln -s /nonexistent main", "link", "rm main"},
	} {
		id := fmt.Sprint(i)
		dir := logDir(t, filepath.Join(root, id), "./main")
		shell(t, dir, tc.spoil)
		p.send(wire.Add, id, dir)
		p.answers.wants(t, fmt.Sprintf("failed %q \"", id))
		line := lineOf(p.answers.text(), fmt.Sprintf("failed %q \"", id))
		if !strings.Contains(line, tc.why) {
			t.Errorf("%s: %s, want %q", tc.spoil, line, tc.why)
		}
		p.stderr.wants(t, id+": ")
		shell(t, dir, tc.mend)
		p.wants(wire.Opened, id)
	}
	p.finish()
}

func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v %s", script, err, out)
	}
}

// lineOf is the line that begins so.
func lineOf(text, begins string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begins) {
			return line
		}
	}
	return ""
}

// Root reads from no FIFO of another user, and writes to no directory that another
// could change; that user's own log process does.
func TestRootIsNotLedAstray(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	theirs := s6test.Dir(t, s6test.User)
	p := start(t, nil)
	dir := logDir(t, filepath.Join(t.TempDir(), "a"), "./main")
	must(t, os.Chown(filepath.Join(dir, InputFile), s6test.User, s6test.User))
	p.send(wire.Add, "fifo", dir)
	p.answers.wants(t, `failed "fifo" "`)
	p.stderr.wants(t, "belongs to uid 10000")
	for _, where := range []string{filepath.Join(theirs, "log"), filepath.Join(theirs, "new", "log")} {
		id := filepath.Base(filepath.Dir(where))
		p.send(wire.Add, id, logDir(t, filepath.Join(t.TempDir(), "b"), where))
		p.answers.wants(t, fmt.Sprintf("failed %q \"", id))
		p.stderr.wants(t, "a logger of root could be led astray")
		if _, err := os.Stat(where); err == nil {
			t.Errorf("%s was made", where)
		}
	}
	must(t, p.in.Close())
	p.ended()
}

// The directory of a variable, and all that is missing above it, is made.
func TestVariableAndMissingDirectories(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	home := filepath.Join(root, "ho me")
	p := start(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "LOG_HOME="+home) })
	dir := logDir(t, filepath.Join(root, "log"), "n3", "", "${LOG_HOME}/logs/a b/web")
	p.add("web", dir)
	fmt.Fprint(service(t, dir), "a\n")
	p.finish()
	log := filepath.Join(home, "logs", "a b", "web")
	if got := content(t, log); got != "a\n" {
		t.Errorf("%q", got)
	}
	for path, want := range map[string]os.FileMode{log: 0o700, filepath.Dir(log): 0o755, home: 0o755} {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm()&^want != 0 {
			t.Errorf("%s has mode %v, want at most %v", path, info.Mode(), want)
		}
	}
}

func TestDirectives(t *testing.T) {
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"HOME": "/home/u", "EMPTY": "", "REL": "x"}[name]
		return v, ok
	}
	for _, tc := range []struct{ text, want, err string }{
		{"n5\ns4096\nT\n/var/log/a b\n", "n5|s4096|T|/var/log/a b", ""},
		{"./main\n.\n../x\n=st\n=/st\n", "/w/log/main|/w/log|/w/x|=/w/log/st|=/st", ""},
		{"${HOME}/a\n\n${HOME}/\npa b ${HOME}/\n", "/home/u/a|/home/u|pa b ${HOME}/", ""},
		{"${NONE}/a", "", "no variable NONE"},
		{"${EMPTY}/a", "", "no variable EMPTY"},
		{"${REL}/a", "", "no absolute path"},
		{"${HOME}", "", "may begin with ${NAME}/ only"},
		{"${HOME}x/a", "", "may begin with"},
		{"${}/a", "", "may begin with"},
	} {
		got, err := directives(tc.text, "/w/log", env)
		if strings.Join(got, "|") != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%q: %q, %v", tc.text, got, err)
		}
	}
}

// Of two log processes one reads, whatever their directives; the other takes over
// when that one is gone, killed or not.
func TestOneLogProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "./main")
	first, second := start(t, nil), start(t, nil)
	first.add("web", dir)
	must(t, os.WriteFile(filepath.Join(dir, DirectivesFile), []byte("./other\n"), 0o600))
	second.send(wire.Add, "web", dir)
	second.answers.wants(t, "is being read by another log process")
	s := service(t, dir)
	fmt.Fprint(s, "one\n")
	shows(t, filepath.Join(dir, "main"), "one\n")
	first.kill()
	second.wants(wire.Opened, "web")
	fmt.Fprint(s, "two\n")
	shows(t, filepath.Join(dir, "other"), "two\n")
	second.finish()
}

// A directory that another logger has is waited for: s6-log here, or another sink
// of the same process, whose end is heard of at once.
func TestLockedDirectory(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	log := filepath.Join(root, "main")
	a, b := logDir(t, filepath.Join(root, "a"), log), logDir(t, filepath.Join(root, "b"), log)
	p := start(t, nil)
	p.add("a", a)
	p.send(wire.Add, "b", b)
	p.answers.wants(t, `failed "b" "`)
	p.stderr.wants(t, logdir.ErrLocked.Error())
	fmt.Fprint(service(t, b), "b\n")
	p.send(wire.Drain, "a")
	p.wants(wire.Drained, "a", "0", "")
	p.wants(wire.Opened, "b")
	p.finish()
	if got := content(t, log); got != "b\n" {
		t.Errorf("%q", got)
	}

	real := exec.Command(s6test.Tool(t, "s6-log"), "-d", "3", log)
	in, err := real.StdinPipe()
	must(t, err)
	ready, write, err := os.Pipe()
	must(t, err)
	real.ExtraFiles = []*os.File{write}
	must(t, real.Start())
	write.Close()
	ready.Read(make([]byte, 1))
	ready.Close()
	p = start(t, nil)
	p.send(wire.Add, "a", a)
	p.answers.wants(t, `failed "a" "`)
	in.Close()
	real.Wait()
	p.wants(wire.Opened, "a")
	p.finish()
}

// A current that was left behind is gone on with: kills make no archives.
func TestCurrentIsGoneOnWith(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "T", "./main")
	log := filepath.Join(dir, "main")
	s := service(t, dir)
	for _, text := range []string{"one\n", "two\n", "thr", "ee\nfour\n"} {
		p := start(t, nil)
		p.add("web", dir)
		fmt.Fprint(s, text)
		_, last, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n")
		shows(t, log, last)
		until(t, "an empty FIFO", func() bool { return unread(t, s) == 0 })
		p.kill()
	}
	got, err := os.ReadFile(filepath.Join(log, "current"))
	must(t, err)
	var lines []string
	for line := range strings.Lines(string(got)) {
		lines = append(lines, line[min(len("2006-01-02 15:04:05.000000000  "), len(line)):])
	}
	if strings.Join(lines, "") != "one\ntwo\nthree\nfour\n" {
		t.Errorf("%q", got)
	}
	if m, _ := filepath.Glob(log + "/@*"); len(m) != 0 {
		t.Errorf("archives %q", m)
	}
	p := start(t, nil)
	p.add("web", dir) // the lock of a dead process is none
	p.finish()
}

// Rotation is logdir's, to the byte: no archive holds more than its size, and all
// of them all there was.
func TestRotation(t *testing.T) {
	t.Parallel()
	dir := logDir(t, t.TempDir(), "n1000", "s4096", "l0", "./main")
	p, s := start(t, nil), service(t, dir)
	p.add("web", dir)
	text := numbered(0, 300<<10)
	fmt.Fprint(s, text)
	p.finish()
	log := filepath.Join(dir, "main")
	if got := content(t, log); got != text {
		t.Errorf("%d bytes of %d", len(got), len(text))
	}
	archives, err := filepath.Glob(log + "/@*")
	must(t, err)
	want := (4096 + numberedSize - 1) / numberedSize * numberedSize // the first end of a line from 4096 on
	for _, a := range archives {
		var st unix.Stat_t
		must(t, unix.Stat(a, &st))
		if st.Size != int64(want) || !strings.HasSuffix(a, ".s") {
			t.Errorf("%s has %d bytes, want %d", a, st.Size, want)
		}
	}
	if n := len(text) / want; len(archives) != n {
		t.Errorf("%d archives, want %d", len(archives), n)
	}
}
