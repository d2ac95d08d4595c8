package svscan_test

import (
	"os"
	"path/filepath"
	"strings"
)

// s6-svwait, s6-svlisten, s6-svlisten1, and s6-svc -w, which becomes one of
// them.
func waitCases() []testCase {
	cases := []testCase{
		{name: "svok", play: playSvok},
		{name: "svwait for what is so already", play: playSvwaitForWhatIsSoAlready},
		{name: "svwait", play: playSvwait},
		{name: "svwait -a and -o", play: playSvwaitAAndO},
		{name: "waiters learn of a permanent failure", play: playWaitersLearnOfAPermanentFailure},
		{name: "waiters learn that the supervisor leaves", play: playWaitersLearnThatTheSupervisorLeaves},
		{name: "svlisten1", play: playSvlisten1},
		{name: "svlisten", play: playSvlisten},
		{name: "svc -w without a command", play: playSvcWWithoutACommand},
		{name: "svc -w with a command", play: playSvcWWithACommand},
		{name: "svc on what is not there", play: playSvcOnWhatIsNotThere},
	}
	return cases
}

func playSvok(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.tool("s6-svok", s.dir)
	p.tool("s6-svok", p.path("absent"))
	p.write(p.path(".hidden"), files{"run": "#!/bin/sh\n"})
	p.tool("s6-svok", p.path(".hidden"))
	s.svc("-d")
	s.await("D")
	p.tool("s6-svok", s.dir)
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
	p.tool("s6-svok", s.dir)
	s.stat()
	s.svc("-u")
	p.tool("s6-svscanctl", "-a", p.scan)
}

func playSvwaitForWhatIsSoAlready(p *play) {
	up, ready, down := threeServices(p)
	for _, s := range []*service{up, ready, down} {
		for _, want := range []string{"-u", "-U", "-d", "-D"} {
			p.tool("s6-svwait", want, "-t", "200", s.dir)
		}
	}
	all := []string{up.dir, ready.dir, down.dir}
	for _, options := range []string{"-a -u", "-o -u", "-o -d", "-a -d", "-o -U", "-a -U", "-u"} {
		p.tool("s6-svwait", append(append(strings.Fields(options), "-t", "200"), all...)...)
	}
	p.tool("s6-svwait", "-u", "-t", "200", up.dir, ready.dir)
	p.tool("s6-svwait", "-r", "-t", "200", up.dir)
	p.tool("s6-svwait", "-R", "-t", "200", up.dir)
	p.tool("s6-svwait", "-u", "-t", "200", p.path("absent"))
}

func playSvwait(p *play) {
	up, ready, down := threeServices(p)
	for _, c := range []struct {
		options string
		s       *service
		command string
		last    string
	}{
		{"-d", up, "-d", "D"},
		{"-u", up, "-u", "u"},
		{"-D", ready, "-d", "D"},
		{"-U", ready, "-u", "U"},
		{"-r", ready, "-r", "U"},
		{"-R", ready, "-r", "U"},
		{"-u", down, "-u", "u"},
		{"-r", down, "-k", "u"},
	} {
		w := c.s.waiter("s6-svwait", c.options, "-t", patient, c.s.dir)
		c.s.svc(c.command)
		w.wait()
		c.s.await(c.last)
	}
}

func playSvwaitAAndO(p *play) {
	up, ready, _ := threeServices(p)
	either := up.waiter("s6-svwait", "-o", "-D", "-t", patient, ready.dir, up.dir)
	up.svc("-d")
	either.wait()
	both := up.waiter("s6-svwait", "-a", "-D", "-t", patient, ready.dir, up.dir)
	ready.svc("-d")
	both.wait()
}

func playWaitersLearnOfAPermanentFailure(p *play) {
	p.start()
	v := p.voice("voice")
	// It is up and not ready, which -U waits for in vain.
	s := p.up("web", puppet{voice: v, finish: "exit 125"})
	w := s.waiter("s6-svwait", "-U", "-t", patient, s.dir)
	s.svc("-t")
	w.wait()
	s.await("OD")
	s.state()
	s.stat()
	s.svc("-u")
	s.hears(v, "finish")
	s.starts(v)
	w = s.waiter("s6-svwait", "-D", "-t", patient, s.dir)
	s.svc("-t") // whoever waits for the end gets it
	w.wait()
	s.await("OD")
	// A short life.
	p.write(s.dir, files{"run": "#!/bin/sh\nexit 1\n"})
	p.tool("s6-svlisten1", "-U", "-t", patient, s.dir, filepath.Join(p.tools, "s6-svc"), "-u", s.dir)
	s.await("OD")
	s.state()
	s.tally()
}

func playWaitersLearnThatTheSupervisorLeaves(p *play) {
	p.start()
	v := p.voice("voice")
	a, b := p.up("a", puppet{voice: v}), p.up("b", puppet{voice: v})
	one := a.waiter("s6-svwait", "-U", "-t", patient, a.dir)
	two := b.waiter("s6-svwait", "-U", "-t", patient, a.dir, b.dir)
	// They come back, and are not to come up then.
	p.write(a.dir, files{"down": ""})
	p.write(b.dir, files{"down": ""})
	a.svc("-xd")
	one.wait()
	b.svc("-xd")
	two.wait()
	a.await("x")
	b.await("x")
}

