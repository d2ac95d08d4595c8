package logcmd

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// options are the words before the directives.
type options struct {
	notify    int           // descriptor; 0: none
	lineLimit int           // bytes; negative: none
	lastLine  time.Duration // 0: for ever
	block     bool          // read nothing while anything is unwritten
	protect   bool          // from SIGTERM
	verbosity int
	help      bool

	directives []string
}

const (
	defaultLineLimit = 8192
	minLineLimit     = 48
	defaultLastLine  = 2 * time.Second
)

// parseOptions reads options as getopt does: they end with the first word that
// is none, or after --.
func parseOptions(args []string) (options, error) {
	o := options{lineLimit: defaultLineLimit, lastLine: defaultLastLine, verbosity: 1}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		if word == "--help" {
			o.help = true
			return o, nil
		}
		for letters := word[1:]; letters != ""; {
			letter := letters[0]
			letters = letters[1:]
			if !strings.ContainsRune("dlt", rune(letter)) {
				if err := o.flag(letter); err != nil {
					return o, err
				}
				continue
			}
			value := letters
			if value == "" && len(args) > 0 {
				value, args = args[0], args[1:]
			}
			if err := o.value(letter, value); err != nil {
				return o, err
			}
			break
		}
	}
	o.directives = args
	return o, nil
}

func (o *options) flag(letter byte) error {
	switch letter {
	case 'b':
		o.block = true
	case 'p':
		o.protect = true
	case 'q':
		o.verbosity = max(o.verbosity-1, 0)
	case 'v':
		o.verbosity++
	case 'h':
		o.help = true
	default:
		return fmt.Errorf("unknown option -%c, or a directive that needs -- before it; %s", letter, seeHelp)
	}
	return nil
}

func (o *options) value(letter byte, text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("-%c needs a number, and %q is none; %s", letter, text, seeHelp)
	}
	switch letter {
	case 'd':
		if n < 3 {
			return fmt.Errorf("-d %d: the descriptor for readiness must be 3 or more; %s", n, seeHelp)
		}
		o.notify = int(n)
	case 'l':
		o.lineLimit = max(int(n), minLineLimit)
		if n == 0 {
			o.lineLimit = -1
		}
	case 't':
		o.lastLine = time.Duration(n) * time.Millisecond
	}
	return nil
}
