package svscan_test

import (
	"os"
	"path/filepath"
	"strings"
)

// loggerFiles are those of a logger that tells each line it gets, and the end
// of its input.
func loggerFiles(v *voice) files {
	return files{
		"log/run": "#!/bin/sh\n" + v.say() + `say "run:$$" "$@"
while IFS= read -r line; do say "logged $line"; done
say end of input
`,
		"log/finish": "#!/bin/sh\n" + v.say() + "say \"finish:$$\" \"$@\"\n",
	}
}

// talker is a service with a logger: USR1 has it print a numbered line.
type talker struct {
	*service
	v, lv *voice
}

func (p *play) talker(name string, more files) talker {
	p.t.Helper()
	t := talker{v: p.voice(name + "-voice"), lv: p.voice(name + "-log-voice")}
	pp := puppet{voice: t.v, first: "n=0", on: map[string]string{"USR1": "n=$((n+1)); echo line $n"}}
	t.service = p.service(name, pp.files().with(loggerFiles(t.lv)).with(more))
	return t
}

// prints has the service print a line.
func (t talker) prints() {
	t.p.t.Helper()
	t.svc("-1")
	t.hears(t.v, "got USR1")
}

func loggerCases() []testCase {
	return []testCase{
		{name: "a logger gets what the service prints", play: playALoggerGetsWhatTheServicePrints},
		{name: "the pipe survives the logger", play: playThePipeSurvivesTheLogger},
		{name: "the pipe survives the service", play: playThePipeSurvivesTheService},
		{name: "a supervisor that leaves gives its end of the pipe to the next", play: playSupervisorLeavesGivesItsEndPipeNext},
		{name: "at the end a logger gets all, and the end of its input", play: playAtEndLoggerGetsAllEndItsInput},
		{name: "a logger that is down at the end", play: playALoggerThatIsDownAtTheEnd},
		{name: "a logger's down file", play: playALoggerDownFile},
		{name: "a logger that is added later", play: playALoggerThatIsAddedLater},
		{name: "log that is no directory, log/log", play: playLogThatIsNoDirectoryLogLog},
		{name: "a logger moved away", play: playALoggerMovedAway},
		{name: "a pair that is removed", play: playAPairThatIsRemoved},
		{name: "s6-svscan-log", play: playS6SvscanLog},
		{name: "log/directives", play: playLogDirectives},
	}
}

func playALoggerGetsWhatTheServicePrints(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	t.prints()
	t.log.hears(t.lv, "logged")
	t.state()
	t.log.state()
	p.tool("s6-svstat", t.log.dir)
}

func playThePipeSurvivesTheLogger(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	t.log.svc("-d")
	t.log.hears(t.lv, "finish")
	t.log.await("D")
	t.prints() // nobody reads them yet
	t.prints()
	t.log.svc("-u")
	t.log.starts(t.lv)
	t.log.hears(t.lv, "logged line 1")
	t.log.hears(t.lv, "logged line 2")
	t.log.svc("-k")
	t.log.await("u")
	t.prints()
	t.log.hears(t.lv, "logged line 3")
	t.state()
	t.log.tally()
}

func playThePipeSurvivesTheService(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	for range 2 {
		t.prints()
		t.log.hears(t.lv, "logged line 1")
		t.svc("-k")
		t.hears(t.v, "finish")
		t.starts(t.v)
	}
	t.log.state() // the logger is the same
	t.tally()
}

func playSupervisorLeavesGivesItsEndPipeNext(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	t.svc("-xd")
	t.await("s")
	t.hears(t.v, "finish")
	t.starts(t.v)
	t.prints()
	t.log.hears(t.lv, "logged line 1")
	t.log.svc("-xd")
	t.log.hears(t.lv, "finish")
	t.log.await("s")
	t.log.starts(t.lv)
	t.prints()
	t.log.hears(t.lv, "logged line 2")
}

func playAtEndLoggerGetsAllEndItsInput(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	t.log.svc("-p") // it is slow
	t.log.until("is paused", isPaused)
	t.prints()
	p.tool("s6-svscanctl", "-t", p.scan)
	t.hears(t.v, "finish")
	t.await("x")
	t.log.svc("-c")
	t.log.hears(t.lv, "logged line 1")
	t.log.hears(t.lv, "end of input")
	t.log.hears(t.lv, "finish")
	t.log.await("x")
	p.ends()
}

func playALoggerThatIsDownAtTheEnd(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	t.log.svc("-d")
	t.log.await("D")
	p.tool("s6-svscanctl", "-t", p.scan)
	t.await("x")
	t.log.await("x")
	p.ends()
}

