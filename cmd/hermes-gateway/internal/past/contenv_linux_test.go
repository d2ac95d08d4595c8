package past

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// Each directory of variables means the same as to s6-envdir -Lf, which is what
// with-contenv of s6-overlay executes.
func TestVariablesAsS6EnvdirReadsThem(t *testing.T) {
	t.Parallel()
	real := s6test.Tool(t, "s6-envdir")
	for name, files := range map[string]map[string]string{
		"nothing":            {},
		"plain":              {"FOO": "bar", "PATHS": "/a:/b"},
		"a last newline":     {"FOO": "bar\n", "TWO": "bar\n\n", "ONLY": "\n"},
		"several lines":      {"FOO": "a\nb\nc"},
		"NUL":                {"FOO": "a\x00b", "ONLY": "\x00", "LAST": "a\x00\n"},
		"blanks stay":        {"FOO": " \ta b \t"},
		"bytes":              {"FOO": "\xff\xfe", "BAR": "\x01"},
		"empty unsets":       {"GIVEN": ""},
		"over what is given": {"GIVEN": "other"},
		"names of nobody":    {".FOO": "x", "A=B": "x"},
		"odd names":          {"a-b": "x", "1": "y", "ü": "z"},
		"long":               {"FOO": strings.Repeat("k", 100<<10)},
	} {
		dir := t.TempDir()
		for file, text := range files {
			must(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644))
		}
		given := []string{"GIVEN=1", "PATH=" + os.Getenv("PATH")}
		theirs := run(t, given, real, "-Lf", "--", dir, "env", "-0")
		want := map[string]bool{}
		for entry := range strings.SplitSeq(strings.TrimSuffix(theirs.out, "\x00"), "\x00") {
			want[entry] = true
		}
		set, unset, err := read(dir)
		must(t, err)
		got := map[string]string{"GIVEN": "1", "PATH": os.Getenv("PATH")}
		for _, n := range unset {
			delete(got, n)
		}
		for n, v := range set {
			got[n] = v
		}
		for n, v := range got {
			if !want[n+"="+v] {
				t.Errorf("%s: s6-envdir has no %s=%.40q", name, n, v)
			}
		}
		if len(got) != len(want) || theirs.code != 0 {
			t.Errorf("%s: %d variables, s6-envdir has %d, and exit code %d", name, len(got), len(want), theirs.code)
		}
	}
}

// What s6-envdir fails of is an error here.
func TestVariablesThatAreNone(t *testing.T) {
	t.Parallel()
	real := s6test.Tool(t, "s6-envdir")
	for name, spoil := range map[string]func(path string) error{
		"a directory": func(path string) error { return os.Mkdir(path, 0o755) },
		"a dead link": func(path string) error { return os.Symlink("/nonexistent", path) },
	} {
		dir := t.TempDir()
		must(t, spoil(filepath.Join(dir, "FOO")))
		if theirs := run(t, nil, real, "-Lf", "--", dir, "/bin/true"); theirs.code != exitSystem {
			t.Errorf("%s: s6-envdir says %+v", name, theirs)
		}
		if _, _, err := read(dir); err == nil || !strings.Contains(err.Error(), "FOO") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoDirectoryOfVariables(t *testing.T) {
	t.Parallel()
	set, unset, err := readEnvironment(filepath.Join(t.TempDir(), "absent"))
	if err != nil || len(set)+len(unset) > 0 {
		t.Errorf("%v, %v, %v", set, unset, err)
	}
}

// As root, variables that others could have written are not taken.
func TestVariablesOfOthersAreNotRoots(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("about root")
	}
	dir, err := os.MkdirTemp("/var/lib", "variables")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o777))
	if _, _, err := readEnvironment(dir); err != nil { // there is nothing in it
		t.Error(err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "LD_PRELOAD"), []byte("/tmp/x.so"), 0o644))
	if _, _, err := readEnvironment(dir); err == nil || !strings.Contains(err.Error(), "others than root can write "+dir) {
		t.Errorf("%v", err)
	}
	must(t, os.Chmod(dir, 0o755))
	if set, _, err := readEnvironment(dir); err != nil || set["LD_PRELOAD"] == "" {
		t.Errorf("root's own: %v, %v", set, err)
	}
}

// read is readEnvironment without the question whose the directory is.
func read(dir string) (map[string]string, []string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	return readVariables(dir, entries)
}

func TestWithContenvExitCodes(t *testing.T) {
	t.Parallel()
	self := called(t, withContenv)
	path := "PATH=" + os.Getenv("PATH")
	for want, words := range map[int][]string{
		100: nil, 127: {"/nonexistent"}, 126: {"/etc/passwd"}, 7: {"sh", "-c", "exit 7"},
	} {
		if got := run(t, []string{path}, append([]string{self}, words...)...); got.code != want {
			t.Errorf("%q: %+v, want %d", words, got, want)
		}
	}
	if got := run(t, []string{"B=2", "A=1", path}, self, "sh", "-c", `echo "$A$B$1"`, "x", "-v"); got != (ran{"12-v\n", 0, ""}) {
		t.Errorf("%+v", got)
	}
}

// The kernel has it execute a script, with one argument.
func TestWithContenvIsAnInterpreter(t *testing.T) {
	t.Parallel()
	self := called(t, withContenv)
	script := write(t, filepath.Join(t.TempDir(), "script"), "#!"+self+" sh\necho \"$0 $1\"\n")
	got := run(t, []string{"PATH=" + os.Getenv("PATH")}, script, "word")
	if got.out != script+" word\n" || got.code != 0 || !bytes.Equal([]byte(got.err), nil) {
		t.Errorf("%+v", got)
	}
}
