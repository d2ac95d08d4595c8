package svscan_test

import (
	"os"
	"path/filepath"
	"regexp"
)

// s6-svscanctl, command by command.
func commandCases() []testCase {
	return []testCase{
		{name: "svscanctl -a", play: playSvscanctlA},
		{name: "svscanctl -z", play: playSvscanctlZ},
		{name: "svscanctl -n needs a scan, -an scans", play: playSvscanctlNNeedsAScanAnScans},
		{name: "svscanctl -n, after a scan", play: playSvscanctlNAfterAScan},
		{name: "svscanctl -h", play: playSvscanctlH},
		{name: "svscanctl -an leaves a logger its time, -aN does not", play: playSvscanctlAnLeavesALoggerItsTimeANDoesNot},
		{name: "svscanctl -t", play: func(p *play) { endBy(p, "-t") }},
		{name: "svscanctl -i", play: func(p *play) { endBy(p, "-i") }},
		{name: "svscanctl -q", play: func(p *play) { endBy(p, "-q") }},
		{name: "svscanctl -tt", play: func(p *play) { endBy(p, "-tt") }},
		{name: "svscanctl -nt", play: func(p *play) { endBy(p, "-nt") }},
		{name: "svscanctl -at", play: playSvscanctlAt},
		{name: "bytes that are no commands of a scanner", play: playBytesThatAreNoCommandsOfAScanner},
		{name: "-t waits for a service that takes its time", play: playTWaitsForAServiceThatTakesItsTime},
		{name: "-t does not start what was waiting to be started", play: playTDoesNotStartWhatWasWaitingToBeStarted},
	}
}

func playSvscanctlA(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.begin("web", puppet{voice: v}.files())
	s.publish()
	p.tool("s6-svscanctl", "-a", p.scan)
	s.await("s")
	s.starts(v)
	p.tool("s6-svscanctl", "-a", p.scan) // nothing new
	s.svc("-1")
	s.hears(v, "got USR1")
	s.state()
}

func playSvscanctlZ(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.tool("s6-svscanctl", "-z", p.scan)
	p.tool("s6-svscanctl", p.scan)
	p.fence()
	s.state()
}

func playSvscanctlNNeedsAScanAnScans(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.must(os.Rename(s.dir, s.made))
	s.dir = s.made
	p.tool("s6-svscanctl", "-n", p.scan)
	p.unknown("-")
	s.svc("-1")
	s.hears(v, "got USR1")
	p.tool("s6-svscanctl", "-an", p.scan)
	s.await("x")
	s.hears(v, "finish")
	p.eventually(1, "s6-svok", s.dir)
}

func playSvscanctlNAfterAScan(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.must(os.Rename(s.dir, s.made))
	s.dir = s.made
	p.tool("s6-svscanctl", "-a", p.scan)
	p.fence()
	s.svc("-1")
	s.hears(v, "got USR1")
	p.tool("s6-svscanctl", "-n", p.scan)
	s.await("x")
	s.hears(v, "finish")
}

func playSvscanctlH(p *play) {
	p.start()
	v := p.voice("voice")
	gone := p.up("gone", puppet{voice: v})
	stays := p.up("stays", puppet{voice: p.voice("stays-voice")})
	p.must(os.Rename(gone.dir, gone.made))
	gone.dir = gone.made
	fresh := p.begin("fresh", puppet{voice: p.voice("fresh-voice")}.files())
	fresh.publish()
	p.tool("s6-svscanctl", "-h", p.scan)
	gone.await("x")
	fresh.await("su")
	stays.state()
	stays.svc("-1")
	stays.stat()
}

