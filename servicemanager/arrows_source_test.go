package servicemanager_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// sourceFile is a text file of the module.
type sourceFile struct {
	path string // relative to the module, with slashes
	text string
	fset *token.FileSet // nil, as tree, for files that are not Go
	tree *ast.File
}

func (f *sourceFile) isGo() bool { return f.tree != nil }

// dir is the directory relative to the module.
func (f *sourceFile) dir() string {
	dir, _, _ := cutLast(f.path, "/")
	return dir
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

func (f *sourceFile) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// offence is a line that breaks a rule.
type offence struct {
	line int
	why  string
}

type sourceRule struct {
	name  string
	check func(f *sourceFile) []offence
}

func sourceRules() []sourceRule {
	return []sourceRule{
		{"the library does not know the product", productWords},
		{"the executable of process 1 is not looked at", process1Executable},
		{"no init functions", initFunctions},
		{"T6 nothing sleeps", sleeps},
		{"the s6 backend runs no program", s6Execs},
		{"no file over 500 lines", longFiles},
	}
}

func TestSource(t *testing.T) {
	files := readSource(t)
	for _, rule := range sourceRules() {
		t.Run(rule.name, func(t *testing.T) {
			for _, f := range files {
				for _, o := range rule.check(f) {
					t.Errorf("%s:%d: %s", f.path, o.line, o.why)
				}
			}
		})
	}
}

// readSource reads the module's text files, except hidden ones and this test,
// which has to spell what it forbids.
func readSource(t *testing.T) []*sourceFile {
	t.Helper()
	var files []*sourceFile
	err := filepath.WalkDir(arrowRoot, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor's or a build's temporary file, gone again
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(arrowRoot, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && rel != ".":
			return fs.SkipDir
		case !d.Type().IsRegular(), strings.HasPrefix(rel, "servicemanager/arrows_"):
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if utf8.Valid(text) {
			files = append(files, parseSource(t, rel, string(text)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parseSource(t *testing.T, path, text string) *sourceFile {
	t.Helper()
	f := &sourceFile{path: path, text: text}
	if !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata/") {
		return f
	}
	f.fset = token.NewFileSet()
	tree, err := parser.ParseFile(f.fset, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%v", err)
		return f
	}
	f.tree = tree
	return f
}

// productWords: what belongs to the program this module's command serves stays
// under cmd.
func productWords(f *sourceFile) []offence {
	if !under(f.path, "servicemanager") && !under(f.path, "backends") {
		return nil
	}
	var found []offence
	for i, line := range strings.Split(f.text, "\n") {
		line = strings.ReplaceAll(line, "hermes-gateway", "") // the module and its command
		for _, word := range []string{"HERMES_", "SOUL.md"} {
			if strings.Contains(line, word) {
				found = append(found, offence{i + 1, word + " belongs under cmd"})
			}
		}
		if strings.Contains(strings.ToLower(line), "profile") {
			found = append(found, offence{i + 1, "profiles belong under cmd"})
		}
	}
	return found
}

// process1Executable: only root may read that link, and what others get looks
// like an answer. Comments may say so.
func process1Executable(f *sourceFile) []offence {
	if !f.isGo() {
		return nil
	}
	var found []offence
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(lit.Value, "proc/1/exe") {
			found = append(found, offence{f.line(n), "unprivileged users cannot read /proc/1/exe; use /proc/1/comm"})
		}
		return true
	})
	return found
}

func initFunctions(f *sourceFile) []offence {
	if !f.isGo() || f.dir() == "backends/all" || f.dir() == "cmd/hermes-gateway/internal/early" {
		return nil
	}
	var found []offence
	for _, d := range f.tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			found = append(found, offence{f.line(fn), "init only in backends/all and cmd/hermes-gateway/internal/early"})
		}
	}
	return found
}

// sleeps finds every mention of time.Sleep, also as a value and under another
// name of the package.
func sleeps(f *sourceFile) []offence {
	if !f.isGo() {
		return nil
	}
	const why = "time.Sleep: wait for the event, or for a timer together with the context"
	name, spec := importedAs(f, "time")
	switch name {
	case "":
		return nil
	case ".":
		return []offence{{f.line(spec), "time imported as ., which hides time.Sleep"}}
	}
	var found []offence
	ast.Inspect(f.tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Sleep" {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
			found = append(found, offence{f.line(n), why})
		}
		return true
	})
	return found
}

