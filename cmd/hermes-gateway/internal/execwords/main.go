// Package execwords is the hidden command exec-words: the interpreter of scripts that
// are one command line as execlineb has it, where there is no execlineb.
package execwords

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/execas"
	"github.com/hermes-gateway/hermes-gateway/internal/execline"
)

const exitUsage = 125

// Main executes what a script says, and returns an exit code of env(1) where it
// cannot. args are the words after "exec-words": the script, and what it does not
// look at.
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
	return execas.Exec(words)
}
