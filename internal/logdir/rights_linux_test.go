package logdir

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func open(t *testing.T, words string) (*Log, error) {
	t.Helper()
	s, err := Parse(strings.Fields(words))
	must(t, err)
	l, err := Open(s, Options{})
	if err == nil {
		t.Cleanup(l.Abandon)
	}
	return l, err
}

func TestLockExcludesEverybody(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l, err := open(t, dir)
	must(t, err)
	if _, err := open(t, dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir+": is being written to by another logger") {
		t.Errorf("a second Log of the process: %v", err)
	}
	s6log := s6test.Tool(t, "s6-log")
	cmd := exec.Command(s6log, dir)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 111 || !strings.Contains(string(out), "busy") {
		t.Errorf("s6-log: %v %s", err, out)
	}
	must(t, l.Close())

	real := exec.Command(s6log, "-d", "3", dir)
	in, err := real.StdinPipe()
	must(t, err)
	ready, write, err := os.Pipe()
	must(t, err)
	real.ExtraFiles = []*os.File{write}
	must(t, real.Start())
	write.Close()
	_, err = ready.Read(make([]byte, 1))
	must(t, err)
	ready.Close()
	if _, err := open(t, dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "(process ") {
		t.Errorf("beside s6-log: %v", err)
	}
	must(t, in.Close())
	must(t, real.Wait())
	if _, err := open(t, dir); err != nil {
		t.Error("after s6-log: ", err)
	}
}

// What is given up is free again, and the same directory twice is refused.
func TestFailedOpenGivesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := open(t, dir+" "+dir); !errors.Is(err, ErrLocked) {
		t.Errorf("the same directory twice: %v", err)
	}
	if _, err := open(t, dir+" "+filepath.Join(dir, "no", "such")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that cannot be made: %v", err)
	}
	l, err := open(t, dir)
	must(t, err)
	must(t, l.Close())
}

func TestNothingLeadsAstray(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(root string) error
		want string
	}{
		{"the directory is a link", func(root string) error {
			return errors.Join(os.Mkdir(root+"/real", 0o700), os.Symlink("real", root+"/log"))
		}, "is a symbolic link, which is not followed"},
		{"the directory is a file", func(root string) error { return os.WriteFile(root+"/log", nil, 0o600) }, "not a directory"},
		{"current is a link", func(root string) error {
			return errors.Join(os.Mkdir(root+"/log", 0o700), os.Symlink(root+"/victim", root+"/log/current"))
		}, "current: is a symbolic link"},
		{"lock is a link", func(root string) error {
			return errors.Join(os.Mkdir(root+"/log", 0o700), os.Symlink(root+"/victim", root+"/log/lock"))
		}, "lock: is a symbolic link"},
		{"state is a link", func(root string) error {
			return errors.Join(os.Mkdir(root+"/log", 0o700), os.Symlink(root+"/victim", root+"/log/state"))
		}, ""}, // it is replaced
		{"current is a FIFO", func(root string) error {
			return errors.Join(os.Mkdir(root+"/log", 0o700), unix.Mkfifo(root+"/log/current", 0o700))
		}, "no such device"},
		{"current is a directory", func(root string) error { return os.MkdirAll(root+"/log/current", 0o700) }, "is a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := t.TempDir()
			must(t, tc.make(root))
			_, err := open(t, root+"/log")
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if _, err := os.Lstat(root + "/victim"); err == nil {
				t.Error("a link was followed")
			}
		})
	}
}

// A link above the directory is followed.
func TestLinksAbove(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(root+"/a/b", 0o700))
	must(t, os.Symlink("b", root+"/a/relative"))
	must(t, os.Symlink(root+"/a/relative", root+"/absolute"))
	must(t, os.Symlink("loop", root+"/loop"))
	for _, path := range []string{"/absolute/log", "/a/relative/log/", "/a/./b/../relative//log", "/a/b/log/."} {
		l, err := open(t, root+path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		must(t, l.Write([]byte("x\n")))
		must(t, l.Close())
	}
	if got := content(t, root+"/a/b/log"); got != "x\nx\nx\nx\n" {
		t.Errorf("got %q", got)
	}
	if _, err := open(t, root+"/loop/log"); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
	t.Chdir(root)
	l, err := open(t, "./here")
	must(t, err)
	must(t, l.Close())
	if _, err := os.Stat(root + "/here/current"); err != nil {
		t.Error(err)
	}
}

