package servicemanager_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// This file keeps the arrows of docs/architecture.md: who may import whom.
// arrows_source_test.go keeps the rules about the text of the code.

const (
	arrowModule = "github.com/hermes-gateway/hermes-gateway"
	arrowRoot   = ".." // the module, seen from this package
)

// arrow is one import.
type arrow struct {
	from string // importing package, relative to the module: "backends/s6"
	to   string // imported package, relative or, outside the module, in full
	ours bool   // to is in this module
	test bool   // imported by tests only
}

// arrowRule answers why an arrow is wrong, or "".
type arrowRule struct {
	name  string
	wrong func(a arrow) string
}

func arrowRules() []arrowRule {
	return []arrowRule{
		{"servicemanager needs the standard library only", wrongCoreArrow},
		{"a backend knows no other backend", func(a arrow) string {
			from, to := backendOf(a.from), backendOf(a.to)
			if a.ours && from != "" && from != "all" && to != "" && to != from {
				return "only backends/all may import several backends"
			}
			return ""
		}},
		{"nothing imports cmd", func(a arrow) string {
			if a.ours && under(a.to, "cmd") && !under(a.from, "cmd") {
				return "the command stands on the library, never the other way round"
			}
			return ""
		}},
		{"internal packages know no backend", func(a arrow) string {
			if a.ours && !a.test && under(a.from, "internal") && under(a.to, "backends") {
				return "the shared engine is below the backends"
			}
			return ""
		}},
		{"dependencies stay where they belong", wrongDependency},
	}
}

// wrongCoreArrow: within servicemanager packages import each other only as
// listed.
func wrongCoreArrow(a arrow) string {
	if a.test || !under(a.from, "servicemanager") {
		return ""
	}
	allowed := map[string][]string{
		"servicemanager/notify": {"servicemanager"},
		"servicemanager/smtest": {"servicemanager", "servicemanager/notify", "servicemanager/smtest"},
	}
	for pkg, targets := range allowed {
		if under(a.from, pkg) && a.ours && slices.Contains(targets, a.to) {
			return ""
		}
	}
	return "the core imports the standard library and, below it, servicemanager itself"
}

// wrongDependency: a user of one backend pays for that one only.
func wrongDependency(a arrow) string {
	if a.ours {
		return ""
	}
	allowed := []struct {
		dependency string
		users      []string
	}{
		{"github.com/coreos/go-systemd", []string{"backends/systemd"}},
		{"github.com/godbus/dbus", []string{"backends/systemd"}},
		{"howett.net/plist", []string{"backends/launchd"}},
		{"github.com/spf13", []string{"cmd"}},
		{"golang.org/x/sys", []string{"backends/s6", "cmd", "internal"}},
	}
	for _, rule := range allowed {
		if under(a.to, rule.dependency) {
			if slices.ContainsFunc(rule.users, func(dir string) bool { return under(a.from, dir) }) {
				return ""
			}
			return "only " + strings.Join(rule.users, ", ") + " may use it"
		}
	}
	return "an unknown dependency: justify it, then add it to this table"
}

// under says whether path is dir or lies below it.
func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// backendOf returns "s6" for "backends/s6/internal/tai" and "" elsewhere.
func backendOf(pkg string) string {
	rest, ok := strings.CutPrefix(pkg, "backends/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// arrowPackage is what `go list -json` tells about a package.
type arrowPackage struct {
	ImportPath, Dir                          string
	Standard                                 bool
	GoFiles, TestGoFiles, XTestGoFiles       []string
	Imports, TestImports, XTestImports, Deps []string
	Error                                    *struct{ Pos, Err string }
}

func (p arrowPackage) relative() string { return relativePackage(p.ImportPath) }

func relativePackage(path string) string { return strings.TrimPrefix(path, arrowModule+"/") }

func TestArrows(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			packages := listPackages(t, goos)
			t.Run("every package loads", func(t *testing.T) {
				for _, p := range packages {
					if p.Error != nil {
						t.Errorf("%s: %s: %s", p.Error.Pos, p.ImportPath, p.Error.Err)
					}
				}
			})
			for _, rule := range arrowRules() {
				t.Run(rule.name, func(t *testing.T) { checkArrows(t, packages, rule) })
			}
			t.Run("servicemanager pulls in nothing", func(t *testing.T) { checkCoreDeps(t, packages) })
		})
	}
}

// listPackages asks the go command for this module's packages and all they
// need, as they are on another system.
func listPackages(t *testing.T, goos string) []arrowPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps",
		"-json=ImportPath,Dir,Standard,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps,Error", "./...")
	cmd.Dir = arrowRoot
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("this test needs the go command: %v: %s", err, stderr.String())
	}
	var packages []arrowPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p arrowPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("output of go list: %v", err)
		}
		packages = append(packages, p)
	}
	if !slices.ContainsFunc(packages, func(p arrowPackage) bool { return p.relative() == "servicemanager" }) {
		t.Fatalf("go list does not know servicemanager among %d packages", len(packages))
	}
	return packages
}

