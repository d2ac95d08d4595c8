package svscan_test

import "strings"

// s6-svdt and s6-svdt-clear.
func tallyCases() []testCase {
	return []testCase{
		{name: "svdt", play: playSvdt},
		{name: "max-death-tally", play: playMaxDeathTally},
	}
}

// ends are of a puppet that ends in several ways, and deaths has it do so: exit
// 3, 0, 111, signals 2 and 9.
func ends() map[string]string {
	return map[string]string{"USR1": "exit 3", "USR2": "exit 0", "HUP": "exit 111", "INT": "default"}
}

const deaths = "-1 -2 -h -i -k"

func playSvdt(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: ends()}.files().with(files{"down": ""}))
	p.tool("s6-svdt", s.dir)
	s.dies(v, deaths)
	s.tally()
	for _, options := range []string{"", "-s", "-S", "-n 2", "-n 0", "-n 100", "-s -n 1"} {
		p.tool("s6-svdt", append(strings.Fields(options), s.dir)...)
	}
	p.tool("s6-svdt-clear", s.dir)
	s.tally()
	p.tool("s6-svdt", s.dir)
	s.dies(v, "-1 -k") // the supervisor goes on with the file as it is
	s.tally()
	p.tool("s6-svdt", s.dir)
	s.svc("-x") // a new supervisor begins anew
	s.await("s")
	s.tally()
}

func playMaxDeathTally(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: ends()}.files().with(files{"down": "", "max-death-tally": "2\n"}))
	s.dies(v, deaths)
	s.tally()
	p.write(s.dir, files{"max-death-tally": "4"})
	s.dies(v, "-1 -2 -h")
	s.tally()
	p.write(s.dir, files{"max-death-tally": "1\n"})
	s.dies(v, "-1")
	s.tally()
	p.write(s.dir, files{"max-death-tally": "nonsense\n"})
	s.dies(v, "-2")
	s.tally()
	p.write(s.dir, files{"max-death-tally": "0\n"})
	s.dies(v, "-k")
	s.tally()
	p.write(s.dir, files{"max-death-tally": "100000\n"})
	s.dies(v, "-k")
	s.tally()
}

// dies starts the service once for each of the options of s6-svc, which end it.
func (s *service) dies(v *voice, options string) {
	s.p.t.Helper()
	for option := range strings.FieldsSeq(options) {
		s.svc("-o")
		s.starts(v)
		s.svc(option)
		s.await("D")
		s.hears(v, "finish")
	}
}
