package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

const root = "../.."

func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, f := range append(files, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text[f] = string(b)
	}
	return text
}

// blocks returns the fenced blocks of one language.
func blocks(text, language string) []string {
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// Every program in the documentation is compiled as a program of another
// module that uses this one.
func TestProgramsCompile(t *testing.T) {
	module, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	requires := regexp.MustCompile(`(?ms)^require \(.*?^\)`).FindString(read(t, filepath.Join(root, "go.mod")))
	n := 0
	for page, text := range pages(t) {
		for _, program := range blocks(text, "go") {
			if !strings.HasPrefix(program, "package main") {
				continue
			}
			n++
			dir := t.TempDir()
			write(t, filepath.Join(dir, "main.go"), program)
			write(t, filepath.Join(dir, "go.sum"), string(sums))
			write(t, filepath.Join(dir, "go.mod"), "module example.com/documented\n\ngo 1.25.0\n\n"+requires+
				"\n\nrequire github.com/hermes-gateway/hermes-gateway v0.0.0\n\nreplace github.com/hermes-gateway/hermes-gateway => "+module+"\n")
			cmd := exec.Command("go", "build", "-mod=mod", "-o", os.DevNull, ".")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s\n%s", page, err, out, program)
			}
		}
	}
	if n < 2 {
		t.Errorf("only %d programs were found", n)
	}
}

// The commands that README shows do what they say, one after the other, on a
// real tree.
func TestReadmeCommands(t *testing.T) {
	tree := s6test.Start(t)
	bin := build(t)
	n := 0
	for _, block := range blocks(read(t, filepath.Join(root, "README.md")), "sh") {
		if !strings.HasPrefix(block, "hermes-gateway ") || strings.Contains(block, ownTree) {
			continue
		}
		n += strings.Count(block, "\n")
		cmd := exec.Command("sh", "-eux", "-c", block)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HERMES_SCANDIR="+tree.ScanDir, "HERMES_HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if n < 5 {
		t.Errorf("only %d commands were found", n)
	}
}

// What README and CONTRIBUTING tell people to type exists in the Makefile.
func TestMakeTargetsExist(t *testing.T) {
	makefile := read(t, filepath.Join(root, "Makefile"))
	n := 0
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile(`\bmake ([a-z]+)\b`).FindAllStringSubmatch(strings.Join(blocks(text, "sh"), "\n"), -1) {
			n++
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s says make %s, which the Makefile does not have", page, m[1])
			}
		}
	}
	if n < 4 {
		t.Errorf("only %d were found", n)
	}
}

// Links between pages lead somewhere.
func TestLinks(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

// build makes the program, and returns the directory it is in.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(bin, "hermes-gateway"), "./cmd/hermes-gateway")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return bin
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
