package svscan_test

import (
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// Where our tree does something else, on purpose: cases that show it. The lines
// in which they differ are in tools_differences_linux_test.go.
func ourCases() []testCase {
	return []testCase{
		{name: "the tree is killed", play: playTheTreeIsKilled},
		{name: "backoff", play: playBackoff},
		{name: "lock-fd", play: playLockFd},
		{name: "a link in a service directory", play: playALinkInAServiceDirectory},
		{name: "a service directory that others can write", play: playAServiceDirectoryThatOthersCanWrite},
		{name: "a scan directory that others can write", play: playAScanDirectoryThatOthersCanWrite},
		{name: "run is a link", play: playRunIsALink},
	}
}

func playTheTreeIsKilled(p *play) {
	v := p.voice("voice")
	p.start()
	s := p.up("web", puppet{voice: v})
	p.must(p.cmd.Process.Kill())
	p.ends()
	p.tool("s6-svok", s.dir)
	p.must(syscall.Kill(s.run, syscall.SIGUSR1))
	s.hears(v, "got USR1")
	s.state()
	p.start()
	if p.tree.ours {
		s.await("s")
	}
	p.fence()
	s.state() // the process is the same
	s.svc("-1")
	s.hears(v, "got USR1")
	s.svc("-d")
	s.await("D")
}

func playBackoff(p *play) {
	p.start()
	s := p.service("web", files{"run": "#!/bin/sh\nexit 1\n", "backoff": "600000 600000\n"})
	s.await("dD")
	p.tool("s6-svwait", "-u", "-t", "6000", s.dir)
	if p.tree.ours {
		s.svc("-u") // a start that is asked for does not wait
	}
	s.await("u")
}

func playLockFd(p *play) {
	p.start()
	s := p.service("web", files{"run": "#!/bin/sh\nexec sleep 1000\n", "lock-fd": "4\n", "down": ""})
	p.write(filepath.Join(s.dir, "supervise"), files{"service-lock": ""}) // 2.11 does not make it
	s.svc("-u")
	if p.tree.ours {
		p.awaitMessage(0, regexp.MustCompile("lock-fd"))
	} else {
		s.await("u")
	}
	s.state()
}

func playALinkInAServiceDirectory(p *play) {
	p.start()
	s := &service{p: p, name: "web", dir: p.path("web"), made: filepath.Join(p.dir, "made/web")}
	p.write(s.made, files{"run": "#!/bin/sh\nexec sleep 1000\n"})
	p.must(os.Symlink("../../elsewhere", filepath.Join(s.made, "event")))
	s.publish()
	p.rescan()
	if p.tree.ours {
		p.awaitMessage(0, regexp.MustCompile("event"))
	} else {
		p.begun(s.dir)
	}
	p.tool("s6-svok", s.dir)
	p.note("the target was made: %v", p.exists(filepath.Join(p.dir, "elsewhere")))
}

func playAServiceDirectoryThatOthersCanWrite(p *play) {
	p.start()
	made, dir := filepath.Join(p.dir, "made/web"), p.path("web")
	p.write(made, files{"run": "#!/bin/sh\nexec sleep 1000\n"})
	p.must(os.Chmod(made, 0o777))
	p.must(os.Rename(made, dir))
	p.rescan()
	if p.tree.ours {
		p.awaitMessage(0, regexp.MustCompile("others can write"))
	} else {
		p.begun(dir)
	}
	p.tool("s6-svok", dir)
}

func playAScanDirectoryThatOthersCanWrite(p *play) {
	p.must(os.Chmod(p.scan, 0o777))
	if p.tree.ours {
		p.refused(p.scan)
		return
	}
	p.start()
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
}

func playRunIsALink(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.begin("web", puppet{voice: v}.files())
	p.must(os.Rename(filepath.Join(s.made, "run"), filepath.Join(s.made, "real-run")))
	p.must(os.Symlink("real-run", filepath.Join(s.made, "run")))
	s.publish()
	p.rescan()
	s.await("s")
	if p.tree.ours && os.Geteuid() == 0 {
		p.awaitMessage(0, regexp.MustCompile("follows no links"))
	} else {
		s.starts(v)
	}
	s.state()
}
