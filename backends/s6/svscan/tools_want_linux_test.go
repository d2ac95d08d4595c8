package svscan_test

import (
	"os"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
)

// The commands of s6-svc that change what is wanted, in each state a service
// can be in.
func wantCases() []testCase {
	cases := []testCase{
		{name: "svc -x, up", play: playSvcXUp},
		{name: "svc -x, down", play: playSvcXDown},
		{name: "svc -x, finishing", play: playSvcXFinishing},
		{name: "commands in one write take effect in order", play: playCommandsInOneWriteTakeEffectInOrder},
		{name: "svc -r does not undo a pause", play: playSvcRDoesNotUndoAPause},
		{name: "up, down, once without waiting for the delay", play: playUpDownOnceWithoutWaitingForTheDelay},
	}
	for _, option := range []string{"u", "d", "o", "O", "U", "D", "Q", "ud", "du"} {
		if option != "ud" { // whether TERM is there before the script's first line is left to chance
			cases = append(cases, testCase{name: "svc -" + option + ", down", play: func(p *play) { wantWhenDown(p, option) }})
		}
		cases = append(cases,
			testCase{name: "svc -" + option + ", up", play: func(p *play) { wantWhenUp(p, option) }},
			testCase{name: "svc -" + option + ", finishing", play: func(p *play) { wantWhenFinishing(p, option) }},
		)
	}
	return cases
}

func playSvcXUp(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	s.svc("-x") // it leaves when the service does
	s.svc("-1")
	s.hears(v, "got USR1")
	s.state()
	s.svc("-t")
	s.await("s") // the scanner has begun another, which forgets
	s.starts(v)
	s.state()
	s.tally()
	s.svc("-xd")
	s.starts(v)
	s.state()
}

func playSvcXDown(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v}.files().with(files{"down": ""}))
	s.svc("-x")
	s.await("s")
	s.state()
	s.svc("-ux") // started, and then as when up
	s.starts(v)
	s.svc("-t")
	s.hears(v, "finish")
	s.await("s")
	s.state()
	s.stat()
}

func playSvcXFinishing(p *play) {
	p.start()
	s, v, gate := finishing(p)
	s.svc("-xx")
	s.svc("-d")
	s.until("is wanted down", wantedDown)
	s.state()
	gate.WriteString("go\n")
	s.starts(v) // its supervisor is another
}

func playCommandsInOneWriteTakeEffectInOrder(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"TERM": "default"}})
	s.svc("-dud")
	s.await("dD")
	s.hears(v, "finish")
	s.state()
	s.svc("-uo") // once
	s.starts(v)
	s.until("is wanted down", wantedDown)
	s.state()
	s.svc("-du") // again, after a second
	s.starts(v)
	s.state()
	s.tally()
}

func playSvcRDoesNotUndoAPause(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	s.svc("-p")
	s.until("is paused", isPaused)
	s.svc("-r1")
	s.svc("-c")
	s.hears(v, "run") // it has got all three at once
	s.tally()
}

func playUpDownOnceWithoutWaitingForTheDelay(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: map[string]string{"USR1": "exit 3"}})
	for _, again := range []string{"-u", "-o", "-U"} {
		s.svc("-1")
		s.await("D") // a second's delay begins
		s.svc(again)
		s.starts(v)
		s.state()
	}
	s.tally()
}

func wantWhenDown(p *play, option string) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v}.files().with(files{"down": ""}))
	s.state()
	s.svc("-" + option)
	s.svc("-u") // the fence: if it is up already, nothing
	s.starts(v)
	s.until("is wanted up", wantedUp)
	s.state()
	s.svc("-1")
	s.hears(v, "got USR1")
	s.stat()
}

func wantWhenUp(p *play, option string) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	s.svc("-" + option)
	down := false
	switch option {
	case "d", "D", "ud":
		s.await("D")
		s.hears(v, "finish")
		down = true
	case "du":
		s.starts(v)
	default:
		s.svc("-y") // the fence
		s.hears(v, "got WINCH")
	}
	s.state()
	s.stat()
	s.svc("-o")
	if down {
		s.starts(v)
	}
	s.until("is wanted down", wantedDown)
	s.state()
	s.stat("-o", "wantedup,normallyup")
}

// finishing is a service whose finish waits to be told that it may end.
func finishing(p *play) (*service, *voice, *os.File) {
	v := p.voice("voice")
	gate := p.fifo("gate")
	s := p.up("web", puppet{voice: v, finish: "say finish waits\nread -r line <" + gate.Name()})
	s.svc("-t")
	s.hears(v, "finish waits")
	s.await("d")
	s.until("is finishing", func(r status.Record) bool { return r.Finishing })
	s.state()
	s.stat()
	return s, v, gate
}

func wantWhenFinishing(p *play, option string) {
	p.start()
	s, v, gate := finishing(p)
	s.svc("-" + option)
	switch option {
	case "Q": // which some versions do not know
		gate.WriteString("go\n")
		s.await("D")
		s.svc("-u")
		s.starts(v)
	case "u", "U", "du":
		gate.WriteString("go\n")
		s.starts(v) // after a second
	default:
		s.until("is wanted down", wantedDown)
		s.state()
		gate.WriteString("go\n")
		s.await("D")
		s.state()
		s.stat()
		s.svc("-u")
		s.starts(v)
	}
	s.state()
}
