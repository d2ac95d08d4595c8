package past

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hermes-gateway/hermes-gateway/internal/execline"
)

// mostCommand bounds what a oneshot runs, in bytes.
const mostCommand = 64 << 10

// Oneshots finds what oneshots of s6-rc definitions cannot run: where there is no
// execlineb a command must be one program with its arguments.
func (im Image) Oneshots(dir string) ([]*Finding, error) {
	names, err := im.list(dir)
	if err != nil || !im.nowhere("execlineb") {
		return nil, err
	}
	var all []*Finding
	for _, name := range names {
		for _, file := range []string{"up", "down"} {
			if f := im.oneshot(filepath.Join(dir, name, file)); f != nil {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

func (im Image) oneshot(path string) *Finding {
	at, err := im.find(path, nil)
	if err != nil {
		return nil
	}
	text, err := headOf(at, mostCommand)
	if err != nil {
		return nil // it is not there, or is no oneshot's
	}
	const script = "install execline, or put the commands into a script, and its path here"
	words, err := execline.Words(string(text))
	switch {
	case errors.Is(err, execline.ErrBlock):
		return &Finding{path, "it has a block, and there is no execlineb to run it", script}
	case err != nil:
		return &Finding{path, err.Error(), "mend it"}
	case len(words) > 0 && im.nowhere(words[0]):
		return &Finding{path, fmt.Sprintf("there is no %q on PATH to run it", words[0]), "install that, or write another command"}
	}
	return nil
}
