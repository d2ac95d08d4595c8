package initcmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the command line, and what the environment says instead.
type options struct {
	scanDir     string
	services    string
	rc          string
	user        string
	grace       time.Duration
	stopWithin  time.Duration
	rewrite     map[syscall.Signal]syscall.Signal
	stopSignals []syscall.Signal
	status      map[int]int
	group       bool
	hooks       hookOptions
	noNewPrivs  bool
	waitReady   bool
	readyWithin time.Duration
	verbosity   int
	past        pastOptions
	help        bool
	command     []string
}

// option is one of them. An option without a value takes what strconv.ParseBool
// does, in its variable or after an equals sign.
type option struct {
	name, short string
	env         string // after prefix
	value       string // how help calls it; "": needs none
	set         func(o *options, text string) error
}

// prefix is that of the variables that stand for options.
const prefix = "HERMES_INIT_"

func allOptions() []option {
	return []option{
		{"scandir", "", "SCANDIR", "DIR", func(o *options, s string) error { return fill(&o.scanDir, s) }},
		{"services", "", "SERVICES", "DIR", func(o *options, s string) error { return fill(&o.services, s) }},
		{"s6-rc", "", "S6_RC", "DIR", func(o *options, s string) error { return fill(&o.rc, s) }},
		{"user", "", "USER", "USER[:GROUP]", func(o *options, s string) error { return fill(&o.user, s) }},
		{"grace", "", "GRACE", "DURATION", func(o *options, s string) error { return fillDuration(&o.grace, s) }},
		{"stop-within", "", "STOP_WITHIN", "DURATION", func(o *options, s string) error { return fillDuration(&o.stopWithin, s) }},
		{"stop-signal", "", "STOP_SIGNAL", "SIGNAL", addStopSignal},
		{"signal", "", "SIGNAL", "FROM=TO", addRewrite},
		{"map", "", "MAP", "FROM=TO", addStatus},
		{"hooks", "", "HOOKS", "DIR", func(o *options, s string) error { return fill(&o.hooks.boot, s) }},
		{"hook-timeout", "", "HOOK_TIMEOUT", "DURATION", func(o *options, s string) error { return fillDuration(&o.hooks.timeout, s) }},
		{"hook-failure", "", "HOOK_FAILURE", "stop|continue", func(o *options, s string) error { return o.hooks.onFailure(s) }},
		{"finish-hooks", "", "FINISH_HOOKS", "DIR", func(o *options, s string) error { return fill(&o.hooks.finish, s) }},
		{"finish-timeout", "", "FINISH_TIMEOUT", "DURATION", func(o *options, s string) error { return fillDuration(&o.hooks.finishTimeout, s) }},
		{"wait-ready", "", "WAIT_READY", "", setWaitReady},
		{"group", "g", "GROUP", "", func(o *options, s string) error { return fillBool(&o.group, s) }},
		{"no-new-privs", "", "NO_NEW_PRIVS", "", func(o *options, s string) error { return fillBool(&o.noNewPrivs, s) }},
		{"verbose", "v", "VERBOSITY", "", more},
		{"help", "h", "", "", func(o *options, s string) error { return fillBool(&o.help, s) }},
	}
}

// defaultReadyWithin is how long services may take to be ready.
const defaultReadyWithin = 60 * time.Second

// The defaults are below what docker gives a container to end: 10 s.
const (
	defaultGrace      = 8 * time.Second
	defaultStopWithin = 9 * time.Second
)

// parse reads the environment and then the options, which win. It stops at the
// first word that is no option, or after --.
func parse(args []string, getenv func(string) string) (options, error) {
	o := options{grace: defaultGrace, stopWithin: defaultStopWithin, readyWithin: defaultReadyWithin, hooks: defaultHooks()}
	o.fromS6(getenv)
	for _, opt := range allOptions() {
		text := getenv(prefix + opt.env)
		if opt.env == "" || text == "" {
			continue
		}
		for _, word := range opt.words(text) {
			if err := opt.set(&o, word); err != nil {
				return o, fmt.Errorf("%s%s: %w", prefix, opt.env, err)
			}
		}
	}
	rest, err := o.parseWords(args)
	o.command = rest
	return o, err
}

// words splits a variable that stands for an option that may be given often.
func (opt option) words(text string) []string {
	if opt.name == "map" || opt.name == "signal" || opt.name == "stop-signal" {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return []string{text}
}

func (o *options) parseWords(args []string) ([]string, error) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		if !strings.HasPrefix(word, "--") && strings.Trim(word[1:], "v") == "" { // -v, -vv, -vvv
			o.verbosity += len(word) - 1
			continue
		}
		opt, text, given, err := find(word)
		if err != nil {
			return nil, err
		}
		switch {
		case opt.value == "" && !given:
			text = "true"
		case opt.value != "" && !given:
			if len(args) == 0 {
				return nil, fmt.Errorf("%s needs a %s; %s", word, opt.value, seeHelp)
			}
			text, args = args[0], args[1:]
		}
		if err := opt.set(o, text); err != nil {
			return nil, fmt.Errorf("%s: %w; %s", word, err, seeHelp)
		}
	}
	return args, nil
}

func find(word string) (opt option, text string, given bool, err error) {
	name, text, given := strings.Cut(word, "=")
	for _, opt := range allOptions() {
		if name == "--"+opt.name || opt.short != "" && name == "-"+opt.short {
			return opt, text, given, nil
		}
	}
	return opt, "", false, fmt.Errorf("unknown option %s; %s", word, seeHelp)
}

func fill(to *string, text string) error {
	if text == "" {
		return errors.New("it is empty")
	}
	*to = text
	return nil
}

func fillBool(to *bool, text string) error {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*to = b
	return nil
}

func fillDuration(to *time.Duration, text string) error {
	d, err := time.ParseDuration(text)
	if n, nerr := strconv.ParseUint(text, 10, 31); nerr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no duration, as 8s or 500ms are", text)
	}
	*to = d
	return nil
}

// setWaitReady takes a time, or whether to wait at all.
func setWaitReady(o *options, text string) error {
	if text == "true" || text == "false" {
		o.waitReady = text == "true"
		return nil
	}
	o.waitReady = true
	return fillDuration(&o.readyWithin, text)
}

func more(o *options, text string) error {
	if text == "true" {
		o.verbosity++
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n > 3 {
		return fmt.Errorf("%q is none of 0 to 3", text)
	}
	o.verbosity = int(n)
	return nil
}

func addStatus(o *options, text string) error {
	from, to, ok := strings.Cut(text, "=")
	a, err1 := strconv.ParseUint(from, 10, 8)
	b, err2 := strconv.ParseUint(to, 10, 8)
	if !ok || err1 != nil || err2 != nil {
		return fmt.Errorf("%q is not FROM=TO, two exit codes of 0 to 255", text)
	}
	if o.status == nil {
		o.status = map[int]int{}
	}
	o.status[int(a)] = int(b)
	return nil
}
