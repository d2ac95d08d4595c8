package svscan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// statFields are the fields of s6-svstat -o, those of 2.15 last.
const statFields = "up wantedup normallyup ready paused pid exitcode signal signum updownsince readysince updownfor readyfor pgid"

// everyField notes all that s6-svstat can tell.
func (s *service) everyField() {
	s.p.t.Helper()
	s.state()
	s.stat()
	s.stat("-n")
	fields := strings.Fields(statFields)
	if !s.p.has215() {
		fields = fields[:len(fields)-1]
	}
	for _, f := range fields {
		s.p.note("%s: %s is %s", s.name, f, s.field(f, "-o", f))
	}
	letters := strings.Split("uwNrpest", "")
	if s.p.has215() {
		letters = append(letters, "g")
	}
	for _, l := range letters {
		s.p.note("%s: -%s is %s", s.name, l, s.field(l, "-"+l))
	}
	s.p.note("%s: several are %s", s.name, s.field("several", "-o", "wantedup,up,exitcode", "-s", "-Nr"))
}

// field is what s6-svstat prints for one field, with a pid as P and a number of
// seconds as N.
func (s *service) field(name string, options ...string) string {
	s.p.t.Helper()
	c := s.p.background("s6-svstat", append(options, s.dir)...)
	s.p.must(c.cmd.Wait())
	text := s.p.plain(string(bytes.TrimSuffix(c.out.Bytes(), []byte("\n"))))
	switch name {
	case "pid", "pgid", "p", "g":
		return regexp.MustCompile(`^[1-9][0-9]*$`).ReplaceAllString(text, "P")
	case "updownfor", "readyfor", "t":
		return regexp.MustCompile(`^[0-9]{1,2}$`).ReplaceAllString(text, "N")
	}
	return text
}

func statCases() []testCase {
	cases := []testCase{
		{name: "svstat refuses", play: playSvstatRefuses},
	}
	for _, states := range []stateOf{neverStarted(), started(), ended()} {
		for name, prepare := range states {
			cases = append(cases, testCase{name: "svstat, " + name, play: func(p *play) { prepare(p).everyField() }})
		}
	}
	return cases
}

func playSvstatRefuses(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	for _, options := range []string{"-o nonsense", "-o up,", "-z", "-o up,up,up,up,up,up,up,up,up,up,up,up,up,up,up,up,up"} {
		s.stat(strings.Fields(options)...)
	}
	p.tool("s6-svstat")
	// What is not understood is not shown: a record cut short, none at all.
	s.svc("-O")
	s.until("is wanted down", wantedDown)
	p.must(os.Truncate(filepath.Join(s.dir, "supervise/status"), 34))
	s.stat()
	p.must(os.Remove(filepath.Join(s.dir, "supervise/status")))
	s.stat()
	s.svc("-u") // and it is there again
	s.until("is wanted up", wantedUp)
	s.stat()
}

// stateOf makes a service that is in a state.
type stateOf map[string]func(p *play) *service

// neverStarted, started and ended are the states that a service can be seen in.
func neverStarted() stateOf {
	return stateOf{
		"never started": func(p *play) *service {
			p.start()
			return p.service("web", puppet{voice: p.voice("voice")}.files().with(files{"down": ""}))
		},
		"never started, wanted up": func(p *play) *service {
			p.start()
			s := p.service("web", files{"notification-fd": "3\n"}) // no run
			p.fence()
			return s
		},
		"never started, told to stay down": func(p *play) *service {
			p.start()
			s := p.service("web", puppet{voice: p.voice("voice")}.files().with(files{"down": ""}))
			s.rewrites(func() { s.svc("-d") })
			return s
		},
	}
}

func started() stateOf {
	return stateOf{
		"up": func(p *play) *service {
			s, _ := p.startedAs(puppet{}, nil)
			return s
		},
		"up, normally down": func(p *play) *service {
			s, _ := p.startedAs(puppet{}, nil)
			p.write(s.dir, files{"down": ""})
			return s
		},
		"up, announces later": func(p *play) *service {
			s, _ := p.startedAs(puppet{}, announced())
			return s
		},
		"up and ready": func(p *play) *service {
			s, _ := p.startedAs(puppet{}.announces(), announced())
			s.await("U")
			return s
		},
		"up and ready, want down": func(p *play) *service {
			s, _ := p.startedAs(puppet{}.announces(), announced())
			s.await("U")
			s.svc("-O")
			s.until("is wanted down", wantedDown)
			return s
		},
		"paused": func(p *play) *service {
			s, _ := p.startedAs(puppet{}, nil)
			s.svc("-p")
			s.until("is paused", isPaused)
			return s
		},
		"paused and ready": func(p *play) *service {
			s, _ := p.startedAs(puppet{}.announces(), announced())
			s.await("U")
			s.svc("-p")
			s.until("is paused", isPaused)
			return s
		},
		"up again after exit 3": func(p *play) *service {
			s, v := p.startedAs(puppet{on: map[string]string{"USR1": "exit 3"}}, nil)
			s.svc("-1")
			s.await("D")
			s.hears(v, "finish")
			s.starts(v)
			return s
		},
	}
}

func ended() stateOf {
	return stateOf{
		"finishing, wanted up": func(p *play) *service {
			p.start()
			s, _, _ := finishing(p)
			return s
		},
		"finishing, wanted down": func(p *play) *service {
			p.start()
			s, _, _ := finishing(p)
			s.svc("-O")
			s.until("is wanted down", wantedDown)
			return s
		},
		"down, exit 3": func(p *play) *service {
			s, v := p.startedAs(puppet{on: map[string]string{"USR1": "exit 3"}}, nil)
			s.svc("-O1")
			s.await("D")
			s.hears(v, "finish")
			return s
		},
		"down, exit 255, normally down": func(p *play) *service {
			s, _ := p.startedAs(puppet{on: map[string]string{"USR1": "exit 255"}}, files{})
			s.svc("-Q1") // some versions do not know Q
			s.await("D")
			p.write(s.dir, files{"down": ""})
			s.svc("-d")
			s.until("is wanted down", wantedDown)
			return s
		},
		"down, SIGKILL": func(p *play) *service {
			s, _ := p.startedAs(puppet{}, nil)
			s.svc("-Ok")
			s.await("D")
			return s
		},
		"down, SIGABRT": func(p *play) *service {
			s, _ := p.startedAs(puppet{on: map[string]string{"ABRT": "default"}}, nil)
			s.svc("-Ob")
			s.await("D")
			return s
		},
		"down, permanent failure": func(p *play) *service {
			s, _ := p.startedAs(puppet{finish: "exit 125"}, nil)
			s.svc("-t")
			s.await("OD")
			return s
		},
		"down, wanted up": func(p *play) *service {
			s, v := p.startedAs(puppet{on: map[string]string{"USR1": "exit 1"}}, nil)
			p.must(os.Remove(filepath.Join(s.dir, "run"))) // that it cannot start again
			s.svc("-1")
			s.await("D")
			s.hears(v, "finish")
			return s
		},
	}
}

func announced() files { return files{"notification-fd": "3\n"} }

// startedAs is a service with the files more that has begun to run.
func (p *play) startedAs(pp puppet, more files) (*service, *voice) {
	p.t.Helper()
	p.start()
	pp.voice = p.voice("voice")
	s := p.service("web", pp.files().with(more))
	s.starts(pp.voice)
	return s, pp.voice
}