func checkArrows(t *testing.T, packages []arrowPackage, rule arrowRule) {
	standard := map[string]bool{"C": true}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range packages {
		if !under(p.ImportPath, arrowModule) {
			continue
		}
		check := func(imports, files []string, test bool) {
			for _, to := range imports {
				// Tests' own imports are not in the list; the standard
				// library's paths have no dot in their first element.
				first, _, _ := strings.Cut(to, "/")
				if standard[to] || !strings.Contains(first, ".") {
					continue
				}
				a := arrow{from: p.relative(), to: relativePackage(to), ours: under(to, arrowModule), test: test}
				if why := rule.wrong(a); why != "" {
					t.Errorf("%s: %s imports %s: %s", importPosition(p.Dir, files, to), a.from, a.to, why)
				}
			}
		}
		check(p.Imports, p.GoFiles, false)
		check(p.TestImports, p.TestGoFiles, true)
		check(p.XTestImports, p.XTestGoFiles, true)
	}
}

// checkCoreDeps looks through everything below the core, not only at its own
// imports.
func checkCoreDeps(t *testing.T, packages []arrowPackage) {
	standard := map[string]bool{}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range packages {
		if !under(p.relative(), "servicemanager") {
			continue
		}
		for _, dep := range p.Deps {
			if !standard[dep] && !under(relativePackage(dep), "servicemanager") {
				t.Errorf("%s: %s needs %s; see its imports for the way", p.Dir, p.relative(), dep)
			}
		}
	}
}

// importPosition finds file and line of an import.
func importPosition(dir string, files []string, path string) string {
	for _, name := range files {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ImportsOnly)
		if err != nil {
			continue // "every package loads" reports it
		}
		for _, spec := range f.Imports {
			if spec.Path.Value == strconv.Quote(path) {
				pos := fset.Position(spec.Pos())
				return fmt.Sprintf("%s:%d", pos.Filename, pos.Line)
			}
		}
	}
	return dir
}

// A rule that nothing can break keeps nothing.
func TestArrowRulesBite(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		test     bool
		broken   string // the name of the rule; "" for an arrow that may be
	}{
		{from: "servicemanager", to: "golang.org/x/sys/unix", broken: "servicemanager needs the standard library only"},
		{from: "servicemanager", to: arrowModule + "/servicemanager/notify", broken: "servicemanager needs the standard library only"},
		{from: "servicemanager", to: arrowModule + "/backends/s6", broken: "servicemanager needs the standard library only"},
		{from: "servicemanager/notify", to: arrowModule + "/servicemanager"},
		{from: "servicemanager/notify", to: arrowModule + "/servicemanager/smtest", broken: "servicemanager needs the standard library only"},
		{from: "servicemanager/smtest", to: arrowModule + "/servicemanager/notify"},
		{from: "servicemanager/smtest", to: arrowModule + "/internal/supervise", broken: "servicemanager needs the standard library only"},
		{from: "backends/s6", to: arrowModule + "/servicemanager"},
		{from: "backends/s6/pid1", to: arrowModule + "/backends/s6/reaper"},
		{from: "backends/s6", to: arrowModule + "/internal/supervise"},
		{from: "backends/all", to: arrowModule + "/backends/s6"},
		{from: "backends/s6", to: arrowModule + "/backends/all", broken: "a backend knows no other backend"},
		{from: "backends/s6/pid1", to: arrowModule + "/backends/systemd", broken: "a backend knows no other backend"},
		{from: "backends/s6", to: arrowModule + "/backends/systemd", test: true, broken: "a backend knows no other backend"},
		{from: "backends/s6", to: arrowModule + "/cmd/hermes-gateway", broken: "nothing imports cmd"},
		{from: "cmd/hermes-gateway", to: arrowModule + "/cmd/hermes-gateway/internal/cli"},
		{from: "internal/supervise", to: arrowModule + "/backends/s6", broken: "internal packages know no backend"},
		{from: "internal/s6test", to: arrowModule + "/backends/s6", test: true},
		{from: "backends/s6/reaper", to: "golang.org/x/sys/unix"},
		{from: "internal/supervise", to: "golang.org/x/sys/unix"},
		{from: "backends/systemd", to: "golang.org/x/sys/unix", broken: "dependencies stay where they belong"},
		{from: "backends/systemd", to: "github.com/coreos/go-systemd/v22/dbus"},
		{from: "backends/s6", to: "github.com/godbus/dbus/v5", broken: "dependencies stay where they belong"},
		{from: "backends/launchd", to: "howett.net/plist"},
		{from: "cmd/hermes-gateway/internal/cli", to: "github.com/spf13/cobra"},
		{from: "backends/foreground", to: "github.com/spf13/cobra", broken: "dependencies stay where they belong"},
		{from: "cmd/hermes-gateway", to: "example.org/new", broken: "dependencies stay where they belong"},
	} {
		t.Run(tc.from+" to "+tc.to, func(t *testing.T) {
			a := arrow{from: tc.from, to: relativePackage(tc.to), ours: under(tc.to, arrowModule), test: tc.test}
			var broken []string
			for _, rule := range arrowRules() {
				if rule.wrong(a) != "" {
					broken = append(broken, rule.name)
				}
			}
			if tc.broken == "" && broken != nil || tc.broken != "" && !slices.Contains(broken, tc.broken) {
				t.Errorf("breaks %q, want %q", broken, tc.broken)
			}
		})
	}
}
