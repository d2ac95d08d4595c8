package svscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/rcsource"
	"github.com/hermes-gateway/hermes-gateway/internal/execline"
	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

// Services in the source format of s6-rc become service directories: those that need
// others by dependencies.d, oneshots by type. The tree does the rest.

// What of a definition a service directory has too.
var (
	rcFiles = []string{
		"finish", "notification-fd", "timeout-kill", "timeout-finish", "max-death-tally", "down-signal", "timeout-up", "timeout-down",
		"backoff", essentialFile, conditionFile,
	}
	rcDirs = []string{"data", "env"}
)

// bundlesBeside is where s6-overlay has the bundles that say what is to run, beside
// the directory of definitions.
const bundlesBeside = "user-bundles.d"

// copyRC makes service directories of the definitions of Options.RC. All of them are
// read before the first is made.
func (t *Tree) copyRC() error {
	from := t.opts.RC
	if from == "" {
		return nil
	}
	services, scripts, err := loadRC(from, t.opts.Env, t.opts.Words, unix.Geteuid() == 0)
	if err != nil {
		return err
	}
	for _, svc := range services {
		err := t.makeCopy(svc.Name, filepath.Join(from, svc.Name), func(dir *fsat.Dir) error {
			return fillRC(dir, from, svc, scripts[svc.Name])
		})
		if err != nil {
			return fmt.Errorf("s6-rc definition %s cannot be copied: %w: %w", filepath.Join(from, svc.Name), ErrRefused, err)
		}
	}
	return nil
}

// CheckRC says why a tree would refuse definitions, see Options.RC, before anything
// runs. root says that it will run as root.
func CheckRC(dir string, env []string, words string, root bool) error {
	_, _, err := loadRC(dir, env, words, root)
	return err
}

// loadRC returns what is to run, and the scripts of oneshots: up and down.
func loadRC(from string, env []string, words string, root bool) ([]rcsource.Service, map[string][2]string, error) {
	var bundles fs.FS
	if beside := filepath.Join(filepath.Dir(from), bundlesBeside); exists(beside) {
		bundles = trustedFS{beside, root}
	}
	services, err := rcsource.Load(trustedFS{from, root}, bundles)
	if err != nil {
		return nil, nil, fmt.Errorf("s6-rc definitions in %s: %w: %w", from, ErrRefused, err)
	}
	scripts := map[string][2]string{}
	for _, svc := range services {
		err := checkInterpreters(from, svc)
		if err == nil && svc.Oneshot {
			scripts[svc.Name], err = oneshotScripts(svc, variable(env, "PATH"), words)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("s6-rc definition %s: %w: %w", filepath.Join(from, svc.Name), ErrRefused, err)
		}
	}
	return services, scripts, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func fillRC(dir *fsat.Dir, from string, svc rcsource.Service, scripts [2]string) error {
	path := filepath.Join(from, svc.Name)
	if err := copyLongrun(dir, path, !svc.Oneshot); err != nil {
		return err
	}
	if svc.Oneshot {
		if err := dir.Create(typeFile, []byte("oneshot\n"), 0o644); err != nil {
			return err
		}
		for i, name := range []string{"run", undoFile} {
			if scripts[i] == "" {
				continue
			}
			if err := dir.Create(name, []byte(scripts[i]), 0o755); err != nil {
				return err
			}
		}
	}
	if svc.Logger != "" {
		log, err := dir.Mkdir("log", 0o755)
		if err != nil {
			return err
		}
		defer log.Close()
		if err := copyLongrun(log, filepath.Join(from, svc.Logger), true); err != nil {
			return err
		}
	}
	if len(svc.Needs) == 0 {
		return nil
	}
	needs, err := dir.Mkdir(needsDir, 0o755)
	if err != nil {
		return err
	}
	defer needs.Close()
	for _, n := range svc.Needs {
		if err := needs.Create(n, nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyLongrun copies what a definition has that a service directory has; its run need
// not be executable.
func copyLongrun(to *fsat.Dir, from string, run bool) error {
	names := rcFiles
	if run {
		names = append([]string{"run"}, names...)
	}
	for _, name := range names {
		path := filepath.Join(from, name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = copyFile(to, name, path, executable{info, name == "run" || name == "finish"})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, name := range rcDirs {
		path := filepath.Join(from, name)
		if !exists(path) {
			continue
		}
		if err := copyBelow(to, name, path, mostDepth); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// executable is a file that is executable in any case, if so it is.
type executable struct {
	fs.FileInfo
	is bool
}

func (e executable) Mode() fs.FileMode {
	if e.is {
		return e.FileInfo.Mode() | 0o111
	}
	return e.FileInfo.Mode()
}

// checkInterpreters says before anything runs what could not.
func checkInterpreters(from string, svc rcsource.Service) error {
	paths := []string{filepath.Join(from, svc.Name, "finish")}
	if !svc.Oneshot {
		paths = append(paths, filepath.Join(from, svc.Name, "run"))
	}
	if svc.Logger != "" {
		paths = append(paths, filepath.Join(from, svc.Logger, "run"))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		name, _ := shebang.Interpreter(text[:min(len(text), shebang.HeadSize)])
		if name != "" && !exists(name) {
			return fmt.Errorf("%s: there is no %q on this system, which is to run it; install that, or write the script for /bin/sh", path, name)
		}
	}
	return nil
}

// oneshotScripts are the programs that run and undo a oneshot: of execlineb where
// there is one, else of what Options.Words names, which knows no blocks.
func oneshotScripts(svc rcsource.Service, path, interpreter string) (scripts [2]string, err error) {
	execlineb := find(path, "execlineb")
	for i, text := range []string{svc.Up, svc.Down} {
		file := []string{"up", "down"}[i]
		if strings.TrimSpace(text) == "" {
			if i == 0 {
				return scripts, fmt.Errorf("%s is empty; write a command into it", file)
			}
			continue
		}
		if execlineb != "" {
			scripts[i] = "#!" + execlineb + " -P\n" + text
			continue
		}
		words, err := execline.Words(text)
		switch {
		case errors.Is(err, execline.ErrBlock):
			return scripts, fmt.Errorf("%s: %w, which only execlineb can run, and there is none in PATH; install execline, or put the commands into a script and its path into %s", file, err, file)
		case err != nil:
			return scripts, fmt.Errorf("%s: %w", file, err)
		case len(words) == 0:
			return scripts, fmt.Errorf("%s has no command", file)
		case find(path, words[0]) == "":
			return scripts, fmt.Errorf("%s: there is no %q in PATH; install it, or write another command", file, words[0])
		case interpreter == "":
			return scripts, fmt.Errorf("%s: there is no execlineb in PATH to run it", file)
		}
		scripts[i] = "#!" + interpreter + "\n" + text
	}
	return scripts, nil
}

// find is where on a PATH a program is; "": nowhere.
func find(paths, name string) string {
	if strings.Contains(name, "/") {
		if exists(name) {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(paths) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && filepath.IsAbs(path) && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// trustedFS is a directory of which nothing is read that root must not run.
type trustedFS struct {
	dir  string
	root bool // it is for root
}

// Open is fs.FS.
func (t trustedFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := os.Open(filepath.Join(t.dir, name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && t.root {
		err = rootsAlone(info)
	}
	if err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: f.Name(), Err: err}
	}
	return f, nil
}
