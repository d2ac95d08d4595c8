package initcmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/internal/shebang"
)

// Hooks are programs of a directory that run before all else, or at the end. An
// image made for s6-overlay has them in the default directories.
const (
	defaultBootHooks   = "/etc/cont-init.d"
	defaultFinishHooks = "/etc/cont-finish.d"
	hookTimeout        = 60 * time.Second
	finishTimeout      = 5 * time.Second
	// asUserSuffix ends the name of a hook that runs as who the program runs as.
	asUserSuffix = ".user"
)

type hookOptions struct {
	boot, finish           string // "": the default one, if it is there
	timeout, finishTimeout time.Duration
	goOn                   bool // when one fails
}

func defaultHooks() hookOptions {
	return hookOptions{timeout: hookTimeout, finishTimeout: finishTimeout}
}

func (h *hookOptions) onFailure(text string) error {
	if text != "stop" && text != "continue" {
		return fmt.Errorf("%q is neither stop nor continue", text)
	}
	h.goOn = text == "continue"
	return nil
}

func (h *hookOptions) steps() (boot, finish []pid1.Step, err error) {
	if boot, err = hooksIn(h.boot, defaultBootHooks, pid1.Step{Timeout: h.timeout, MayFail: h.goOn}); err != nil {
		return nil, nil, err
	}
	finish, err = hooksIn(h.finish, defaultFinishHooks, pid1.Step{Timeout: h.finishTimeout})
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
		step := like
		step.Name, step.Command = "hook "+path, []string{path}
		step.AsProgram = strings.HasSuffix(e.Name(), asUserSuffix)
		if err := canRun(path, info); err != nil {
			return nil, err
		}
		if !step.AsProgram && os.Geteuid() == 0 {
			if err := onlyRoots(path); err != nil {
				return nil, fmt.Errorf("hook %s would run as root, and %w; mend that, or call it NAME%s", path, err, asUserSuffix)
			}
		}
		found = append(found, step)
	}
	return found, nil
}

// canRun says of a hook why it cannot be executed.
func canRun(path string, info fs.FileInfo) error {
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("hook %s is not executable; chmod +x it, or remove it", path)
	}
	interpreter, err := interpreterOf(path)
	if errors.Is(err, fs.ErrPermission) { // its user may be able to
		return nil
	}
	if err != nil {
		return fmt.Errorf("hook %s: %w", path, err)
	}
	if interpreter == "" {
		return nil
	}
	if _, err := os.Stat(interpreter); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("hook %s: there is no %q on this system, which is to run it; install that, or write the hook for /bin/sh", path, interpreter)
	}
	return nil
}

// interpreterOf is what the first line of a script names.
func interpreterOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, shebang.HeadSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	name, _ := shebang.Interpreter(head[:n])
	return name, nil
}
