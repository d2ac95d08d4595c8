package logdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// With GoOn a writer that was killed leaves no archive behind, unless it is in
// the middle of a line that this one cannot end.
func TestGoOn(t *testing.T) {
	for _, tc := range []struct {
		name, left, words string
		eager             bool
		want              string // all files but lock and state
	}{
		{"whole lines", "a\n", "", true, "current -rwxr--r-- \"a\\nb\\n\"\n"},
		{"not eager", "a\n", "", false, "current -rwxr--r-- \"a\\nb\\n\"\n"},
		{"within a line", "a\nto", "", true, "current -rwxr--r-- \"a\\ntob\\n\"\n"},
		{"within a line, not eager", "a\nto", "", false, "@1.u -rw-r--r-- \"a\\nto\"\ncurrent -rwxr--r-- \"b\\n\"\n"},
		{"within a line, lines are selected", "a\nto", "+.", true, "@1.u -rw-r--r-- \"a\\nto\"\ncurrent -rwxr--r-- \"b\\n\"\n"},
		{"nothing", "", "", true, "current -rwxr--r-- \"b\\n\"\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			lay(t, dir, []piece{{name: "current", mode: 0o644, text: tc.left}})
			l := openWords(t, strings.TrimSpace(tc.words+" "+dir), Options{GoOn: true, Eager: tc.eager})
			must(t, l.Write([]byte("b\n")))
			must(t, l.Close())
			got := strings.NewReplacer("lock -rw-r--r-- \"\"\n", "", "state -rw-r--r-- \"\"\n", "").Replace(snapshot(t, dir))
			if got != tc.want {
				t.Errorf("got\n%swant\n%s", got, tc.want)
			}
		})
	}
}

// With Parents what is missing is made, by root only where nobody else can
// interfere.
func TestParents(t *testing.T) {
	root := t.TempDir()
	must(t, unix.Chmod(root, 0o755))
	must(t, os.Mkdir(root+"/real", 0o755))
	must(t, os.Symlink("real", root+"/link"))
	s, err := Parse([]string{root + "/link/a/b/c/"})
	must(t, err)
	if _, err := Open(s, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without Parents: %v", err)
	}
	l, err := Open(s, Options{Parents: true})
	must(t, err)
	must(t, l.Close())
	for name, want := range map[string]os.FileMode{"real/a": 0o755, "real/a/b": 0o755, "real/a/b/c": 0o700} {
		if info, err := os.Lstat(filepath.Join(root, name)); err != nil || info.Mode() != os.ModeDir|want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	t.Chdir(root)
	s, err = Parse([]string{"./x/y/z"})
	must(t, err)
	l, err = Open(s, Options{Parents: true})
	must(t, err)
	must(t, l.Close())
	if os.Geteuid() != 0 {
		return
	}
	for name, spoil := range map[string]func(dir string) error{
		"belongs to uid 10000":     func(dir string) error { return os.Chown(dir, 10000, 10000) },
		"can be written by others": func(dir string) error { return unix.Chmod(dir, 0o777) },
	} {
		dir := filepath.Join(t.TempDir(), "theirs")
		must(t, os.Mkdir(dir, 0o755))
		must(t, spoil(dir))
		s, err := Parse([]string{dir + "/a/b"})
		must(t, err)
		if _, err := Open(s, Options{Parents: true}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(dir + "/a"); err == nil {
			t.Errorf("%s: it made a directory there", name)
		}
	}
}
