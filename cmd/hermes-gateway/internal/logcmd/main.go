package logcmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

// The exit codes of s6-log.
const (
	exitUsage  = 100
	exitSystem = 111
)

// failure is an error that ends the program.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usageFailure(err error) error  { return &failure{exitUsage, err} }
func systemFailure(err error) error { return &failure{exitSystem, err} }

// Main runs the logger on the descriptors 0, 1 and 2 of the process until the
// input ends or a signal ends it, and returns the exit code. args are the words
// after "log". Help goes to stdout. It takes SIGTERM, SIGHUP and SIGALRM.
func Main(args []string, stdout io.Writer) int {
	o, err := parseOptions(args)
	if err == nil && o.help {
		_, _ = io.WriteString(stdout, Help)
		return 0
	}
	if err != nil {
		return complain(usageFailure(err))
	}
	if len(o.directives) == 0 {
		return complain(usageFailure(errors.New("there are no directives; " + seeHelp)))
	}
	script, err := logdir.Parse(o.directives)
	if err != nil {
		return complain(usageFailure(err))
	}
	if err := run(o, script); err != nil {
		return complain(err)
	}
	return 0
}

func complain(err error) int {
	say(err)
	var f *failure
	if errors.As(err, &f) {
		return f.code
	}
	return exitSystem
}

// say prints a message of one line.
func say(err error) {
	fmt.Fprintf(os.Stderr, "hermes-gateway log: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
}
