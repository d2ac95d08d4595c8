package logdir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// piece is a file of a directory that a writer left behind.
type piece struct {
	name string
	mode os.FileMode
	text string
	link string // another name of the same file
}

func lay(t *testing.T, dir string, pieces []piece) {
	t.Helper()
	must(t, os.Mkdir(dir, 0o750))
	for _, p := range pieces {
		path := filepath.Join(dir, p.name)
		must(t, os.WriteFile(path, []byte(p.text), 0o600))
		must(t, os.Chmod(path, p.mode))
		if p.link != "" {
			must(t, os.Link(path, filepath.Join(dir, p.link)))
		}
	}
}

func label(n int, suffix string) string { return fmt.Sprintf("@400000005aed0000%08x%s", n, suffix) }

// Whatever a writer left behind, s6-log and a Log make the same of it.
func TestResumeAsS6Log(t *testing.T) {
	closed := piece{name: "current", mode: 0o744, text: "closed\n"}
	open := piece{name: "current", mode: 0o644, text: "open\n"}
	state := piece{name: "state", mode: 0o644, text: "of a processor"}
	long := strings.Repeat("x", 4000) + "\n"
	for _, tc := range []struct {
		name   string
		words  string
		pieces []piece
		since  bool // s6-log before 2.14 archives empty files as well
	}{
		{"nothing", "", nil, false},
		{"closed in order", "", []piece{closed, state}, false},
		{"not closed", "", []piece{open, state}, false},
		{"not closed and torn", "", []piece{{name: "current", mode: 0o644, text: "a\nto"}}, false},
		{"closed and torn", "", []piece{{name: "current", mode: 0o744, text: "a\nto"}}, false},
		{"other modes", "", []piece{{name: "current", mode: 0o604, text: "a\n"}}, false},
		{"closed, executable for all", "", []piece{{name: "current", mode: 0o755, text: "a\n"}}, false},
		{"executable for others only", "", []piece{{name: "current", mode: 0o655, text: "a\n"}}, false},
		{"after the rename", "", []piece{{name: "previous", mode: 0o644, text: "old\n"}}, false},
		{"after the new current", "", []piece{{name: "previous", mode: 0o644, text: "old\n"}, open}, false},
		{"after the mark", "", []piece{{name: "previous", mode: 0o744, text: "old\n"}, {name: "current", mode: 0o644}}, true},
		{"after the link", "", []piece{{name: "previous", mode: 0o744, text: "old\n", link: label(1, ".s")}, open}, false},
		{"empty previous", "", []piece{{name: "previous", mode: 0o744}, open}, true},
		{"a closed current hides the rest", "", []piece{closed, {name: "previous", mode: 0o644, text: "old\n"}}, false},
		{"processor at work", "", []piece{open, state, {name: "previous", mode: 0o744, text: "old\n"}, {name: "processed", mode: 0o644, text: "half"}, {name: "newstate", mode: 0o644, text: "x"}}, false},
		{"processor done", "", []piece{open, state, {name: "previous", mode: 0o744, text: "old\n"}, {name: "processed", mode: 0o744, text: "all\n"}, {name: "newstate", mode: 0o644, text: "x"}}, false},
		{"archives are trimmed", "n2", []piece{open, {name: label(1, ".s"), mode: 0o744, text: "1"}, {name: label(2, ".u"), mode: 0o644, text: "2"}, {name: label(3, ".s"), mode: 0o744, text: "3"}}, false},
		{"none is kept", "n0", []piece{open, {name: label(1, ".s"), mode: 0o744, text: "1"}}, false},
		{"trimmed by size", "S10", []piece{open, {name: label(1, ".s"), mode: 0o744, text: "12345"}, {name: label(2, ".s"), mode: 0o744, text: "12345"}, {name: label(3, ".s"), mode: 0o744, text: "123"}}, false},
		{"other names are left alone", "n0", []piece{open, {name: "@x.s", mode: 0o744, text: "1"}, {name: label(1, ".t"), mode: 0o744, text: "1"}, {name: label(1, ".ss"), mode: 0o744, text: "1"}, {name: "notes", mode: 0o600}}, false},
		{"nothing is trimmed without a rotation", "n1", []piece{closed, {name: label(1, ".s"), mode: 0o744, text: "1"}, {name: label(2, ".s"), mode: 0o744, text: "2"}}, false},
		{"full already", "s4096", []piece{{name: "current", mode: 0o744, text: long}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.since && archivesEmpty(t) {
				t.Skip("this s6-log archives empty files")
			}
			root := t.TempDir()
			var got [2]string
			for i, run := range []func(testing.TB, string, ...string){runReal, runOurs} {
				dir := filepath.Join(root, fmt.Sprint(i))
				if tc.pieces != nil {
					lay(t, dir, tc.pieces)
				}
				words := append(strings.Fields(tc.words), dir)
				run(t, "new\n", words...)
				got[i] = snapshot(t, dir)
				run(t, "newer\n", words...)
				got[i] += "and again\n" + snapshot(t, dir)
			}
			if got[0] != got[1] {
				t.Errorf("s6-log leaves\n%s\nwe leave\n%s", got[0], got[1])
			}
		})
	}
}

func archivesEmpty(t *testing.T) bool {
	dir := filepath.Join(t.TempDir(), "log")
	lay(t, dir, []piece{{name: "current", mode: 0o644}})
	runReal(t, "", dir)
	return strings.Contains(snapshot(t, dir), "@1.u")
}

// The modes of what is made obey the umask; that of the directory does not
// change.
func TestModes(t *testing.T) {
	old := unix.Umask(0o027)
	defer unix.Umask(old)
	dir := filepath.Join(t.TempDir(), "log")
	runOurs(t, "a\n", dir)
	info, err := os.Stat(dir)
	must(t, err)
	if info.Mode() != os.ModeDir|0o700 {
		t.Errorf("the directory is made with %v", info.Mode())
	}
	want := "current -rwxr----- \"a\\n\"\nlock -rw-r----- \"\"\nstate -rw-r----- \"\"\n"
	if got := snapshot(t, dir); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
