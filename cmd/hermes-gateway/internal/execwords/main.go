// Package execwords is the hidden command exec-words: the interpreter of scripts that
// are one command line as execlineb has it, where there is no execlineb.
package execwords

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/internal/execline"
)

// Exit codes of env(1).
const (
	exitUsage     = 125
	exitCannotRun = 126
	exitNotFound  = 127
)

// Main executes what a script says, and returns an exit code where it cannot. args
// are the words after "exec-words": the script, and what it does not look at.
func Main(args []string, stderr io.Writer) int {
	code, err := run(args)
	fmt.Fprintf(stderr, "hermes-gateway exec-words: %v\n", err)
	return code
}

func run(args []string) (int, error) {
	if len(args) == 0 {
		return exitUsage, errors.New("it needs a script; it is the interpreter of scripts that the supervision tree makes")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return exitUsage, err
	}
	_, command, _ := strings.Cut(string(text), "\n")
	words, err := execline.Words(command)
	if err == nil && len(words) == 0 {
		err = errors.New("there is no command")
	}
	if err != nil {
		return exitUsage, fmt.Errorf("%s: %w", args[0], err)
	}
	path, err := exec.LookPath(words[0])
	if err == nil {
		err = become(path, words)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return exitNotFound, fmt.Errorf("%s: %w", args[0], err)
	}
	return exitCannotRun, fmt.Errorf("%s: %w", args[0], err)
}
