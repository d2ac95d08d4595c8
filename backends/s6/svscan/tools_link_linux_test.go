package svscan_test

import (
	"os"
	"path/filepath"
	"strings"
)

// s6-svlink and s6-svunlink.
func linkCases() []testCase {
	return []testCase{
		{name: "svlink and svunlink", play: playSvlinkAndSvunlink},
		{name: "svlink with another name, svunlink -X", play: playSvlinkWithAnotherNameSvunlinkX},
		{name: "svlink -d", play: playSvlinkD},
		{name: "svlink -D", play: playSvlinkD2},
		{name: "svlink -P", play: playSvlinkP},
		{name: "svlink with a logger", play: playSvlinkWithALogger},
		{name: "svlink of what cannot be", play: playSvlinkOfWhatCannotBe},
	}
}

func playSvlinkAndSvunlink(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("web", puppet{voice: v}.files())
	p.tool("s6-svlink", "-t", patient, p.scan, s.dir)
	s.starts(v)
	s.state()
	p.links()
	p.tool("s6-svlink", "-t", patient, p.scan, s.dir)
	p.tool("s6-svunlink", "-t", patient, p.scan, "web")
	s.await("x")
	p.links()
	p.eventually(1, "s6-svok", s.dir)
	p.tool("s6-svunlink", "-t", patient, p.scan, "web")
}

func playSvlinkWithAnotherNameSvunlinkX(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("web", puppet{voice: v}.files())
	p.tool("s6-svlink", "-f", "-t", patient, p.scan, s.dir, "other")
	s.starts(v)
	p.links()
	p.tool("s6-svunlink", "-X", "-t", patient, p.scan, "other")
	p.links()
	s.await("D") // and its supervisor is still there, or not: that is the tool's affair
	p.tool("s6-svscanctl", "-an", p.scan)
	s.await("x")
}

func playSvlinkD(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("web", puppet{voice: v}.files())
	p.tool("s6-svlink", "-d", "-t", patient, p.scan, s.dir)
	s.state()
	p.links()
	s.svc("-u")
	s.starts(v)
	s.state()
}

func playSvlinkD2(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("web", puppet{voice: v}.files())
	p.tool("s6-svlink", "-D", "-t", patient, p.scan, s.dir)
	s.state()
	s.svc("-u")
	s.starts(v)
}

func playSvlinkP(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("web", puppet{voice: v}.files())
	p.tool("s6-svlink", "-P", "-t", patient, p.scan, s.dir)
	s.starts(v)
	p.links()
}

func playSvlinkWithALogger(p *play) {
	p.start()
	v, lv := p.voice("voice"), p.voice("log-voice")
	s := p.apart("web", puppet{voice: v}.files().with(loggerFiles(lv)))
	log := &service{p: p, name: "web/log", dir: filepath.Join(s.dir, "log"), made: filepath.Join(s.dir, "log")}
	log.listen()
	p.tool("s6-svlink", "-t", patient, p.scan, s.dir)
	s.starts(v)
	log.starts(lv)
	p.tool("s6-svok", s.dir)
	p.tool("s6-svok", log.dir)
	p.tool("s6-svunlink", "-t", patient, p.scan, "web")
	s.await("x")
	log.await("x")
	log.hears(lv, "end of input")
}

func playSvlinkOfWhatCannotBe(p *play) {
	p.start()
	s := p.apart("web", files{"data": ""})
	p.tool("s6-svlink", "-t", "200", p.scan, s.dir)
	p.tool("s6-svlink", "-t", "200", p.scan, filepath.Join(p.dir, "absent"))
	p.write(s.dir, files{"run": "#!/bin/sh\n"})
	p.tool("s6-svlink", "-t", "200", p.dir, s.dir)
	p.tool("s6-svlink", "-t", "200", p.scan, s.dir, ".name")
	p.links()
}

// apart is a service directory outside the scan directory.
func (p *play) apart(name string, f files) *service {
	p.t.Helper()
	dir := filepath.Join(p.dir, "apart", name)
	p.write(dir, f)
	s := &service{p: p, name: name, dir: dir, made: dir}
	s.listen()
	return s
}

// links notes what is in the scan directory.
func (p *play) links() {
	p.t.Helper()
	entries, err := os.ReadDir(p.scan)
	p.must(err)
	var all []string
	for _, e := range entries {
		if target, err := os.Readlink(p.path(e.Name())); err == nil {
			all = append(all, e.Name()+" -> "+p.plain(target))
		} else {
			all = append(all, e.Name())
		}
	}
	p.note("scan directory: %s", strings.Join(all, ", "))
}
