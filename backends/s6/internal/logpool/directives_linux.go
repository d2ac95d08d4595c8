package logpool

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

const (
	// DirectivesFile holds a directive a line, below the log directory.
	DirectivesFile = "directives"
	// mostDirectives is far more than anybody writes, in bytes.
	mostDirectives = 64 << 10
)

// script reads the directives of a service's log.
func (sh *shared) script(dir *fsat.Dir, where string) (logdir.Script, error) {
	st, err := dir.Stat(DirectivesFile)
	if err != nil {
		return logdir.Script{}, err
	}
	// ReadFile takes as much memory as it may read.
	text, err := dir.ReadFile(DirectivesFile, int(min(st.Size, mostDirectives)))
	if err != nil {
		return logdir.Script{}, err
	}
	words, err := directives(string(text), where, sh.getenv)
	if err != nil {
		return logdir.Script{}, fmt.Errorf("%s: %w", dir.Path(DirectivesFile), err)
	}
	script, err := logdir.Parse(words)
	if err != nil {
		return logdir.Script{}, fmt.Errorf("%s: %w", dir.Path(DirectivesFile), err)
	}
	return script, nil
}

// directives splits text into lines and completes what names a place: where is the
// directory that relative ones are relative to.
func directives(text, where string, getenv func(string) (string, bool)) ([]string, error) {
	var words []string
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "${"):
			full, err := expand(line, getenv)
			if err != nil {
				return nil, err
			}
			line = full
		case line[0] == '.':
			line = path.Join(where, line)
		case line[0] == '=' && len(line) > 1 && line[1] != '/':
			line = "=" + path.Join(where, line[1:])
		}
		words = append(words, line)
	}
	return words, nil
}

var errDirective = errors.New("a directory may begin with ${NAME}/ only, where NAME is a variable of the environment")

// expand replaces the variable at the beginning of a directory.
func expand(line string, getenv func(string) (string, bool)) (string, error) {
	name, rest, ok := strings.Cut(line[2:], "}/")
	if !ok || name == "" {
		return "", fmt.Errorf("directive %q: %w", line, errDirective)
	}
	value, ok := getenv(name)
	switch {
	case !ok || value == "":
		return "", fmt.Errorf("directive %q: the tree's environment has no variable %s; start the tree with it", line, name)
	case !strings.HasPrefix(value, "/"):
		return "", fmt.Errorf("directive %q: the variable %s is %q in the tree's environment, no absolute path", line, name, value)
	}
	return path.Join(value, rest), nil
}
