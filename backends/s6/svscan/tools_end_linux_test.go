package svscan_test

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// How a scanner ends, and what signals do to it.
func endCases() []testCase {
	cases := []testCase{
		{name: ".s6-svscan/finish", play: playScanDirectoryFinish},
		{name: ".s6-svscan/finish, killed", play: playScanDirectoryFinishKilled},
		{name: ".s6-svscan/finish, not executable", play: playScanDirectoryFinishNotExecutable},
		{name: "svscanctl -b", play: playSvscanctlB},
		{name: "a scanner after svscanctl -b", play: playAScannerAfterSvscanctlB},
	}
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT} {
		cases = append(cases, testCase{name: "the scanner gets " + unix.SignalName(sig), play: func(p *play) {
			p.start()
			v, lv := p.voice("voice"), p.voice("log-voice")
			s := p.service("web", puppet{voice: v}.files().with(loggerFiles(lv)))
			s.starts(v)
			s.log.starts(lv)
			p.must(p.cmd.Process.Signal(sig))
			p.ends()
			s.await("x")
			s.hears(v, "finish")
			s.log.await("x")
			p.gone(s.run)
			p.gone(s.log.run)
		}})
	}
	return append(cases,
		testCase{name: "the scanner gets SIGHUP", play: playTheScannerGetsSIGHUP},
		testCase{name: "the scanner gets SIGALRM", play: playTheScannerGetsSIGALRM},
		testCase{name: "the scanner gets SIGABRT", play: playTheScannerGetsSIGABRT},
		testCase{name: "signals that mean nothing to the scanner", play: playSignalsThatMeanNothingToTheScanner},
		testCase{name: "a handler for SIGUSR1", play: playAHandlerForSIGUSR1},
		testCase{name: "who holds the lock", play: playWhoHoldsTheLock},
	)
}

func playScanDirectoryFinish(p *play) {
	v := p.voice("voice")
	p.write(p.path(".s6-svscan"), files{"finish": look(v) + "exit 7\n"})
	p.start()
	s := p.up("web", puppet{voice: p.voice("web-voice")})
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
	s.await("x")
	p.looks(v, "finish")
}

func playScanDirectoryFinishKilled(p *play) {
	p.write(p.path(".s6-svscan"), files{"finish": "#!/bin/sh\nkill -9 $$\n"})
	p.start()
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
}

func playScanDirectoryFinishNotExecutable(p *play) {
	p.write(p.path(".s6-svscan"), files{"finish": "no script"})
	p.start()
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
}

func playSvscanctlB(p *play) {
	v := p.voice("voice")
	p.write(p.path(".s6-svscan"), files{"finish": "#!/bin/sh\nexit 7\n"})
	p.start()
	s := p.up("web", puppet{voice: v})
	p.tool("s6-svscanctl", "-b", p.scan)
	p.ends()
	p.must(syscall.Kill(s.run, syscall.SIGUSR1)) // it lives
	s.hears(v, "got USR1")
	s.state()
	if p.tree.ours {
		s.await("x")
	}
	p.tool("s6-svok", s.dir)
}

func playAScannerAfterSvscanctlB(p *play) {
	v := p.voice("voice")
	p.start()
	s := p.up("web", puppet{voice: v})
	p.tool("s6-svscanctl", "-b", p.scan)
	p.ends()
	p.start()
	if p.tree.ours {
		s.await("s")
	}
	p.fence() // what there is runs on, with or without a supervisor of before
	s.svc("-1")
	s.hears(v, "got USR1")
	s.state()
	s.svc("-d")
	s.await("D")
	s.stat("-o", "up,wantedup,ready")
}

func playTheScannerGetsSIGHUP(p *play) {
	p.start()
	gone := p.up("gone", puppet{voice: p.voice("voice")})
	p.must(os.Rename(gone.dir, gone.made))
	fresh := p.begin("fresh", puppet{voice: p.voice("fresh-voice")}.files())
	fresh.publish()
	p.must(p.cmd.Process.Signal(unix.SIGHUP))
	gone.await("x")
	fresh.await("su")
}

func playTheScannerGetsSIGALRM(p *play) {
	p.start()
	gone := p.up("gone", puppet{voice: p.voice("voice")})
	p.must(os.Rename(gone.dir, gone.made))
	gone.dir = gone.made
	fresh := p.begin("fresh", puppet{voice: p.voice("fresh-voice")}.files())
	fresh.publish()
	p.must(p.cmd.Process.Signal(unix.SIGALRM))
	fresh.await("su")
	gone.state()
}

func playTheScannerGetsSIGABRT(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	p.must(p.cmd.Process.Signal(unix.SIGABRT))
	p.ends()
	p.must(syscall.Kill(s.run, syscall.SIGUSR1))
	s.hears(v, "got USR1")
}

func playSignalsThatMeanNothingToTheScanner(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v})
	for _, sig := range []syscall.Signal{unix.SIGUSR1, unix.SIGUSR2, unix.SIGPWR, unix.SIGWINCH, unix.SIGCHLD, unix.SIGPIPE} {
		p.must(p.cmd.Process.Signal(sig))
	}
	p.fence()
	s.state()
	p.tool("s6-svscanctl", "-t", p.scan)
	p.ends()
}

func playAHandlerForSIGUSR1(p *play) {
	v := p.voice("voice")
	p.write(p.path(".s6-svscan"), files{"SIGUSR1": "#!/bin/sh\n" + v.say() + "say handler\n"})
	p.start()
	p.must(p.cmd.Process.Signal(unix.SIGUSR1))
	p.fence()
	if !p.tree.ours {
		p.note("says %s", v.line())
	}
}

func playWhoHoldsTheLock(p *play) {
	p.start()
	s := p.up("web", puppet{voice: p.voice("voice")})
	for _, path := range []string{filepath.Join(s.dir, "supervise/lock"), p.path(".s6-svscan/lock")} {
		f, err := os.Open(path)
		p.must(err)
		defer f.Close()
		lock := unix.Flock_t{Type: unix.F_RDLCK}
		p.must(unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock))
		holder := "a process"
		if lock.Pid < 0 {
			holder = "no process in particular"
		}
		p.note("%s: locked %v, from %d, %d bytes, by %s", filepath.Base(filepath.Dir(path)), lock.Type != unix.F_UNLCK, lock.Start, lock.Len, holder)
	}
}
