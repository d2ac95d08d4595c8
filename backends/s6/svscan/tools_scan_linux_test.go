package svscan_test

import (
	"os"
	"path/filepath"
	"strings"
)

// What of a scan directory is supervised.
func scanCases() []testCase {
	return []testCase{
		{name: "what is there at the start", play: playWhatIsThereAtTheStart},
		{name: "an empty name, odd names", play: playAnEmptyNameOddNames},
		{name: "a link to a service directory", play: playALinkToAServiceDirectory},
		{name: "two links to one service directory", play: playTwoLinksToOneServiceDirectory},
		{name: "a service directory replaced by another", play: playAServiceDirectoryReplacedByAnother},
		{name: "a removed service is not started again, and comes back", play: playRemovedServiceNotStartedAgainComesBack},
		{name: "a removed service whose supervisor leaves comes back anew", play: playRemovedServiceWhoseSupervisorLeavesComesBackAnew},
		{name: "a service directory removed while it runs", play: playAServiceDirectoryRemovedWhileItRuns},
		{name: "a rescan by the clock", play: playARescanByTheClock},
		{name: "a link that leads nowhere", play: playALinkThatLeadsNowhere},
		{name: "a second scanner", play: playASecondScanner},
		{name: "no scan directory", play: playNoScanDirectory},
		{name: "two supervisors that end within a second", play: playTwoSupervisorsThatEndWithinASecond},
	}
}

func playWhatIsThereAtTheStart(p *play) {
	v, hv := p.voice("voice"), p.voice("hidden-voice")
	s := p.begin("web", puppet{voice: v}.files())
	s.publish()
	hidden := p.begin("shown", puppet{voice: hv}.files())
	p.must(os.Rename(hidden.made, p.path(".hidden")))
	p.write(p.scan, files{"a-file": "", "a-script": "#!/bin/sh\nexit 1\n"})
	p.must(os.Symlink("a-file", p.path("a-link")))
	p.write(p.path("empty"), nil)
	p.start()
	s.await("s")
	s.starts(v)
	s.state()
	p.begun(p.path("empty"))
	p.tool("s6-svok", p.path("empty"))
	p.tool("s6-svok", p.path(".hidden"))
	// It gets its name, and is seen.
	p.must(os.Rename(p.path(".hidden"), hidden.dir))
	p.rescan()
	hidden.await("s")
	hidden.starts(hv)
	// Another name changes nothing, a dot neither, nor does the end.
	p.must(os.Rename(hidden.dir, p.path(".again")))
	p.rescan()
	p.fence()
	hidden.dir = p.path(".again")
	hidden.state()
	p.must(os.Rename(hidden.dir, p.path("other")))
	hidden.dir = p.path("other")
	p.tool("s6-svscanctl", "-an", p.scan)
	hidden.svc("-1")
	hidden.hears(hv, "got USR1")
	hidden.state()
}

func playAnEmptyNameOddNames(p *play) {
	p.start()
	for _, name := range []string{"with space", "-dash", "ü", "a,b=c", "new\nline"} {
		v := p.voice("voice-" + strings.ReplaceAll(name, "\n", "_"))
		s := p.service(name, puppet{voice: v}.files())
		s.await("u")
		line := v.line()
		_, words, _ := strings.Cut(line, " ")
		p.note("%q says its name is %q", name, words)
		s.svc("-d")
		s.await("D")
		s.stat()
	}
}

func playALinkToAServiceDirectory(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("target", puppet{voice: v}.files())
	p.must(os.Symlink(s.dir, p.path("web")))
	p.rescan()
	s.await("s")
	s.starts(v)
	p.tool("s6-svstat", p.path("web"))
	p.must(os.Remove(p.path("web")))
	p.tool("s6-svscanctl", "-an", p.scan)
	s.await("x")
}

func playTwoLinksToOneServiceDirectory(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.apart("target", puppet{voice: v}.files())
	p.must(os.Symlink(s.dir, p.path("one")))
	p.rescan()
	s.await("s")
	s.starts(v)
	p.must(os.Symlink("../apart/target", p.path("two")))
	p.rescan()
	p.fence()
	s.state()
	// One of them is enough.
	p.must(os.Remove(p.path("one")))
	p.tool("s6-svscanctl", "-an", p.scan)
	p.fence()
	s.svc("-1")
	s.hears(v, "got USR1")
	s.state()
	p.must(os.Remove(p.path("two")))
	p.tool("s6-svscanctl", "-an", p.scan)
	s.await("x")
}

