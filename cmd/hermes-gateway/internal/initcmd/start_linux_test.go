package initcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests are named after the rows of the requirements on an init that docs/init.md lists.

func TestRow1ArgumentsAreTheCommands(t *testing.T) {
	t.Parallel()
	words := []string{"", " a  b", "new\nline", "-v", "--", "--help", "\xff\xfe", "$HOME", "*"}
	out, code := run(t, setting{}, append([]string{"--", "printf", "<%s>"}, words...)...)
	if want := "<" + strings.Join(words, "><") + ">"; out != want || code != 0 {
		t.Errorf("%q, %d; want %q", out, code, want)
	}
}

func TestRow2OptionsEndAtTheFirstWord(t *testing.T) {
	t.Parallel()
	if out, code := run(t, setting{}, "printf", "<%s>", "-v", "--"); out != "<-v><-->" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
	mark := filepath.Join(t.TempDir(), "mark")
	for _, words := range [][]string{{"--nonsense"}, {"--grace"}, {"--grace", "soon"}, {"--signal", "TERM"}, {"--signal", "NO=TERM"}, {"--map", "1=256"}, {"--stop-signal", "RTMIN"}} {
		b := start(t, setting{}, append(words, "--", "touch", mark)...)
		_, code := b.wait()
		if _, err := os.Lstat(mark); err == nil {
			t.Fatalf("%q: it ran", words)
		}
		if said := b.stderr.String(); code != 125 || strings.Count(said, "\n") != 1 {
			t.Errorf("%q: %d, %q", words, code, said)
		}
	}
}

func TestRow3NameAsTyped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.Symlink("/bin/cat", filepath.Join(dir, "odd")))
	out, _ := run(t, setting{env: []string{"PATH=" + dir}}, "odd", "/proc/self/cmdline")
	if !strings.HasPrefix(out, "odd\x00") {
		t.Errorf("%q", out)
	}
}

func TestRow4Lookup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "here"), "#!/bin/sh\necho here\n")
	write(t, filepath.Join(dir, "sub/there"), "#!/bin/sh\necho there\n")
	for _, test := range []struct{ path, name, want string }{
		{"PATH=/nonexistent:", "here", "here\n"},
		{"PATH=:/bin", "here", "here\n"},
		{"PATH=", "here", "here\n"},
		{"PATH=.", "here", "here\n"},
		{"PATH=sub", "there", "there\n"},
		{"PATH=/nonexistent", "sub/there", "there\n"},
		{"NOTHING=1", "echo", "\n"}, // unset means /bin:/usr/bin
	} {
		if out, code := run(t, setting{dir: dir, env: []string{test.path}}, "--", test.name); out != test.want || code != 0 {
			t.Errorf("%s, %s: %q, %d", test.path, test.name, out, code)
		}
	}
}

func TestRow5TextWithoutInterpreter(t *testing.T) {
	t.Parallel()
	text := write(t, filepath.Join(t.TempDir(), "text"), "echo \"$1\"; exit 5\n")
	if out, code := run(t, setting{}, "--", text, "word"); out != "word\n" || code != 5 {
		t.Errorf("%q, %d", out, code)
	}
	if out, code := run(t, setting{}, "--", write(t, text+"-empty", "")); out != "" || code != 0 {
		t.Errorf("an empty one: %q, %d", out, code)
	}
}

func TestRow6NotFoundAndNotRunnable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	must(t, os.WriteFile(plain, nil, 0o644))
	alien := write(t, filepath.Join(dir, "alien"), "\x7fELF\x02\x01\x01\x00")
	for _, test := range []struct {
		word string
		code int
	}{
		{"nonexistent-program", 127}, {"", 127}, {"/nonexistent/program", 127},
		{write(t, filepath.Join(dir, "orphan"), "#!/nonexistent/interpreter\n"), 127},
		{plain, 126}, {dir, 126}, {alien, 126},
	} {
		b := start(t, setting{}, "--", test.word)
		out, code := b.wait()
		said := b.stderr.String()
		if code != test.code || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, test.word) {
			t.Errorf("%q: %d, want %d: %q %q", test.word, code, test.code, out, said)
		}
	}
}