func playALoggerDownFile(p *play) {
	p.start()
	t := p.talker("web", files{"log/down": ""})
	t.starts(t.v)
	t.prints()
	t.log.state()
	t.log.svc("-u")
	t.log.starts(t.lv)
	t.log.hears(t.lv, "logged line 1")
}

func playALoggerThatIsAddedLater(p *play) {
	p.start()
	v, lv := p.voice("voice"), p.voice("log-voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"USR1": "echo a line"}})
	p.write(s.dir, loggerFiles(lv))
	p.rescan()
	p.fence()
	if !p.has215() && !p.tree.ours {
		p.note("no logger")
		return
	}
	p.begun(filepath.Join(s.dir, "log"))
	log := &service{p: p, name: "web/log", dir: filepath.Join(s.dir, "log")}
	log.hears(lv, "run")
	log.state()
	s.svc("-x") // only the next supervisor's service writes to it
	s.svc("-d")
	s.await("x")
	s.await("s")
	s.hears(v, "finish")
	s.starts(v)
	s.svc("-1")
	log.hears(lv, "logged a line")
}

func playLogThatIsNoDirectoryLogLog(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.write(s.dir, files{"log": "a file"})
	p.rescan()
	p.fence()
	s.state()
	t := p.talker("deep", loggerFiles(p.voice("deeper")).in("log"))
	t.starts(t.v)
	t.log.starts(t.lv)
	p.fence()
	p.tool("s6-svok", filepath.Join(t.dir, "log/log"))
}

func playALoggerMovedAway(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	p.must(os.Rename(t.log.dir, filepath.Join(t.dir, "away")))
	t.log.dir = filepath.Join(t.dir, "away")
	p.tool("s6-svscanctl", "-an", p.scan)
	t.state()
	t.prints()
	t.log.hears(t.lv, "logged line 1")
}

func playAPairThatIsRemoved(p *play) {
	p.start()
	t := p.talker("web", nil)
	t.starts(t.v)
	t.log.starts(t.lv)
	p.must(os.Rename(t.dir, p.path(".web")))
	t.dir, t.log.dir = p.path(".web"), p.path(".web", "log")
	p.rescan()
	p.fence()
	t.svc("-xd") // the first of it that leaves ends the pipe
	t.await("x")
	t.log.hears(t.lv, "end of input")
	t.log.svc("-x")
	t.log.await("x")
	p.eventually(1, "s6-svok", t.dir)
	p.eventually(1, "s6-svok", t.log.dir)
}

func playS6SvscanLog(p *play) {
	p.start()
	v := p.voice("voice")
	p.write(filepath.Join(p.dir, "made"), nil)
	log := p.service("s6-svscan-log", puppet{voice: v}.files())
	log.starts(v)
	s := p.up("web", puppet{voice: p.voice("web-voice")})
	// It ends as loggers do: not by -t as long as it has no end of input.
	p.tool("s6-svscanctl", "-t", p.scan)
	s.await("x")
	log.svc("-1")
	log.hears(v, "got USR1")
	log.svc("-d")
	log.await("x")
	p.ends()
}

func playLogDirectives(p *play) {
	v := p.voice("voice")
	logs := filepath.Join(p.dir, "logs")
	p.must(os.Mkdir(logs, 0o700))
	p.start()
	lv := p.voice("log-voice")
	s := p.service("web", puppet{voice: v, on: map[string]string{"USR1": "echo a line"}}.files().with(loggerFiles(lv)).with(files{"log/directives": "n5\n" + logs + "\n"}))
	s.starts(v)
	s.log.await("u")
	s.svc("-1")
	s.hears(v, "got USR1")
	if p.tree.ours {
		current := filepath.Join(logs, "current")
		p.until("a log directory", func() bool { return p.exists(current) }, logs)
		p.until("a line", func() bool { b, _ := os.ReadFile(current); return len(b) > 0 }, logs)
		b, err := os.ReadFile(current)
		p.must(err)
		p.note("current: %s", strings.TrimSpace(string(b)))
	} else {
		s.log.hears(lv, "logged a line")
	}
	p.tool("s6-svstat", s.log.dir)
	p.tool("s6-svscanctl", "-t", p.scan)
	s.await("x")
	s.log.await("x")
	p.ends()
}

// in puts the files into a directory.
func (f files) in(dir string) files {
	all := files{}
	for name, text := range f {
		all[filepath.Join(dir, name)] = text
	}
	return all
}
