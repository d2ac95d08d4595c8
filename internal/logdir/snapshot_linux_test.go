package logdir

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var stampText = regexp.MustCompile(`@[0-9a-f]{24} |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  `)

// snapshot describes a log directory in a line for each file: name, mode and
// content. Archives are numbered in their order and stamps are replaced by
// their kind.
func snapshot(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var b strings.Builder
	archives := 0
	for _, e := range entries {
		name := e.Name()
		info, err := os.Lstat(filepath.Join(dir, name))
		must(t, err)
		text, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		if isArchive(name) {
			archives++
			name = fmt.Sprintf("@%d%s", archives, name[labelLen:])
		}
		fmt.Fprintf(&b, "%s %v %q\n", name, info.Mode(), stampText.ReplaceAllStringFunc(string(text), func(s string) string {
			return map[bool]string{true: "<label> ", false: "<time>  "}[s[0] == '@']
		}))
	}
	return b.String()
}

// content is all lines of a log directory in their order.
func content(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		if isArchive(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range append(names, namePrevious, nameCurrent) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if !errors.Is(err, os.ErrNotExist) {
			must(t, err)
		}
		b.Write(text)
	}
	return b.String()
}

// openWords opens a Log with the directives of one string.
func openWords(t testing.TB, words string, opts Options) *Log {
	t.Helper()
	s, err := Parse(strings.Fields(words))
	must(t, err)
	if opts.Warn == nil {
		opts.Warn = func(err error) { t.Error("warning: ", err) }
	}
	l, err := Open(s, opts)
	must(t, err)
	t.Cleanup(l.Abandon)
	return l
}

// runReal runs s6-log on an input. It fails at its start where it has to make
// two archives at once, as both get the same label; the second time one is left.
func runReal(t testing.TB, input string, words ...string) {
	t.Helper()
	for again := true; ; again = false {
		cmd := exec.Command(s6test.Tool(t, "s6-log"), append([]string{"--"}, words...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		if err == nil && len(out) == 0 {
			return
		}
		if !again || !strings.Contains(string(out), "File exists") {
			t.Fatalf("s6-log %q: %v %s", words, err, out)
		}
	}
}

// runOurs does the same with a Log.
func runOurs(t testing.TB, input string, words ...string) {
	t.Helper()
	l := openWords(t, strings.Join(words, " "), Options{})
	must(t, l.Write([]byte(input)))
	must(t, l.Close())
}