func TestRow7NothingToRun(t *testing.T) {
	t.Parallel()
	b := start(t, setting{env: []string{"PATH=/bin"}})
	if _, err := os.Lstat("/run/service"); err == nil {
		t.Fatal("this machine has /run/service, which is what an init without words supervises")
	}
	if _, code := b.wait(); code != 125 || !strings.Contains(b.stderr.String(), "COMMAND") {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}

// Also row 9: run fails where anything is said.
func TestRow12EnvironmentToTheByte(t *testing.T) {
	t.Parallel()
	env := []string{"PATH=/bin:/usr/bin", "B=", "A=1=2", "twice=1", "twice=2", "new=\nline", "no name!=x", "entry without", "\xff=\xfe", "GOMAXPROCS=1", "HERMES_INIT_GRACE=3s", "="}
	s := setting{env: env}
	out, code := run(t, s.exactly(t, env), "--", "cat", "/proc/self/environ")
	if want := strings.Join(env, "\x00") + "\x00"; out != want || code != 0 {
		t.Errorf("%q\nwant %q; %d", out, want, code)
	}
}

// exactly has the environment not cleaned up by package exec on the way.
func (s setting) exactly(t *testing.T, env []string) setting {
	t.Helper()
	s.env = []string{"PATH=/bin:/usr/bin"}
	self, err := os.Executable()
	must(t, err)
	s.through = append([]string{self, "with-environment"}, fmt.Sprint(len(env)))
	s.through = append(s.through, env...)
	return s
}

func TestRow14WorkingDirectory(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	out, code := run(t, setting{dir: dir}, sh("pwd -P; until test \"$(readlink /proc/1/cwd)\" = /; do :; done")...)
	if out != dir+"\n" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
}

func TestRow15OutputIsTheVeryFile(t *testing.T) {
	t.Parallel()
	f, err := os.CreateTemp(t.TempDir(), "out")
	must(t, err)
	defer f.Close()
	_, err = f.WriteString("before\n")
	must(t, err)
	b := start(t, setting{stdout: f}, sh("echo within")...)
	b.wait()
	_, err = f.WriteString("after\n") // the offset is shared, so nothing is overwritten
	must(t, err)
	text, err := os.ReadFile(f.Name())
	must(t, err)
	if string(text) != "before\nwithin\nafter\n" {
		t.Errorf("%q", text)
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
}

func TestRow16Descriptors(t *testing.T) {
	t.Parallel()
	f, err := os.CreateTemp(t.TempDir(), "extra")
	must(t, err)
	defer f.Close()
	// What the test itself was started with is there too, and what its libraries have
	// open in the moment of a start: so what the init was given is listed right before.
	given := filepath.Join(t.TempDir(), "given")
	const list = `for fd in /proc/$$/fd/*; do printf '%s ' "${fd##*/}"; done; readlink /proc/$$/fd/3`
	through := []string{"/bin/sh", "-c", `sh -c "$0" > ` + given + `; exec "$@"`, list}
	out, code := run(t, setting{extra: []*os.File{f}, through: through}, sh(list)...)
	want, err := os.ReadFile(given)
	if err != nil || code != 0 || out != string(want) || !strings.HasSuffix(out, " "+f.Name()+"\n") {
		t.Errorf("%q, want %q, %d, %v", out, want, code, err)
	}
}

// Sockets of an activation are the program's: LISTEN_PID is rewritten where it names
// the init, and nothing else is.
func TestRow16ListenPID(t *testing.T) {
	t.Parallel()
	env := []string{"B=2", "PATH=/bin:/usr/bin", "LISTEN_PID=1", "LISTEN_FDS=1", "A=1", "A=2"}
	self, err := os.Executable()
	must(t, err)
	through := append([]string{self, "with-environment", fmt.Sprint(len(env))}, env...)
	script := `echo $0 $$; tr '\0' ' ' < /proc/self/environ`
	out, code := run(t, setting{through: through}, "--", "sh", "-c", script, "name")
	lines := strings.SplitN(out, "\n", 2)
	pid, ok := strings.CutPrefix(lines[0], "name ")
	if want := "B=2 PATH=/bin:/usr/bin LISTEN_PID=" + pid + " LISTEN_FDS=1 A=1 A=2 "; !ok || pid == "1" || code != 0 || len(lines) != 2 || strings.ReplaceAll(lines[1], "PWD=/ ", "") != want {
		t.Errorf("%q, %d, want %q", out, code, want)
	}
	env[2] = "LISTEN_PID=77"
	through = append([]string{self, "with-environment", fmt.Sprint(len(env))}, env...)
	if out, code := run(t, setting{through: through}, "--", "sh", "-c", "echo $LISTEN_PID"); out != "77\n" || code != 0 {
		t.Errorf("somebody else's: %q, %d", out, code)
	}
	env[2] = "LISTEN_PID=1"
	through = append([]string{self, "with-environment", fmt.Sprint(len(env))}, env...)
	dir := t.TempDir()
	text := write(t, filepath.Join(dir, "text"), "echo text $1\n")
	if out, code := run(t, setting{through: through}, "--", text, "word"); out != "text word\n" || code != 0 {
		t.Errorf("a text: %q, %d", out, code)
	}
	alien := write(t, filepath.Join(dir, "alien"), "\x7fELF\x02\x01\x01\x00")
	for path, want := range map[string]int{dir + "/absent": 127, dir: 126, alien: 126} {
		b := start(t, setting{through: through}, "--", path)
		if _, code := b.wait(); code != want || !strings.Contains(b.stderr.String(), path) {
			t.Errorf("%s: %d, %q", path, code, b.stderr.String())
		}
	}
}

func TestRow17Limits(t *testing.T) {
	t.Parallel()
	s := setting{through: []string{"/usr/bin/prlimit", "--nofile=100:200", "--core=0:0", "--stack=4194304:", "--"}}
	out, code := run(t, s, "--", "cat", "/proc/self/limits")
	find := func(name string) []string {
		for line := range strings.Lines(out) {
			if rest, ok := strings.CutPrefix(line, name); ok {
				return strings.Fields(rest)[:2]
			}
		}
		return nil
	}
	if got := fmt.Sprint(find("Max open files"), find("Max core file size"), find("Max stack size")[:1]); got != "[100 200] [0 0] [4194304]" || code != 0 {
		t.Errorf("%s, %d", got, code)
	}
}

// Rows 19 and 20: also what was blocked when the init was started.
func TestRow19SignalStateIsClean(t *testing.T) {
	t.Parallel()
	out, code := run(t, setting{how: "signals-ignored"}, "--", "grep", "^Sig[BIP]", "/proc/self/status")
	var pending, blocked, ignored uint64
	_, err := fmt.Sscanf(out, "SigPnd:\t%x\nSigBlk:\t%x\nSigIgn:\t%x\n", &pending, &blocked, &ignored)
	ignored &^= 7 << 31 // 32 to 34, which a Go program cannot change, may come from the starter of the test
	if err != nil || code != 0 || pending|blocked|ignored != 0 {
		t.Errorf("%q, %d, %v", out, code, err)
	}
}

func TestRow21GroupOfItsOwnAndRow22Parent(t *testing.T) {
	t.Parallel()
	out, code := run(t, setting{}, "--", "cat", "/proc/self/stat")
	var pid, parent, group int
	var name, state string
	_, err := fmt.Sscan(out, &pid, &name, &state, &parent, &group)
	if err != nil || code != 0 || parent != 1 || group != pid {
		t.Errorf("%q, %d, %v", out, code, err)
	}
	if out, code := run(t, setting{}, sh("trap '' TERM; kill -TERM 0; exit 3")...); code != 3 {
		t.Errorf("%q, %d", out, code)
	}
}

func TestRow23ClosedDescriptors(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	s := setting{through: []string{"/bin/sh", "-c", `exec "$@" <&- >&- 2>&-`, "sh"}}
	out, code := run(t, s, sh("readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 > "+mark)...)
	text, err := os.ReadFile(mark)
	if err != nil || code != 0 || out != "" || strings.Count(string(text), "/dev/null\n") != 2 {
		t.Errorf("%q, %d, %q, %v", out, code, text, err)
	}
}

func TestRow24SixteenDescriptors(t *testing.T) {
	t.Parallel()
	s := setting{through: []string{"/usr/bin/prlimit", "--nofile=16:16", "--"}}
	if out, code := run(t, s, sh("echo fine")...); out != "fine\n" || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
}