func playAServiceDirectoryReplacedByAnother(p *play) {
	p.start()
	v := p.voice("voice")
	old := p.up("web", puppet{voice: v})
	p.must(os.Rename(old.dir, p.path(".old")))
	old.dir = p.path(".old")
	nv := p.voice("new-voice")
	p.must(os.RemoveAll(old.made))
	fresh := p.service("web", puppet{voice: nv}.files())
	fresh.starts(nv)
	old.svc("-1") // the old one is still there
	old.hears(v, "got USR1")
	old.state()
	fresh.state()
	p.tool("s6-svscanctl", "-n", p.scan)
	old.await("x")
	fresh.svc("-1")
	fresh.hears(nv, "got USR1")
}

func playRemovedServiceNotStartedAgainComesBack(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.must(os.Rename(s.dir, p.path(".web")))
	s.dir = p.path(".web")
	p.rescan()
	p.fence()
	s.state() // nothing happens to it
	s.svc("-t")
	s.hears(v, "finish")
	s.starts(v) // its supervisor is there
	p.must(os.Rename(s.dir, p.path("web")))
	s.dir = p.path("web")
	p.rescan()
	p.fence()
	p.tool("s6-svscanctl", "-n", p.scan)
	s.state()
	s.svc("-x") // it is active again: another supervisor comes
	s.svc("-t")
	s.await("x")
	s.await("s")
	s.hears(v, "finish")
	s.starts(v)
}

func playRemovedServiceWhoseSupervisorLeavesComesBackAnew(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.must(os.Rename(s.dir, p.path(".web")))
	s.dir = p.path(".web")
	p.rescan()
	p.fence()
	s.svc("-xd")
	s.await("x")
	s.hears(v, "finish")
	p.eventually(1, "s6-svok", s.dir)
	p.must(os.Rename(s.dir, p.path("web")))
	s.dir = p.path("web")
	p.fence()
	s.await("s")
	s.starts(v)
	s.state()
}

func playAServiceDirectoryRemovedWhileItRuns(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.must(os.RemoveAll(s.dir))
	p.tool("s6-svscanctl", "-an", p.scan)
	s.hearsAll(v, 1) // there is no finish any more
	p.gone(s.run)
}

func playARescanByTheClock(p *play) {
	p.start("-t", "100")
	v := p.voice("voice")
	s := p.begin("web", puppet{voice: v}.files())
	s.publish()
	s.await("s")
	s.starts(v)
}

func playALinkThatLeadsNowhere(p *play) {
	p.must(os.Symlink("nothing", p.path("broken")))
	v := p.voice("voice")
	s := p.begin("web", puppet{voice: v}.files())
	s.publish()
	p.start()
	s.await("s")
	s.starts(v)
	p.links()
	p.write(p.path("nothing"), puppet{voice: p.voice("voice-2")}.files())
	p.rescan()
	p.begun(p.path("nothing"))
	p.tool("s6-svok", p.path("nothing"))
}

func playASecondScanner(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	p.refused(p.scan)
	s.state()
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
	s.await("x")
	p.start() // which may now
	s.await("su")
}

func playNoScanDirectory(p *play) {
	p.refused(filepath.Join(p.dir, "absent"))
	p.write(p.dir, files{"file": ""})
	p.refused(filepath.Join(p.dir, "file"))
	p.refused("-Z", p.scan)
	p.refused("-t", "nonsense", p.scan)
	p.refused("-d", "nonsense", p.scan)
	p.refused("-d", "77", p.scan)
	p.write(p.path(".s6-svscan"), files{"control": "no FIFO"})
	p.refused(p.scan)
	p.must(os.RemoveAll(p.path(".s6-svscan")))
	p.write(p.scan, files{".s6-svscan": "no directory"})
	p.refused(p.scan)
}

func playTwoSupervisorsThatEndWithinASecond(p *play) {
	p.start()
	clock := p.service("clock", files{"run": "#!/bin/sh\nexit 0\n"}) // a tick a second
	clock.await("u")
	a, b := p.up("a", puppet{voice: p.voice("voice-a")}), p.up("b", puppet{voice: p.voice("voice-b")})
	a.svc("-xd")
	b.svc("-xd")
	a.await("x")
	b.await("x")
	a.await("su")
	seen := ""
	for strings.Count(seen, "u") < 3 {
		seen += clock.next()
	}
	if p.tree.ours || !p.has215() { // which leaves it to chance
		p.tool("s6-svok", b.dir)
	}
}

// refused runs a scanner that must not go on, and notes its exit code.
func (p *play) refused(arguments ...string) {
	p.t.Helper()
	s, err := spawnScanner(p.tree, arguments, environment(p.dir, p.tools), filepath.Join(p.dir, "stdout"))
	p.must(err)
	defer s.stderr.close()
	select {
	case <-s.exited:
		p.note("a scanner with %s ends with %d", p.plain(strings.Join(arguments, " ")), s.code())
	case <-p.ctx.Done():
		s.cmd.Process.Kill()
		<-s.exited
		p.fatalf("a scanner with %q goes on", arguments)
	}
}
