package svscan_test

import (
	"os"
	"regexp"
	"strings"
)

// difference is something in which our tree differs from s6's, on purpose. The
// list of docs/s6-protocol.md is made of them.
type difference struct {
	// of is the version of s6 that does it otherwise. With 2.11 it is because
	// we do as 2.15.1 does. "": both.
	of   version
	what string // is different
	why  string
	// seen is where the table of tools shows it. Without it, and without
	// everywhere, other tests do, or nobody.
	seen       []sight
	everywhere []rewrite // how it shows in any case
}

// sight is what a difference looks like in a case of the table: lines of s6's
// tree and those of ours in their place. A line that ends in "..." may go on.
type sight struct {
	in         string  // the case
	s6         version // with this one only; "": with those of the difference
	asRoot     bool    // and not as another user
	real, ours []string
}

// rewrite makes of a line of s6's tree one of ours.
type rewrite struct {
	real *regexp.Regexp
	ours string
}

// applies says whether a sight is to be had with a version of s6.
func (s sight) applies(d difference, s6 version) bool {
	for _, v := range []version{d.of, s.s6} {
		if v != "" && v != s6 {
			return false
		}
	}
	return !s.asRoot || os.Geteuid() == 0
}

// in is a sight where lines are ours in the place of s6's.
func in(name string, real, ours string) sight {
	return sight{in: name, real: lines(real), ours: lines(ours)}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func differences() []difference {
	return append(append(faults(), choices()...), olderVersions()...)
}

const (
	upLine   = "web: 35 bytes, flags 0x04, pid run, wait 0x0000, stamps ready<changed"
	onceLine = "web: 35 bytes, flags 0x00, pid run, wait 0x0000, stamps ready<changed"
)

// faults are what we take for faults of s6.
func faults() []difference {
	return []difference{
		{
			of:   v215,
			what: "The command `Q` (`s6-svc -Q`) makes `down` and wants the service down.",
			why:  "s6-supervise 2.15.1 ignores the byte, which s6-svc sends and 2.11.3 to 2.15.0 understand.",
			seen: []sight{
				in("svc -Q, finishing", upLine, upLine+" down-file"),
				in("svc -Q, up", upLine+"\ns6-svstat SCAN/web = 0 | up (pid P pgid P) N seconds",
					onceLine+" down-file\ns6-svstat SCAN/web = 0 | up (pid P pgid P) N seconds, normally down, want down"),
				in("svc -Q, up", onceLine+"\ns6-svstat -o wantedup,normallyup SCAN/web = 0 | false true",
					onceLine+" down-file\ns6-svstat -o wantedup,normallyup SCAN/web = 0 | false false"),
			},
		},
		{
			of:   v215,
			what: "`a` or `h` together with `t`, `i` or `q` (`s6-svscanctl -at`) ends the tree.",
			why:  "s6-svscan 2.15.1 puts off the ending of services until a scan that never comes, and waits for ever.",
			seen: []sight{in("svscanctl -at", "s6-svwait -d -t 3000 SCAN/web = 99 ! s6-svwait: fatal: timed out\ns6-svc -xd SCAN/web = 0",
				"s6-svwait -d -t 3000 SCAN/web = 0")},
		},
		{
			of:   v215,
			what: "Every supervisor that leaves while its service is active is replaced.",
			why:  "s6-svscan 2.15.1 remembers one such time only: of two supervisors that end within a second of their start, the second stays away until another is started.",
			seen: []sight{in("two supervisors that end within a second", "", "s6-svok SCAN/b = 0")},
		},
		{
			what: "A service that announces its readiness without ending the line is obeyed meanwhile.",
			why:  "s6-supervise reads from the pipe until there is a newline or the end, and does nothing else until then.",
			seen: []sight{
				{in: "half a line of readiness", s6: v211, real: lines("s6-svc -wD -T 3000 -d SCAN/web = 99 ! s6-svlisten1: fatal: timed out"), ours: lines("s6-svc -wD -T 3000 -d SCAN/web = 0")},
				{in: "half a line of readiness", s6: v215, real: lines("s6-svc -wD -T 3000 -d SCAN/web = 99 ! s6-svlisten: fatal: timed out"), ours: lines("s6-svc -wD -T 3000 -d SCAN/web = 0")},
			},
		},
		{
			what: "A number in `down-signal` or `reload-signal` that is no signal means TERM or HUP, as other nonsense does.",
			why:  "s6-supervise sends it in vain, and the service is never stopped.",
			seen: []sight{in("down-signal", "web: says got WINCH", "web: says got TERM, got WINCH"), in("svc -l and reload-signal", "web: says got WINCH", "web: says got HUP, got WINCH")},
		},
		{
			what: "A link in the scan directory that leads nowhere is reported and skipped. It is never removed, and does not keep the others from being seen.",
			why:  "s6-svscan 2.15.1 removes it at its start and ends every later scan there; 2.11.3 scans again every three seconds.",
			seen: []sight{{in: "a link that leads nowhere", s6: v215, real: lines("scan directory: .s6-svscan, web"), ours: lines("scan directory: .s6-svscan, broken -> nothing, web")}},
		},
		{
			what: "With too many services the first ones found are supervised, and those known already stay.",
			why:  "s6-svscan 2.15.1 ends the scan at the first one too many, and may so miss what has gone.",
		},
	}
}
