package svscan_test

import (
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
)

// signalOptions are the options of s6-svc that send a signal, and what the
// service gets.
const signalOptions = "a ALRM b ABRT q QUIT h HUP i INT 1 USR1 2 USR2 y WINCH t TERM r TERM"

func signalCases() []testCase {
	return []testCase{
		{name: "svc sends each signal", play: playSvcSendsEachSignal},
		{name: "svc -s", only215: true, play: playSvcS},
		{name: "svc -k", play: playSvcK},
		{name: "svc -p and -c", play: func(p *play) { pause(p, "-p", "-c") }},
		{name: "svc -P and -C", only215: true, play: func(p *play) { pause(p, "-P", "-C") }},
		{name: "svc -K", only215: true, play: playSvcK2},
		{name: "signals without a process do nothing", play: playSignalsWithoutAProcessDoNothing},
		{name: "signals do not go to finish", play: playSignalsDoNotGoToFinish},
		{name: "bytes that are no commands", play: playBytesThatAreNoCommands},
		{name: "down-signal", play: playDownSignal},
		{name: "svc -l and reload-signal", only215: true, play: playSvcLAndReloadSignal},
	}
}

func playSvcSendsEachSignal(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"TERM": ""}})
	for pair := strings.Fields(signalOptions); len(pair) > 0; pair = pair[2:] {
		s.svc("-" + pair[0])
		s.hears(v, "got "+pair[1])
		s.stat()
		s.state()
	}
	s.svc("-a12") // several in one write
	s.hearsAll(v, 3)
}

func playSvcS(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"TERM": "", "CONT": ""}})
	for _, name := range []string{"ALRM", "SIGABRT", "quit", "HUP", "TERM", "INT", "USR1", "10", "USR2", "WINCH", "CONT"} {
		s.svc("-s", name)
		v.heardOne(s)
	}
	s.svc("-s", "STOP")
	s.until("is paused", isPaused)
	s.svc("-s", "CONT")
	s.hears(v, "got CONT")
	s.svc("-s", "URG")
	s.svc("-s", "nonsense")
	s.svc("-O")
	s.svc("-s", "KILL")
	s.await("D")
}

func playSvcK(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	s.svc("-O")
	s.svc("-k")
	s.hears(v, "finish")
	s.await("dD")
	s.state()
	s.stat()
	s.stat("-n")
	s.tally()
}

func playSvcK2(p *play) {
	p.start()
	v := p.voice("voice")
	// The second process is in the group too.
	s := p.service("web", puppet{voice: v, first: "sleep 2000 & say helper:$!"}.files())
	helper := helperPID(s, v)
	s.starts(v)
	s.svc("-O")
	s.svc("-K")
	s.hears(v, "finish")
	s.await("dD")
	p.gone(helper)
	s.tally()
}

func playSignalsWithoutAProcessDoNothing(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v}.files().with(files{"down": ""}))
	for _, o := range strings.Split("abqhkti12pcyr", "") {
		s.svc("-" + o)
	}
	s.state()
	s.svc("-u") // the fence: these came in order
	s.starts(v)
	s.state()
	s.stat()
}

func playSignalsDoNotGoToFinish(p *play) {
	p.start()
	v := p.voice("voice")
	gate := p.fifo("gate")
	traps := "for s in " + signals + "; do trap \"say finish got $s\" $s; done; say finish waits\nread -r line <" + gate.Name()
	s := p.up("web", puppet{voice: v, finish: traps})
	s.svc("-t")
	s.hears(v, "finish waits")
	s.await("d")
	for _, o := range strings.Split("abqhkti12pcyrd", "") {
		s.svc("-" + o)
	}
	s.until("is wanted down", wantedDown)
	s.svc("-u")
	s.until("is wanted up", wantedUp)
	s.state()
	s.stat()
	gate.WriteString("go\n")
	s.starts(v)
}

func playBytesThatAreNoCommands(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	s.send("\n-Zz09 \x00\xff1") // the last is a signal, and the fence
	s.hears(v, "got USR1")
	s.state()
}

func playDownSignal(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"TERM": "", "CONT": ""}})
	for _, text := range []string{"INT\n", "SIGINT", "sigint\nmore\n", "int", "2\n", "12", "nonsense\n", "", "99\n"} {
		p.write(s.dir, files{"down-signal": text})
		s.svc("-ry") // the last is the fence
		s.hearsAll(v, p.twoUnless(strings.TrimSpace(text) == "99"))
	}
	p.write(s.dir, files{"down-signal": "USR2\n"})
	s.svc("-d")
	s.hearsAll(v, 2)
	s.until("is wanted down", wantedDown)
	s.state()
	s.svc("-k")
	s.await("dD")
	s.hears(v, "finish")
	s.tally()
}

func playSvcLAndReloadSignal(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	s.svc("-l")
	v.heardOne(s)
	for _, text := range []string{"USR1\n", "SIGALRM", "12\n", "nonsense", "99"} {
		p.write(s.dir, files{"reload-signal": text})
		s.svc("-ly") // the last is the fence
		s.hearsAll(v, p.twoUnless(strings.TrimSpace(text) == "99"))
	}
	s.state()
}

// twoUnless is how many signals come of one that a file names and one that does
// not depend on it: s6 sends no other for a number that is no signal.
func (p *play) twoUnless(none bool) int {
	if none && !p.tree.ours {
		return 1
	}
	return 2
}

// heardOne notes one line.
func (v *voice) heardOne(s *service) {
	v.p.t.Helper()
	v.p.note("%s: says %s", s.name, v.p.plain(s.told(v.line())))
}

func isPaused(r status.Record) bool   { return r.Paused }
func wantedUp(r status.Record) bool   { return r.WantUp }
func wantedDown(r status.Record) bool { return !r.WantUp }

// pause stops a service and lets it go on: what it gets meanwhile it tells
// afterwards.
func pause(p *play, stop, cont string) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"CONT": ""}})
	s.svc(stop)
	s.until("is paused", isPaused)
	s.state()
	s.stat()
	s.svc("-1")
	s.svc(cont)
	s.until("goes on", func(r status.Record) bool { return !r.Paused })
	s.hears(v, "got CONT")
	s.state()
	s.stat()
	// Stopping a service that is paused lets it go on.
	s.svc(stop)
	s.until("is paused", isPaused)
	s.svc("-d")
	s.hears(v, "finish")
	s.await("dD")
	s.state()
	s.tally()
}

// helperPID is that of a second process of a service, which tells it first.
func helperPID(s *service, v *voice) int {
	s.p.t.Helper()
	line := strings.TrimPrefix(v.line(), "helper:")
	s.told("run:" + line)
	return s.run
}
