package svscan_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Events, with the tools that know nothing of services, and what a tree does
// with the FIFOs of listeners.
func eventCases() []testCase {
	return []testCase{
		{name: "ftrig-wait", play: playFtrigWait},
		{name: "ftrig-listen1", play: playFtrigListen1},
		{name: "ftrig-listen", play: playFtrigListen},
		{name: "ftrig-notify reaches who listens to a service", play: playFtrigNotifyReachesWhoListensToAService},
		{name: "events in one write", only215: true, play: playEventsInOneWrite},
		{name: "listeners that are gone", play: playListenersThatAreGone},
		{name: "who does not read misses events, and holds up nobody", play: playWhoDoesNotReadMissesEventsHoldsUpNobody},
		{name: "modes and owners", play: playModesAndOwners},
		{name: "svperms", play: playSvperms},
	}
}

func playFtrigWait(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	for _, c := range []struct{ what, command string }{{"D", "-d"}, {"u", "-u"}, {"dD", "-r"}} {
		w := s.waiter("s6-ftrig-wait", "-t", patient, s.event(), c.what)
		s.svc(c.command)
		w.wait()
	}
	s.await("dDudD")
	p.tool("s6-ftrig-wait", "-t", "200", s.event(), "O")
	p.tool("s6-ftrig-wait", "-t", "200", p.path("absent/event"), "O")
}

func playFtrigListen1(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	svc := filepath.Join(p.tools, "s6-svc")
	p.tool("s6-ftrig-listen1", "-t", patient, s.event(), "d.*D", svc, "-d", s.dir)
	s.await("D")
	p.tool("s6-ftrig-listen1", "-t", patient, s.event(), "u", svc, "-o", s.dir)
	s.await("u")
}

func playFtrigListen(p *play) {
	p.start()
	v := p.voice("voice")
	a, b := p.up("a", puppet{voice: v}), p.up("b", puppet{voice: v})
	svc := filepath.Join(p.tools, "s6-svc")
	p.tool("s6-ftrig-listen", "-o", "-t", patient, " "+a.event(), " D", " "+b.event(), " D", "", svc, "-d", a.dir)
	a.await("D")
	p.tool("s6-ftrig-listen", "-a", "-t", patient, " "+a.event(), " u", " "+b.event(), " a", "", "/bin/sh", "-c",
		svc+" -u "+a.dir+"; "+filepath.Join(p.tools, "s6-ftrig-notify")+" "+b.event()+" a")
	a.await("u")
}

func playFtrigNotifyReachesWhoListensToAService(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	w := s.waiter("s6-svwait", "-U", "-t", patient, s.dir)
	p.tool("s6-ftrig-notify", s.event(), "U")
	w.wait()
	s.await("U")
}

func playEventsInOneWrite(p *play) {
	p.start()
	s := p.up("none", puppet{voice: p.voice("voice-none"), finish: "none"})
	s.svc("-d")
	p.note("down without finish: %s", s.next())
	gate := p.fifo("gate")
	v := p.voice("voice")
	s = p.up("fails", puppet{voice: v, finish: "read -r line <" + gate.Name() + "; exit 125"})
	s.svc("-t")
	p.note("down with finish: %s", s.next())
	gate.WriteString("go\n")
	p.note("for good: %s", s.next())
}

func playListenersThatAreGone(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	name := "ftrig1:@4000000000000000000000ff:abc"
	for _, made := range []string{name + "def", name + "de", name + "defg", ".other", "ftrig2:@4000000000000000000000ff:abcdef"} {
		p.must(unix.Mkfifo(filepath.Join(s.event(), made), 0o622))
	}
	p.must(os.WriteFile(filepath.Join(s.event(), name+"xyz"), []byte("a file"), 0o644))
	s.svc("-t")
	s.await("Du")
	entries, err := os.ReadDir(s.event())
	p.must(err)
	for _, e := range entries {
		if strings.Contains(e.Name(), "4000000000000000000000ff") || e.Name() == ".other" {
			p.note("left: %s", e.Name())
		}
	}
	p.tool("s6-cleanfifodir", s.event())
}