func playSvscanctlAnLeavesALoggerItsTimeANDoesNot(p *play) {
	p.start()
	for _, c := range []struct{ name, option string }{{"soft", "-an"}, {"hard", "-aN"}} {
		v, lv := p.voice(c.name+"-voice"), p.voice(c.name+"-log-voice")
		f := puppet{voice: v, on: map[string]string{"TERM": "exit 0"}}.files().with(loggerFiles(lv))
		if c.option == "-aN" {
			// It says what it is ended by.
			f["log/run"] = "#!/bin/sh\n" + lv.say() + "trap 'say got TERM; exit 0' TERM\nsleep 1000 </dev/null >/dev/null 2>&1 &\nsay \"run:$$\" \"$@\"\nwait\n"
		}
		s := p.service(c.name, f)
		s.starts(v)
		s.log.starts(lv)
		p.must(os.Rename(s.dir, s.made))
		s.dir, s.log.dir = s.made, filepath.Join(s.made, "log")
		p.tool("s6-svscanctl", c.option, p.scan)
		s.await("x")
		s.log.await("x")
		s.log.hears(lv, "finish")
	}
}

func playSvscanctlAt(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	p.tool("s6-svscanctl", "-at", p.scan)
	p.tool("s6-svwait", "-d", "-t", "3000", s.dir)
	if !p.tree.ours && p.has215() {
		s.svc("-xd") // it waits for ever for supervisors that it has not told to end
	}
	p.ends()
}

func playBytesThatAreNoCommandsOfAScanner(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.unknown("x")
	p.unknown("\n")
	p.unknown("u")
	s.state()
	p.command(p.scan, ".s6-svscan", "-?t")
	s.await("x")
	p.ends()
}

func playTWaitsForAServiceThatTakesItsTime(p *play) {
	p.start()
	v := p.voice("voice")
	gate := p.fifo("gate")
	s := p.up("web", puppet{voice: v, finish: "say finish waits\nread -r line <" + gate.Name()})
	p.tool("s6-svscanctl", "-t", p.scan)
	s.hears(v, "finish waits")
	s.await("d")
	select {
	case <-p.exited:
		p.note("the scanner did not wait")
	default:
	}
	s.svc("-u") // it is not started again
	s.until("is wanted up", wantedUp)
	gate.WriteString("go\n")
	s.await("x")
	p.ends()
	s.afterEnd()
}

func playTDoesNotStartWhatWasWaitingToBeStarted(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"USR1": "exit 1"}})
	s.svc("-1")
	s.await("D")
	p.tool("s6-svscanctl", "-t", p.scan)
	s.await("x")
	p.ends()
	s.afterEnd()
}

// unknown gives the scanner a byte that is no command, and waits for what it
// says to that.
func (p *play) unknown(b string) {
	p.t.Helper()
	before := len(p.stderr.all())
	p.command(p.scan, ".s6-svscan", b)
	p.awaitMessage(before, regexp.MustCompile(`(?s)unknown (control )?command`))
}

// endBy ends a tree by a command: services first, loggers when they have read
// all.
func endBy(p *play, option string) {
	p.t.Helper()
	p.start()
	v, lv := p.voice("voice"), p.voice("log-voice")
	last := "echo last words; exit 0"
	if option == "-q" { // which ends the logger too, and nobody may read them
		last = "exit 0"
	}
	logged := p.service("logged", puppet{voice: v, on: map[string]string{"TERM": last}}.files().with(loggerFiles(lv)))
	logged.starts(v)
	logged.log.starts(lv)
	alone := p.up("alone", puppet{voice: p.voice("alone-voice")})
	down := p.service("down", puppet{voice: p.voice("down-voice")}.files().with(files{"down": ""}))
	p.tool("s6-svscanctl", option, p.scan)
	p.ends()
	logged.await("x")
	logged.hears(v, "finish")
	logged.log.await("x")
	if option != "-q" {
		logged.log.hears(lv, "finish")
	}
	alone.await("x")
	down.await("x")
	for _, s := range []*service{logged, logged.log, alone, down} {
		p.tool("s6-svok", s.dir)
	}
	logged.afterEnd()
	p.gone(logged.run)
	p.gone(logged.log.run)
	p.gone(alone.run)
	p.tool("s6-svscanctl", "-a", p.scan)
}

// afterEnd notes what a supervisor has left: the record of the end, and a FIFO
// that nobody reads.
func (s *service) afterEnd() {
	s.p.t.Helper()
	s.state()
	s.tally()
	s.svc("-u")
}