func playSvlisten1(p *play) {
	up, ready, down := threeServices(p)
	svc := filepath.Join(p.tools, "s6-svc")
	for _, c := range []struct {
		option  string
		s       *service
		command string
		last    string
	}{
		{"-d", up, "-d", "D"}, {"-u", up, "-u", "u"}, {"-D", up, "-d", "D"}, {"-u", up, "-o", "u"},
		{"-R", ready, "-r", "U"}, {"-r", ready, "-r", "U"}, {"-U", ready, "-o", ""},
		{"-u", down, "-u", "u"}, {"-D", down, "-k", ""},
	} {
		p.tool("s6-svlisten1", c.option, "-t", patient, c.s.dir, svc, c.command, c.s.dir)
		if c.last != "" {
			c.s.await(c.last)
		}
	}
	p.tool("s6-svlisten1", "-U", "-t", "200", up.dir, svc, "-1", up.dir)
	p.tool("s6-svlisten1", "-u", "-t", "200", p.path("absent"), svc, "-1", up.dir)
}

func playSvlisten(p *play) {
	up, ready, down := threeServices(p)
	svc := filepath.Join(p.tools, "s6-svc")
	p.tool("s6-svlisten", "-U", "-t", patient, ready.dir, "", svc, "-t", ready.dir)
	ready.await("U")
	p.tool("s6-svlisten", "-a", "-u", "-t", patient, up.dir, down.dir, "", svc, "-u", down.dir)
	p.tool("s6-svlisten", "-a", "-D", "-t", "200", up.dir, ready.dir, "", svc, "-1", ready.dir)
	p.tool("s6-svlisten", "-o", "-d", "-t", patient, up.dir, down.dir, "", svc, "-d", up.dir)
	up.await("D")
	p.tool("s6-svlisten", "-D", "-t", patient, up.dir, "", svc, "-d", up.dir)
	p.tool("s6-svlisten", "-r", "-t", patient, ready.dir, "", svc, "-r", ready.dir)
	ready.await("U")
	p.tool("s6-svlisten", "-u", "-t", "200", up.dir)
}

func playSvcWWithoutACommand(p *play) {
	up, ready, down := threeServices(p)
	for _, s := range []*service{up, ready, down} {
		for _, want := range []string{"-wu", "-wU", "-wd", "-wD"} {
			s.svc(want, "-T", "200")
		}
	}
}

func playSvcWWithACommand(p *play) {
	up, ready, down := threeServices(p)
	up.svc("-wd", "-T", patient, "-d")
	up.await("D")
	up.svc("-wu", "-T", patient, "-u")
	up.await("u")
	up.svc("-wU", "-T", patient, "-u") // for want of notification-fd: -wu
	up.svc("-wr", "-T", patient, "-t")
	up.await("u")
	up.svc("-wR", "-T", patient, "-r")
	up.await("u")
	ready.svc("-wD", "-T", patient, "-d")
	ready.svc("-wU", "-T", patient, "-u")
	ready.svc("-wR", "-T", patient, "-t")
	ready.svc("-wr", "-T", patient, "-t")
	ready.await("uUdDuUdDuU")
	ready.svc("-wd", "-T", "200", "-1")
	ready.svc("-wD", "-T", "200", "-1")
	down.svc("-wU", "-T", patient, "-o")
	down.svc("-wD", "-T", patient, "-k")
	down.svc("-wD", "-T", patient, "-O")
	p.tool("s6-svc", "-wu", "-T", "200", "-u", p.path("absent"))
}

func playSvcOnWhatIsNotThere(p *play) {
	p.start()
	p.must(os.MkdirAll(p.path(".no", "supervise"), 0o755))
	for _, name := range []string{"absent", ".no", "."} {
		p.tool("s6-svc", "-u", p.path(name))
		p.tool("s6-svstat", p.path(name))
		p.tool("s6-svdt", p.path(name))
	}
	p.tool("s6-svc")
	p.tool("s6-svc", "-z", p.scan)
	p.tool("s6-svscanctl", "-a", p.path("absent"))
	p.tool("s6-svscanctl", "-a", p.dir)
	p.tool("s6-svscanctl", "-x", p.scan)
}

// threeServices are one that is up, one that is up and ready, and one that is
// down and will announce its readiness.
func threeServices(p *play) (up, ready, down *service) {
	p.t.Helper()
	p.start()
	up = p.service("up", puppet{voice: p.voice("voice-up")}.files())
	up.await("u")
	announced := files{"notification-fd": "3\n"}
	ready = p.service("ready", puppet{voice: p.voice("voice-ready")}.announces().files().with(announced))
	ready.await("U")
	down = p.service("down", puppet{voice: p.voice("voice-down")}.announces().files().with(announced).with(files{"down": ""}))
	return up, ready, down
}

// waiter starts a tool that waits for the service, and returns when it listens.
func (s *service) waiter(tool string, args ...string) *command {
	s.p.t.Helper()
	before := s.listeners()
	c := s.p.background(tool, args...)
	event := filepath.Join(s.dir, "event")
	s.p.until(tool+" listens to "+s.name, func() bool { return len(s.listeners()) > len(before) }, event)
	return c
}

func (s *service) listeners() []string {
	s.p.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, "event"))
	s.p.must(err)
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "ftrig1:@") {
			names = append(names, e.Name())
		}
	}
	return names
}
