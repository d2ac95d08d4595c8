package initcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/past"
)

// Hooks are programs of a directory that run before all else, or at the end. An
// image made for s6-overlay has them in the default directories.
const (
	hookTimeout   = 60 * time.Second
	finishTimeout = 5 * time.Second
)

type hookOptions struct {
	boot, finish           string // "": the default one, if it is there
	timeout, finishTimeout time.Duration
	goOn                   bool // when one fails
	quiet                  bool // about it
}

func defaultHooks() hookOptions {
	return hookOptions{timeout: hookTimeout, finishTimeout: finishTimeout}
}

func (h *hookOptions) onFailure(text string) error {
	if text != "stop" && text != "continue" {
		return fmt.Errorf("%q is neither stop nor continue", text)
	}
	h.goOn, h.quiet = text == "continue", false
	return nil
}

func (h *hookOptions) steps() (boot, finish []pid1.Step, err error) {
	if boot, err = hooksIn(h.boot, past.BootHooks, pid1.Step{Timeout: h.timeout, MayFail: h.goOn, Quiet: h.quiet}); err != nil {
		return nil, nil, err
	}
	finish, err = hooksIn(h.finish, past.FinishHooks, pid1.Step{Timeout: h.finishTimeout})
	return boot, finish, err
}

// hooksIn are the hooks of a directory in lexical order, each like another step.
// What could not work is refused before anything runs.
func hooksIn(dir, otherwise string, like pid1.Step) ([]pid1.Step, error) {
	named := dir != ""
	if !named {
		dir = otherwise
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("hooks: %w", err)
	}
	var found []pid1.Step
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("hooks: %w", err)
		}
		if strings.HasPrefix(e.Name(), ".") || !info.Mode().IsRegular() {
			continue
		}
		if f := thisImage().Hook(path); f != nil {
			return nil, fmt.Errorf("hook %w", f)
		}
		step := like
		step.Name, step.Command = "hook "+path, []string{path}
		step.AsProgram = strings.HasSuffix(e.Name(), past.AsUserSuffix)
		found = append(found, step)
	}
	return found, nil
}
