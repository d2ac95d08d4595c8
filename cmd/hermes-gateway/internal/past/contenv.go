package past

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
)

// ContainerEnvironment is where hooks leave variables for those that ask for them by
// with-contenv: a file each. The environment of the container is not there, as
// everybody has it anyway.
const ContainerEnvironment = "/run/s6/container_environment"

const withContenv = "with-contenv"

// The exit codes of s6's programs.
const (
	exitUsage  = 100
	exitSystem = 111
)

// mostValue is what Linux lets one variable have (execve(2), MAX_ARG_STRLEN).
const mostValue = 128 << 10

// WithContenv becomes a program, with the variables that hooks have left over those
// of this process. It returns only when that failed, with the exit code.
func WithContenv(argv []string, stderr io.Writer) int {
	if len(argv) == 0 {
		return complain(stderr, withContenv, exitUsage, errors.New("usage: with-contenv PROGRAM [ARGUMENT...]"))
	}
	set, unset, err := readEnvironment(ContainerEnvironment)
	if err != nil {
		return complain(stderr, withContenv, exitSystem, err)
	}
	for _, name := range unset {
		err = errors.Join(err, os.Unsetenv(name))
	}
	for name, value := range set {
		err = errors.Join(err, os.Setenv(name, value))
	}
	if err != nil {
		return complain(stderr, withContenv, exitSystem, err)
	}
	code, err := execas.Exec(argv)
	return complain(stderr, withContenv, code, err)
}

// readEnvironment reads a directory of variables. A directory that is not there has
// none. As root, one that others can change is refused: they would choose what
// root's programs load.
func readEnvironment(dir string) (set map[string]string, unset []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if os.Geteuid() == 0 && len(entries) > 0 {
		if err := (Image{Root: "/"}).OnlyRoots(dir); err != nil {
			return nil, nil, fmt.Errorf("variables in %s would be root's, and %w; run this as who made them, or chown them to root", dir, err)
		}
	}
	return readVariables(dir, entries)
}

// readVariables reads the files of a directory.
//
// Source: s6-envdir -Lf of s6 2.11 to 2.15, as with-contenv of s6-overlay calls it:
// the file is the value but for a last newline, NUL means newline, an empty file
// unsets; names that begin with a dot or have an equals sign are nobody's.
func readVariables(dir string, entries []fs.DirEntry) (set map[string]string, unset []string, err error) {
	set = map[string]string{}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || strings.Contains(name, "=") {
			continue
		}
		text, err := headOf(filepath.Join(dir, name), mostValue+1)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("variable %s: %w", name, err)
		case len(text) > mostValue:
			return nil, nil, fmt.Errorf("variable %s in %s has more than %d KiB, which no program can be given", name, dir, mostValue>>10)
		case len(text) == 0:
			unset = append(unset, name)
		default:
			set[name] = string(bytes.ReplaceAll(bytes.TrimSuffix(text, []byte("\n")), []byte{0}, []byte("\n")))
		}
	}
	return set, unset, nil
}

func complain(w io.Writer, program string, code int, err error) int {
	fmt.Fprintf(w, "%s: %s\n", program, strings.ReplaceAll(err.Error(), "\n", " "))
	return code
}
