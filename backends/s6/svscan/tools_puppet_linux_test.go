package svscan_test

import (
	"maps"
	"slices"
	"strings"
)

// puppet writes the scripts of a service that tells which signals it gets.
type puppet struct {
	voice *voice
	// on says what to do on a signal after it was told; by default nothing,
	// on TERM exit 0. "default" leaves the signal as it is.
	on map[string]string
	// first is done before everything else, ready after it, when signals are
	// waited for.
	first, ready string
	// finish is the rest of the finish script. "none": there is none.
	finish string
}

// signals are those a puppet tells of, in the order in which a shell looks at
// several that have come. CONT is told of only if on has it: of the two signals
// of a stop, it comes second, perhaps when the service is gone.
const signals = "HUP INT QUIT ABRT USR1 USR2 ALRM TERM WINCH"

// say is a shell function that tells a line.
func (v *voice) say() string { return "say() { echo \"$*\" >>'" + v.path + "'; }\n" }

func (pp puppet) run() string {
	on := map[string]string{"TERM": "exit 0"}
	maps.Copy(on, pp.on)
	var b strings.Builder
	b.WriteString("#!/bin/sh\n" + pp.voice.say())
	b.WriteString("trap 'kill $! 2>/dev/null' EXIT\n")
	for _, sig := range append(strings.Fields(signals), slices.Sorted(maps.Keys(on))...) {
		if on[sig] == "default" {
			continue
		}
		b.WriteString("trap 'say got " + sig + "; " + on[sig] + "' " + sig + "\n")
	}
	if pp.first != "" {
		b.WriteString(pp.first + "\n")
	}
	// A shell that waits for a child is the only one that no signal escapes.
	b.WriteString("sleep 1000 </dev/null >/dev/null 2>&1 3>&- 5>&- &\n")
	b.WriteString("say \"run:$$\" \"$@\"\n")
	if pp.ready != "" {
		b.WriteString(pp.ready + "\n")
	}
	b.WriteString("while :; do wait; done\n")
	return b.String()
}

func (pp puppet) files() files {
	f := files{"run": pp.run()}
	if pp.finish != "none" {
		f["finish"] = "#!/bin/sh\n" + pp.voice.say() + "say \"finish:$$\" \"$@\"\n" + pp.finish + "\n"
	}
	return f
}

// up has the tree supervise a new puppet and waits until it runs.
func (p *play) up(name string, pp puppet) *service {
	p.t.Helper()
	s := p.service(name, pp.files())
	s.starts(pp.voice)
	return s
}

// starts waits until the service runs, again.
func (s *service) starts(v *voice) {
	s.p.t.Helper()
	s.await("u")
	s.hears(v, "run")
}

// announces is a puppet that is ready at once, on descriptor 3.
func (pp puppet) announces() puppet {
	pp.ready = "echo >&3; exec 3>&-"
	return pp
}
