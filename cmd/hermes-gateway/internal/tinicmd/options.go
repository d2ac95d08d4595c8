package tinicmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/getopt"
)

// options are the words of tini.
type options struct {
	parentDeath syscall.Signal // this process gets it when its parent dies
	verbosity   int
	warn        bool // of each orphan
	group       bool
	status      map[int]int
	print       string // and nothing else
	command     []string
}

var errUsage = errors.New("wrong usage")

// usage is what tini prints, but for the options that do nothing here.
const usage = `Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version

This is hermes-gateway, called by the name of tini: it runs PROGRAM, reaps whatever
dies, passes signals on, and exits as PROGRAM does. More it does as
hermes-gateway init.

  --version     print the version, if it is the only word
  -h            print this
  -s            be a subreaper; it always is
  -p SIGNAL     get SIGNAL when the parent dies, as SIGKILL
  -v            say more, up to -vvv
  -w            say which orphans are reaped
  -g            signals go to PROGRAM's process group
  -e EXIT_CODE  exit with 0 instead, may be given often
  -l            print the license

Environment: TINI_SUBREAPER for -s, TINI_VERBOSITY for -v (default 1),
TINI_KILL_PROCESS_GROUP for -g.
`

const license = "hermes-gateway is free software under the MIT license.\n"

// parse reads the words as tini does, which may have options behind PROGRAM up
// to a word --.
//
// Source: tini 0.19, src/tini.c, and getopt(3) of the GNU library, which it uses.
func parse(args []string, version string, lookup func(string) (string, bool)) (options, error) {
	o := options{verbosity: 1}
	if len(args) == 1 && args[0] == "--version" {
		o.print = "tini version 0.19.0 (" + version + ")\n"
		return o, nil
	}
	_, strict := lookup("POSIXLY_CORRECT")
	opts := getopt.Parser{Options: "p:hvwgle:s", Words: args, Permuting: !strict}
	for {
		opt, value, ok := opts.Next()
		if !ok {
			break
		}
		if err := o.take(opt, value); err != nil || o.print != "" {
			return o, err
		}
	}
	if o.command = opts.Words; len(o.command) == 0 {
		return o, errUsage
	}
	if text, ok := lookup("TINI_VERBOSITY"); ok {
		o.verbosity = int(leadingNumber(text))
	}
	if _, ok := lookup("TINI_KILL_PROCESS_GROUP"); ok {
		o.group = true
	}
	return o, nil
}

func (o *options) take(opt byte, value string) error {
	switch opt {
	case 'h':
		o.print = usage
	case 'l':
		o.print = license
	case 's':
	case 'v':
		o.verbosity++
	case 'w':
		o.warn = true
	case 'g':
		o.group = true
	case 'p':
		sig, ok := signalOf(value)
		if !ok {
			return fmt.Errorf("not a valid option for -p: %s", value)
		}
		o.parentDeath = sig
	case 'e':
		code, err := strconv.Atoi(strings.TrimLeft(value, " \t\n\v\f\r"))
		if value != "" && err != nil || code < 0 || code > 255 { // strtol(3) takes nothing for 0
			return fmt.Errorf("not a valid option for -e: %s", value)
		}
		if o.status == nil {
			o.status = map[int]int{}
		}
		o.status[code] = 0
	default:
		return errUsage
	}
	return nil
}

// leadingNumber is what atoi(3) makes of a text.
func leadingNumber(text string) int64 {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && strings.ContainsRune("+-", rune(text[0]))) {
		end++
	}
	n, _ := strconv.ParseInt(text[:end], 10, 32)
	return n
}