// Root trusts only what nobody else could have put in its way.
func TestRootRefusesWhatOthersCanChange(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("for root")
	}
	mk := func(path string, mode uint32, uid int) error {
		return errors.Join(os.MkdirAll(path, 0o755), unix.Chmod(path, mode), os.Chown(path, uid, uid))
	}
	const user = 10000
	for _, tc := range []struct {
		name string
		make func(root string) error
		dir  string
		want string
	}{
		{"all of root", func(r string) error { return mk(r+"/a", 0o755, 0) }, "/a/log", ""},
		{"sticky above", func(r string) error { return mk(r+"/a", 0o1777, 0) }, "/a/log", ""},
		{"sticky itself", func(r string) error { return mk(r+"/a", 0o1777, 0) }, "/a", "can be written by others (mode 1777)"},
		{"of a user", func(r string) error { return mk(r+"/a", 0o700, user) }, "/a", "belongs to uid 10000"},
		{"below a user's", func(r string) error { return errors.Join(mk(r+"/a", 0o755, user), mk(r+"/a/log", 0o755, 0)) }, "/a/log", "at a: belongs to uid 10000"},
		{"group can write", func(r string) error { return mk(r+"/a", 0o775, 0) }, "/a/log", "at a: can be written by others (mode 0775)"},
		{"others can write", func(r string) error { return mk(r+"/a", 0o707, 0) }, "/a/log", "run it as another user, or chown root and chmod go-w"},
		{"link of a user", func(r string) error {
			return errors.Join(mk(r+"/a", 0o755, 0), mk(r+"/s", 0o1777, 0), os.Symlink("../a", r+"/s/l"), os.Lchown(r+"/s/l", user, user))
		}, "/s/l/log", "at l: is a link of uid 10000"},
		{"link of root into a user's", func(r string) error {
			return errors.Join(mk(r+"/a", 0o755, user), os.Symlink("a", r+"/l"))
		}, "/l/log", "at a: belongs to uid 10000"},
		{"link of root through a user's", func(r string) error {
			return errors.Join(mk(r+"/u", 0o755, user), mk(r+"/a", 0o755, 0), os.Symlink(r+"/u/../a", r+"/l"))
		}, "/l/log", "at u: belongs to uid 10000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := t.TempDir()
			must(t, unix.Chmod(root, 0o755))
			must(t, tc.make(root))
			_, err := open(t, root+tc.dir)
			if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			_, err = open(t, "="+root+tc.dir+"/x/status")
			must(t, err) // it is opened when there is something to write
		})
	}
}

// A directory that cannot be written to is an error at first, and waited for
// later.
func TestUnwritableDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can write everywhere")
	}
	dir := filepath.Join(t.TempDir(), "log")
	must(t, os.Mkdir(dir, 0o500))
	if _, err := open(t, dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("at first: %v", err)
	}
	must(t, os.Chmod(dir, 0o700))
	l, err := open(t, "r0 "+dir)
	must(t, err)
	must(t, l.Write([]byte("a\n")))
	must(t, os.Chmod(dir, 0o500))
	var b *Blocked
	if err := l.Rotate(); !errors.As(err, &b) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("later: %v", err)
	}
	if err := l.Write([]byte("b\n")); !errors.As(err, &b) || b.Pending != 2 {
		t.Errorf("later: %v", err)
	}
	must(t, os.Chmod(dir, 0o700))
	must(t, l.Rotate())
	must(t, l.Close())
	if got := snapshot(t, dir); !strings.HasPrefix(got, "@1.s -rwxr--r-- \"a\\n\"\ncurrent -rwxr--r-- \"b\\n\"\n") {
		t.Error(got)
	}
}

func TestStatusFiles(t *testing.T) {
	root := t.TempDir()
	must(t, os.Symlink("victim", root+"/padded.new"))
	l := openWords(t, "^8 ="+root+"/padded ^2 ="+root+"/cut ^0 pp =/"+root+"/whole - ="+root+"/never", Options{})
	must(t, l.Write([]byte("one\ntwo\nthree")))
	for _, tc := range []struct{ name, want string }{
		{"padded", "two\n\n\n\n\n"}, {"cut", "tw"}, {"whole", "p two\n"},
	} {
		if got, err := os.ReadFile(filepath.Join(root, tc.name)); string(got) != tc.want {
			t.Errorf("%s holds %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
	must(t, l.Write([]byte(" and more\n")))
	if got, _ := os.ReadFile(root + "/padded"); string(got) != "three an" {
		t.Errorf("later %q", got)
	}
	must(t, l.Close())
	for _, name := range []string{"victim", "never", "padded.new"} {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil {
			t.Error(name + " was made")
		}
	}
	var warnings []error
	l = openWords(t, "="+root+"/no/such", Options{Warn: func(err error) { warnings = append(warnings, err) }})
	must(t, l.Write([]byte("a\n")))
	if len(warnings) != 1 || !errors.Is(warnings[0], fs.ErrNotExist) || !strings.Contains(warnings[0].Error(), root+"/no/such") {
		t.Errorf("warnings %v", warnings)
	}
}
