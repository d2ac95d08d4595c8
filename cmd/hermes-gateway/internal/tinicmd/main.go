// Package tinicmd is this program called as tini: an init with the words of that one.
package tinicmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/pid1"
	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/initcmd"
)

// exitOwn is that of tini for whatever it fails of itself.
const exitOwn = 1

// Main runs an init, and returns its exit code. args are the words after the name,
// signals those that were taken since the process began.
func Main(args []string, version string, signals <-chan os.Signal, stdout, stderr io.Writer) int {
	o, err := parse(args, version, os.LookupEnv)
	switch {
	case errors.Is(err, errUsage):
		_, _ = io.WriteString(stderr, usage)
		return exitOwn
	case err != nil:
		return fail(stderr, err)
	case o.print != "":
		if _, err := io.WriteString(stdout, o.print); err != nil {
			return fail(stderr, err)
		}
		return 0
	}
	if o.parentDeath != 0 {
		end, err := endWithParent(o.parentDeath)
		if err != nil {
			return fail(stderr, err)
		}
		defer end()
	}
	return exitOf(initcmd.Run("tini", max(o.verbosity-1, 0), o.warn, o.forPid1(signals)))
}

// forPid1 has the program be told and never killed, as tini does; who is left when it
// has ended is told, and has until StopWithin.
func (o *options) forPid1(signals <-chan os.Signal) pid1.Options {
	return pid1.Options{Command: o.command, Group: o.group, Status: o.status, Signals: signals}
}

// exitOf is the exit code of tini for an init that could not run its program.
func exitOf(code int, err error) int {
	switch {
	case err == nil:
		return code
	case errors.Is(err, fs.ErrNotExist):
		return pid1.ExitNotFound
	case errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EPERM):
		return pid1.ExitCannotRun
	}
	return exitOwn
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "tini: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	return exitOwn
}
