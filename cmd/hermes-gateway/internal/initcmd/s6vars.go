package initcmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pastOptions are those of images made for s6-overlay.
type pastOptions struct {
	called        bool // by the name of its init
	servicesGrace time.Duration
	stage2Hook    []string
	logging       string // what was asked for and cannot be had
	quiet         bool
	warnings      []string
}

// The defaults of s6-overlay, for those of its times that are not said where another
// one is, and the shortest time, as 0 means for ever here.
const (
	s6KillGrace     = 3 * time.Second
	s6ServicesGrace = 3 * time.Second
	shortest        = time.Millisecond
)

// fromS6 reads the variables of s6-overlay. They rank below all that is ours.
//
// Source: README.md and rc.init of s6-overlay 3.2.
func (o *options) fromS6(getenv func(string) string) {
	p := &o.past
	kill, killSaid := p.milliseconds(getenv, "S6_KILL_GRACETIME", s6KillGrace)
	services, servicesSaid := p.milliseconds(getenv, "S6_SERVICES_GRACETIME", s6ServicesGrace)
	finish, finishSaid := p.milliseconds(getenv, "S6_KILL_FINISH_MAXTIME", 0)
	if killSaid {
		o.grace = max(kill, shortest)
	}
	if servicesSaid {
		p.servicesGrace = services
	}
	if finishSaid {
		o.hooks.finishTimeout = finish
	}
	if killSaid || servicesSaid || finishSaid {
		o.stopWithin = max(o.stopWithin, services+kill+finish)
	}
	if n, ok := p.number(getenv, "S6_BEHAVIOUR_IF_STAGE2_FAILS"); ok {
		o.hooks.goOn, o.hooks.quiet = n < 2, n == 0
	}
	if n, ok := p.number(getenv, "S6_VERBOSITY"); ok {
		p.quiet = n == 0
		o.verbosity = min(max(int(n)-1, 0), 3) // 2 tells of each hook
	}
	if n, ok := p.number(getenv, "S6_LOGGING"); ok && n > 0 {
		p.logging = getenv("S6_LOGGING")
	}
	if n, _ := p.number(getenv, "S6_CMD_WAIT_FOR_SERVICES"); n > 0 {
		o.waitReady, o.readyWithin = true, 0 // for ever
	}
	if most, said := p.milliseconds(getenv, "S6_CMD_WAIT_FOR_SERVICES_MAXTIME", 0); said {
		o.readyWithin = most
	}
	p.stage2Hook = strings.Fields(getenv("S6_STAGE2_HOOK"))
}

// number is what s6-overlay takes for one; it ignores all else.
func (p *pastOptions) number(getenv func(string) string, name string) (uint64, bool) {
	text := getenv(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || text[0] == '+' {
		p.warnings = append(p.warnings, fmt.Sprintf("%s=%q is no number, and is ignored", name, text))
		return 0, false
	}
	return n, true
}

func (p *pastOptions) milliseconds(getenv func(string) string, name string, otherwise time.Duration) (time.Duration, bool) {
	n, ok := p.number(getenv, name)
	if !ok {
		return otherwise, false
	}
	return time.Duration(n) * time.Millisecond, true
}

// understood are those that mean something here, or that ask for what is so anyway.
var understood = []string{
	"S6_KILL_GRACETIME", "S6_SERVICES_GRACETIME", "S6_KILL_FINISH_MAXTIME",
	"S6_CMD_WAIT_FOR_SERVICES", "S6_CMD_WAIT_FOR_SERVICES_MAXTIME",
	"S6_BEHAVIOUR_IF_STAGE2_FAILS", "S6_VERBOSITY", "S6_STAGE2_HOOK", "S6_LOGGING",
	"S6_KEEP_ENV", "S6_READ_ONLY_ROOT", "S6_CMD_USE_TERMINAL",
}

// warnOfPast says what was ignored, and which variables of s6-overlay mean nothing.
func (o *options) warnOfPast(environ []string, log func(int, string)) {
	level := 0
	if o.past.quiet {
		level = 1
	}
	for _, text := range o.past.warnings {
		log(level, text)
	}
	if names := notUnderstood(environ); len(names) > 0 {
		log(level, fmt.Sprintf("%s: not understood here, and ignored; unset what is not needed", strings.Join(names, ", ")))
	}
}

func notUnderstood(environ []string) []string {
	var names []string
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case !strings.HasPrefix(name, "S6_") || slices.Contains(understood, name):
		case name == "S6_SYNC_DISKS" && strings.Trim(value, "0") == "":
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
