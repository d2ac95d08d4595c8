package initcmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
)

// ExecListening is a hidden command between an init and its program: what was passed
// to the init by socket activation is passed on, by the number that the program has.
// args are a path and an argv. It returns only when that failed, with the exit code.
func ExecListening(args []string, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintln(stderr, "hermes-gateway exec-listening: it needs a path and an argv; init uses it")
		return pid1.ExitOwn
	}
	env := pid1.Environment()
	for n, entry := range env {
		if strings.HasPrefix(entry, "LISTEN_PID=") {
			env[n] = "LISTEN_PID=" + strconv.Itoa(os.Getpid())
		}
	}
	err := pid1.Exec(args[0], args[1:], env)
	fmt.Fprintf(stderr, "%s: %v\n", initName, err)
	if errors.Is(err, fs.ErrNotExist) {
		return pid1.ExitNotFound
	}
	return pid1.ExitCannotRun
}
