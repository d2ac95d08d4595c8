package svscan_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
)

// How many services there may be, and how long their names.
func limitCases() []testCase {
	return []testCase{
		{name: "too many services", play: playTooManyServices},
		{name: "a logger counts as one more", only215: true, play: playALoggerCountsAsOneMore},
		{name: "long names", play: playLongNames},
		{name: "names of a length that is given", only215: true, play: playNamesOfALengthThatIsGiven},
	}
}

func playTooManyServices(p *play) {
	p.start(p.most(), "4")
	v := p.voice("voice")
	var all []*service
	for i := range 4 {
		all = append(all, p.up("s"+strconv.Itoa(i), puppet{voice: v}))
	}
	extra := p.begin("extra", puppet{voice: v}.files())
	extra.publish()
	p.rescan()
	p.awaitMessage(0, regexp.MustCompile("too many services|the most allowed"))
	p.tool("s6-svok", extra.dir)
	all[0].state()
	p.must(os.Rename(all[0].dir, p.path(".away")))
	all[0].dir = p.path(".away")
	p.must(os.Rename(extra.dir, p.path(".extra"))) // what is too much keeps some from looking further
	p.tool("s6-svscanctl", "-an", p.scan)
	all[0].await("x")
	all[0].hears(v, "finish")
	p.eventually(1, "s6-svok", all[0].dir)
	p.must(os.Rename(p.path(".extra"), extra.dir))
	extra.tryUntilSupervised()
	extra.starts(v)
}

func playALoggerCountsAsOneMore(p *play) {
	p.start("-C", "4")
	for _, name := range []string{"a", "b"} {
		t := p.talker(name, nil)
		t.starts(t.v)
		t.log.starts(t.lv)
	}
	extra := p.begin("extra", puppet{voice: p.voice("voice")}.files())
	extra.publish()
	p.rescan()
	p.awaitMessage(0, regexp.MustCompile("too many services|the most allowed"))
	p.tool("s6-svok", extra.dir)
}

func playLongNames(p *play) {
	p.start()
	v := p.voice("voice")
	long := p.service(strings.Repeat("n", 251), puppet{voice: v}.files())
	long.starts(v)
	if !p.has215() && !p.tree.ours {
		p.note("longer ones too")
		return
	}
	longer := p.begin(strings.Repeat("m", 252), puppet{voice: v}.files())
	longer.publish()
	p.rescan()
	p.awaitMessage(0, regexp.MustCompile("name too long|more than 251"))
	p.fence()
	p.tool("s6-svok", longer.dir)
}

func playNamesOfALengthThatIsGiven(p *play) {
	p.start("-L", "11")
	v := p.voice("voice")
	s := p.up("elevenchars", puppet{voice: v})
	s.state()
	longer := p.begin("twelve-chars", puppet{voice: v}.files())
	longer.publish()
	p.rescan()
	p.awaitMessage(0, regexp.MustCompile("name too long|more than 11"))
	p.fence()
	p.tool("s6-svok", longer.dir)
}

// most is the option for the number of services, which s6 2.11 calls -c.
func (p *play) most() string {
	if p.has215() || p.tree.ours {
		return "-C"
	}
	return "-c"
}

// tryUntilSupervised has the scanner look until it has taken a service: it may
// not have noticed yet that there is room.
func (s *service) tryUntilSupervised() {
	s.p.t.Helper()
	for !s.has("supervise/status") {
		if s.p.ctx.Err() != nil {
			s.p.fatalf("%s is never supervised", s.name)
		}
		s.p.rescan()
		s.p.tool("s6-svwait", "-d", "-t", "200", s.dir)
		s.p.lines = s.p.lines[:len(s.p.lines)-1]
	}
	s.await("s")
}
