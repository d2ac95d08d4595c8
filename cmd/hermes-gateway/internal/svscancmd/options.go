package svscancmd

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// options are the command line.
type options struct {
	ready, console int // descriptors; 0: none
	report         int
	rescan         time.Duration
	max, maxName   int
	group          int
	hasGroup       bool
	boot, services string
	rc             string
	make           bool
	help           bool
	dir            string
}

// parseOptions reads options as getopt does.
func parseOptions(args []string) (options, error) {
	var o options
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		if word == "--make" {
			o.make = true
			continue
		}
		if word == "--help" || word == "-h" {
			o.help = true
			return o, nil
		}
		name, text, given := strings.Cut(word, "=")
		if to := map[string]*string{"--boot": &o.boot, "--services": &o.services, "--s6-rc": &o.rc}[name]; to != nil && given {
			*to = text
			continue
		}
		if name == "--report-fd" && given {
			n, err := strconv.ParseUint(text, 10, 31)
			if err != nil || n < 3 {
				return o, fmt.Errorf("%s: the descriptor must be a number, 3 or more; %s", word, seeHelp)
			}
			o.report = int(n)
			continue
		}
		letter, value := word[1], word[2:]
		if !strings.ContainsRune("dtcCLXG", rune(letter)) {
			return o, fmt.Errorf("unknown option %s; %s", word, seeHelp)
		}
		if value == "" && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		if err := o.set(letter, value); err != nil {
			return o, err
		}
	}
	switch len(args) {
	case 0:
	case 1:
		o.dir = args[0]
	default:
		return o, fmt.Errorf("one scan directory at most, and %q is another; %s", args[1], seeHelp)
	}
	return o, nil
}

func (o *options) set(letter byte, text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("-%c needs a number, and %q is none; %s", letter, text, seeHelp)
	}
	v := int(n)
	switch letter {
	case 'd', 'X':
		if v < 3 {
			return fmt.Errorf("-%c %d: the descriptor must be 3 or more; %s", letter, v, seeHelp)
		}
		if letter == 'd' {
			o.ready = v
		} else {
			o.console = v
		}
	case 't':
		o.rescan = time.Duration(n) * time.Millisecond
	case 'c', 'C':
		o.max = max(v, 1)
	case 'L':
		o.maxName = max(v, 1)
	case 'G':
		o.group, o.hasGroup = v, true
	}
	return nil
}
