package container

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// source is what an image is made of.
type source struct {
	name       string
	entrypoint []string
	env        []string
	volumes    []string
	// context makes the directory that a Dockerfile is built in; nil: there is none.
	context func() (string, error)
	// root makes the file system of the image.
	root func() (string, error)
}

// roots are below one directory, made once, and removed at the end.
var roots struct {
	once sync.Once
	dir  string
	err  error
}

func rootsDir() (string, error) {
	roots.once.Do(func() { roots.dir, roots.err = os.MkdirTemp("", "container") })
	return roots.dir, roots.err
}

func removeRoots() {
	if roots.dir != "" {
		_ = os.RemoveAll(roots.dir)
	}
}

// initImage has nothing but the init, and a program of the test that is its program
// and its service too.
var initImage = source{
	name: "init", entrypoint: []string{"/hermes-gateway", "init", "--"}, env: []string{"PATH=/"},
	root: sync.OnceValues(makeInitRoot),
}

func makeInitRoot() (string, error) {
	dir, err := rootsDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(dir, "init")
	for _, d := range []string{"etc/services.d/web", "run", "tmp", "dev", "proc", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o1777|os.ModeSticky); err != nil {
		return "", err
	}
	for name, pkg := range map[string]string{"hermes-gateway": "../../cmd/hermes-gateway", "program": "./testdata/program"} {
		if err := build(pkg, filepath.Join(root, name)); err != nil {
			return "", err
		}
	}
	files := shell()
	files["/etc/services.d/web/run"] = []byte("#!/bin/sh\nexec /program wait service\n")
	files["/etc/passwd"] = []byte("root:x:0:0:root:/root:/bin/sh\nhermes:x:10000:10000::/tmp:/bin/sh\n")
	files["/etc/group"] = []byte("root:x:0:\nhermes:x:10000:\n")
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		mode := os.FileMode(0o755)
		if filepath.Dir(path) == filepath.Join(root, "etc") {
			mode = 0o644
		}
		if err := os.WriteFile(path, text, mode); err != nil {
			return "", err
		}
	}
	return root, nil
}

// build makes a program of this module that needs nothing else.
func build(pkg, path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return output(cmd)
}

// shell is this machine's, with what it is linked to: scripts need one.
func shell() map[string][]byte {
	files := map[string][]byte{}
	out, err := exec.Command("ldd", "/bin/sh").Output()
	if err != nil {
		return files
	}
	for _, word := range append(strings.Fields(string(out)), "/bin/sh") {
		if text, err := os.ReadFile(word); err == nil && strings.HasPrefix(word, "/") {
			files[word] = text
		}
	}
	return files
}