func playWhoDoesNotReadMissesEventsHoldsUpNobody(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	path := filepath.Join(s.event(), "ftrig1:@4000000000000000000000ff:slow00")
	p.must(unix.Mkfifo(path, 0o622))
	slow, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	p.must(err)
	defer slow.Close()
	filled := 0
	raw, err := slow.SyscallConn()
	p.must(err)
	p.must(raw.Write(func(fd uintptr) bool {
		for {
			n, err := unix.Write(int(fd), make([]byte, 4096))
			if err != nil {
				return true
			}
			filled += n
		}
	}))
	s.svc("-d")
	s.await("D")
	waiting, err := unix.IoctlGetInt(int(fdOf(slow)), unix.TIOCINQ)
	p.must(err)
	p.note("more than the pipe held: %v, is it there: %v", waiting != filled, p.exists(path))
}

func playModesAndOwners(p *play) {
	p.start()
	s := p.service("web", files{"run": "#!/bin/sh\nexit 1\n", "log/run": "#!/bin/sh\nexec sleep 1000\n"})
	s.svc("-d")
	for _, sub := range []string{"", "log/"} {
		for _, name := range []string{"supervise", "supervise/control", "supervise/lock", "supervise/status", "supervise/death_tally"} {
			p.note("%s", p.mode(s.dir, sub+name))
		}
	}
	for _, name := range []string{".s6-svscan", ".s6-svscan/control", ".s6-svscan/lock"} {
		p.note("%s", p.mode(p.scan, name))
	}
	// Made by the tree, not by the test.
	p.write(p.path(".made"), files{"run": "#!/bin/sh\nexit 1\n"})
	p.must(os.Rename(p.path(".made"), p.path("made")))
	p.rescan()
	p.begun(p.path("made"))
	p.note("%s", p.mode(p.path("made"), "event"))
	p.tool("s6-svperms", p.path("made"))
}

func playSvperms(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	group := strconv.Itoa(os.Getegid())
	p.tool("s6-svperms", "-v", s.dir)
	for _, options := range []string{"-g", "-G", "-O", "-E"} {
		p.tool("s6-svperms", "-v", options, ":"+group, s.dir)
		s.modes()
	}
	p.tool("s6-svperms", "-v", "-o", "-e", s.dir)
	s.modes()
	// They last while the directory does.
	s.svc("-xd")
	s.await("s")
	s.starts(v)
	s.modes()
	p.tool("s6-svperms", "-v", s.dir)
	p.tool("s6-svperms", "-v", "-u", s.dir)
	s.modes()
}

// begun waits until the supervisor of a directory has written its first status.
func (p *play) begun(dir string) {
	p.t.Helper()
	p.until(dir+"/supervise", func() bool { return p.exists(filepath.Join(dir, "supervise")) }, dir)
	p.until(dir+"/supervise/status", func() bool { return p.exists(filepath.Join(dir, "supervise/status")) }, filepath.Join(dir, "supervise"))
}

func (s *service) event() string { return filepath.Join(s.dir, "event") }

func (s *service) modes() {
	s.p.t.Helper()
	for _, name := range []string{"event", "supervise", "supervise/control"} {
		s.p.note("%s", s.p.mode(s.dir, name))
	}
}

// mode tells type, mode and owner of a file.
func (p *play) mode(dir, name string) string {
	p.t.Helper()
	var st unix.Stat_t
	p.must(unix.Lstat(filepath.Join(dir, name), &st))
	owner := "own"
	if int(st.Uid) != os.Geteuid() || int(st.Gid) != os.Getegid() {
		owner = "of another"
	}
	return name + ": " + strconv.FormatUint(uint64(st.Mode), 8) + ", " + owner
}

func fdOf(f *os.File) uintptr {
	var fd uintptr
	if raw, err := f.SyscallConn(); err == nil {
		raw.Control(func(n uintptr) { fd = n })
	}
	return fd
}