// importedAs returns the name under which a file uses a package, "" if it does
// not.
func importedAs(f *sourceFile, path string) (string, *ast.ImportSpec) {
	for _, spec := range f.tree.Imports {
		if spec.Path.Value != strconv.Quote(path) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name, spec
		}
		_, base, _ := cutLast(path, "/")
		return base, spec
	}
	return "", nil
}

func s6Execs(f *sourceFile) []offence {
	if !f.isGo() || !under(f.path, "backends/s6") || strings.HasSuffix(f.path, "_test.go") {
		return nil
	}
	if name, spec := importedAs(f, "os/exec"); name != "" {
		return []offence{{f.line(spec), "os/exec: the s6 backend speaks the protocol and executes no program"}}
	}
	return nil
}

func longFiles(f *sourceFile) []offence {
	const most = 500
	if n := strings.Count(f.text, "\n"); f.isGo() && n > most {
		return []offence{{most + 1, "the file has " + strconv.Itoa(n) + " lines; split it by concept"}}
	}
	return nil
}

// A rule that nothing can break keeps nothing.
func TestSourceRulesBite(t *testing.T) {
	for _, tc := range []struct {
		name, path, text string
		broken           string // the name of the rule; "" for a file that may be
		line             int
	}{
		{"word", "backends/s6/a.go", "package a\n\n// Profile of a user.\n", "the library does not know the product", 3},
		{"word in a text file", "backends/s6/testdata/README", "HERMES_HOME\n", "the library does not know the product", 1},
		{"marker file", "servicemanager/a.go", "package a\n\nconst m = \"SOUL.md\"\n", "the library does not know the product", 3},
		{"module and command", "servicemanager/a.go", "package a\n\n// " + arrowModule + ", hermes-gateway\n", "", 0},
		{"word in the command", "cmd/hermes-gateway/a.go", "package a\n\n// profile\n", "", 0},
		{"exe", "backends/s6/a.go", "package a\n\nvar p = \"/proc/1/exe\"\n", "the executable of process 1 is not looked at", 3},
		{"exe in a comment", "backends/s6/a.go", "package a\n\n// not /proc/1/exe\n", "", 0},
		{"init", "backends/s6/a.go", "package a\n\nfunc init() {}\n", "no init functions", 3},
		{"init in the registry", "backends/all/a.go", "package all\n\nfunc init() {}\n", "", 0},
		{"init below the early package", "cmd/hermes-gateway/internal/early/x/a.go", "package x\nfunc init() {}\n", "no init functions", 2},
		{"method init", "backends/s6/a.go", "package a\n\ntype t int\n\nfunc (t) init() {}\n", "", 0},
		{"sleep", "cmd/x/a_test.go", "package a\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "T6 nothing sleeps", 5},
		{"sleep renamed", "cmd/x/a.go", "package a\n\nimport clock \"time\"\n\nvar f = clock.Sleep\n", "T6 nothing sleeps", 5},
		{"sleep by dot", "cmd/x/a.go", "package a\n\nimport . \"time\"\n\nvar f = Sleep\n", "T6 nothing sleeps", 3},
		{"another sleep", "cmd/x/a.go", "package a\n\nimport \"time\"\n\nvar f = x.Sleep\nvar _ time.Time\n", "", 0},
		{"exec", "backends/s6/pid1/a.go", "package a\n\nimport _ \"os/exec\"\n", "the s6 backend runs no program", 3},
		{"exec in a test", "backends/s6/a_test.go", "package a\n\nimport _ \"os/exec\"\n", "", 0},
		{"exec elsewhere", "backends/systemd/a.go", "package a\n\nimport _ \"os/exec\"\n", "", 0},
		{"long", "cmd/x/a.go", "package a\n" + strings.Repeat("\n", 500), "no file over 500 lines", 501},
		{"just not long", "cmd/x/a.go", "package a\n" + strings.Repeat("\n", 499), "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := parseSource(t, tc.path, tc.text)
			broken, line := "", 0
			for _, rule := range sourceRules() {
				if found := rule.check(f); found != nil {
					broken, line = rule.name, found[0].line
				}
			}
			if broken != tc.broken || line != tc.line {
				t.Errorf("line %d breaks %q, want line %d and %q", line, broken, tc.line, tc.broken)
			}
		})
	}
}
