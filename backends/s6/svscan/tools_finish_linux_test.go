package svscan_test

import (
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// The files of a service directory, and what becomes of run and finish.
func finishCases() []testCase {
	return []testCase{
		{name: "arguments of finish", play: playArgumentsOfFinish},
		{name: "no finish", play: playNoFinish},
		{name: "a finish that cannot be executed", play: playAFinishThatCannotBeExecuted},
		{name: "finish exits 125", play: playFinishExits125},
		{name: "finish is killed", play: playFinishIsKilled},
		{name: "timeout-finish", play: playTimeoutFinish},
		{name: "timeout-finish 0 and nonsense", play: playTimeoutFinish0AndNonsense},
		{name: "timeout-kill", play: playTimeoutKill},
		{name: "timeout-kill, and the service stays paused until then", play: playTimeoutKillServiceStaysPausedUntil},
		{name: "flag-timeout-killpg", only215: true, play: playFlagTimeoutKillpg},
		{name: "notification-fd", play: playNotificationFd},
		{name: "no readiness, the pipe closed", play: playNoReadinessThePipeClosed},
		{name: "half a line of readiness", play: playHalfALineOfReadiness},
		{name: "readiness in two parts, and more after it", play: playReadinessInTwoPartsAndMoreAfterIt},
		{name: "ready just before the end", play: playReadyJustBeforeTheEnd},
		{name: "a notification-fd that is none", play: playANotificationFdThatIsNone},
		{name: "a down file", play: playADownFile},
		{name: "no run, then one that cannot be executed, then one without an interpreter", play: playNoRunOneCannotBeExecutedOneWithoutAnInterpreter},
		{name: "run vanishes while it runs", play: playRunVanishesWhileItRuns},
		{name: "a run that ends at once is started once a second", play: playARunThatEndsAtOnceIsStartedOnceASecond},
		{name: "who was ready for a second is started again at once", play: playWhoReadyForSecondStartedAgainAtOnce},
		{name: "what is written to the standard output and error", play: playWhatIsWrittenToTheStandardOutputAndError},
		{name: "a service that has left a process behind", play: playAServiceThatHasLeftAProcessBehind},
	}
}

// exits are of a puppet that USR1 and USR2 end.
func exits() map[string]string { return map[string]string{"USR1": "exit 3", "USR2": "exit 0"} }

func playArgumentsOfFinish(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: map[string]string{"USR1": "exit 3", "USR2": "exit 0", "HUP": "exit 255", "INT": "default", "ABRT": "default"}}.files().with(files{"down": ""}))
	s.dies(v, "-1 -2 -h -i -b -k -t")
	s.tally()
}

func playNoFinish(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: exits(), finish: "none"})
	s.svc("-O1")
	s.await("dD")
	s.state()
	s.tally()
}

func playAFinishThatCannotBeExecuted(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: exits(), finish: "none"}.files().with(files{"finish": "no script", "down": ""}))
	s.dieUnfinished(v)
	p.write(s.dir, files{"finish-2": "#!/nonexistent/interpreter\n"})
	p.must(os.Rename(filepath.Join(s.dir, "finish-2"), filepath.Join(s.dir, "finish")))
	s.dieUnfinished(v)
}

func playFinishExits125(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: exits(), finish: "test $1 = 3 && exit 125; exit 0"})
	s.svc("-2") // no failure
	s.await("Du")
	s.hears(v, "finish")
	s.hears(v, "run")
	s.svc("-1")
	s.await("OD")
	s.hears(v, "finish")
	s.state()
	s.stat()
	p.fence() // it is not started again
	s.svc("-u")
	s.starts(v)
	s.state()
}

func playFinishIsKilled(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: exits(), finish: "kill -9 $$"})
	s.svc("-O1")
	s.await("dD")
	s.state()
	s.tally()
}

func playTimeoutFinish(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: exits(), finish: "trap '' TERM HUP INT; say finish waits; sleep 1000 </dev/null >/dev/null 2>&1; say never"}.files().with(files{"timeout-finish": "1000\n"}))
	s.starts(v)
	s.svc("-O1")
	s.hears(v, "finish waits")
	s.await("dD")
	s.state()
	s.tally()
	s.svc("-u") // the end of finish was no permanent failure
	s.starts(v)
}

func playTimeoutFinish0AndNonsense(p *play) {
	p.start()
	v := p.voice("voice")
	gate := p.fifo("gate")
	s := p.service("web", puppet{voice: v, on: exits(), finish: "say finish waits\nread -r line <" + gate.Name()}.files().with(files{"timeout-finish": "0\n"}))
	s.starts(v)
	s.svc("-O1")
	s.hears(v, "finish waits")
	s.await("d")
	s.state()
	gate.WriteString("go\n")
	s.await("D")
	p.write(s.dir, files{"timeout-finish": "many\n"})
	s.svc("-u")
	s.starts(v)
	s.svc("-O1")
	s.hears(v, "finish waits")
	gate.WriteString("go\n")
	s.await("dD")
	s.state()
}

func playTimeoutKill(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: map[string]string{"TERM": ""}}.files().with(files{"timeout-kill": "1000\n"}))
	s.starts(v)
	s.svc("-r") // which arms nothing
	s.hears(v, "got TERM")
	s.svc("-wD", "-T", "2000", "-1")
	s.hears(v, "got USR1")
	began := time.Now()
	s.svc("-d")
	s.hears(v, "finish")
	s.await("dD")
	p.note("it had the time it was given: %v", time.Since(began) >= time.Second)
	s.tally()
	s.state()
}

func playTimeoutKillServiceStaysPausedUntil(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: map[string]string{"TERM": ""}}.files().with(files{"timeout-kill": "3000\n"}))
	s.starts(v)
	s.svc("-d")
	s.hears(v, "got TERM")
	s.svc("-p")
	s.until("is paused", isPaused)
	s.hears(v, "finish")
	s.await("dD")
	s.tally()
	s.state()
}

func playFlagTimeoutKillpg(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, first: "sh -c \"trap '' TERM; sleep 2000\" & say helper:$!", on: map[string]string{"TERM": ""}}.files().with(files{"timeout-kill": "1000\n", "flag-timeout-killpg": ""}))
	helper := helperPID(s, v)
	s.starts(v)
	s.svc("-d")
	s.hears(v, "finish")
	s.await("dD")
	p.gone(helper)
	s.tally()
}

func playNotificationFd(p *play) {
	p.start()
	v := p.voice("voice")
	ready := "echo part >&5; say told; read -r line <'" + p.fifo("gate").Name() + "'"
	s := p.service("web", puppet{voice: v, ready: ready}.files().with(files{"notification-fd": "5\n"}))
	s.starts(v)
	s.await("U")
	s.hears(v, "told")
	s.state()
	s.stat()
	s.svc("-k")
	s.await("u")
	s.hears(v, "told")
	s.tally()
}

func playNoReadinessThePipeClosed(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, ready: "printf part >&5; exec 5>&-; say closed"}.files().with(files{"notification-fd": "5\n"}))
	s.starts(v)
	s.hears(v, "closed")
	s.svc("-1")
	s.hears(v, "got USR1")
	s.state()
	s.svc("-d")
	s.await("D") // and no U
	s.state()
}

func playHalfALineOfReadiness(p *play) {
	p.start()
	v := p.voice("voice")
	gate := p.fifo("gate")
	s := p.service("web", puppet{voice: v, ready: "printf part >&5; say half; read -r line <'" + gate.Name() + "'; exec 5>&-; say closed", on: map[string]string{"TERM": "default"}}.files().with(files{"notification-fd": "5\n"}))
	s.starts(v)
	s.hears(v, "half")
	s.svc("-wD", "-T", "3000", "-d")
	gate.WriteString("go\n")
	s.await("D")
	s.state()
}

func playReadinessInTwoPartsAndMoreAfterIt(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, ready: "printf one >&5; printf 'two\\nthree' >&5; say ready", on: map[string]string{"USR1": "echo more >&5; say wrote $?"}}.files().with(files{"notification-fd": "5\n"}))
	s.starts(v)
	s.await("U")
	s.hears(v, "ready")
	s.svc("-1")
	s.hears(v, "finish") // the pipe is closed: SIGPIPE
	s.await("D")
	s.tally()
}

func playReadyJustBeforeTheEnd(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", files{"run": "#!/bin/sh\n" + v.say() + "say \"run:$$\" \"$@\"\necho >&5\nexit 4\n", "finish": "#!/bin/sh\n" + v.say() + "say \"finish:$$\" \"$@\"\n", "notification-fd": "5\n", "down": ""})
	s.svc("-o")
	s.await("D")
	s.hears(v, "finish")
	s.state()
}

func playANotificationFdThatIsNone(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v}.files().with(files{"notification-fd": "x\n"}))
	s.starts(v)
	s.state()
	s.svc("-1")
	s.hears(v, "got USR1")
}

func playADownFile(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v}.files().with(files{"down": "anything"}))
	p.fence()
	s.state()
	s.stat()
	p.must(os.Remove(filepath.Join(s.dir, "down"))) // means nothing to the supervisor that is there
	s.svc("-x")
	s.await("x")
	s.await("s")
	s.starts(v)
	p.write(s.dir, files{"down": ""})
	s.svc("-t") // nor does this
	s.hears(v, "finish")
	s.starts(v)
	s.stat()
}

func playNoRunOneCannotBeExecutedOneWithoutAnInterpreter(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", files{"data/x": ""})
	p.fence()
	s.state()
	s.stat()
	p.tool("s6-svwait", "-u", "-t", "200", s.dir)
	for _, run := range []files{{"run": "no script"}, {"run": "#!/nonexistent/interpreter\n"}} {
		p.must(os.RemoveAll(filepath.Join(s.dir, "run")))
		p.write(s.dir, run)
		s.rewrites(func() { s.svc("-u") })
		s.state()
	}
	s.svc("-d")
	s.until("is wanted down", wantedDown)
	s.state()
	s.svc("-O") // as above
	p.must(os.RemoveAll(filepath.Join(s.dir, "run")))
	p.write(s.dir, puppet{voice: v}.files())
	s.svc("-u")
	s.starts(v)
	s.state()
}

func playRunVanishesWhileItRuns(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.up("web", puppet{voice: v, on: exits()})
	p.must(os.Rename(filepath.Join(s.dir, "run"), filepath.Join(s.dir, "away")))
	s.svc("-1")
	s.await("dD")
	s.hears(v, "finish")
	s.rewrites(func() { s.svc("-u") })
	s.state()
	s.stat()
	p.must(os.Rename(filepath.Join(s.dir, "away"), filepath.Join(s.dir, "run")))
	s.svc("-u")
	s.starts(v)
}

func playARunThatEndsAtOnceIsStartedOnceASecond(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v}.files().with(files{"run": "#!/bin/sh\nexit 3\n"}))
	s.await("u")
	began := time.Now()
	s.await("u")
	s.await("u")
	took := time.Since(began)
	p.note("two seconds have passed: %v, not many more: %v", took >= 1900*time.Millisecond, took < 9*time.Second)
	s.await("D")
	s.tally()
}

func playWhoReadyForSecondStartedAgainAtOnce(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, on: exits()}.announces().files().with(files{"notification-fd": "3\n"}))
	s.starts(v)
	s.await("U")
	quick := false
	for range 3 { // a busy machine may be slow once
		p.tool("s6-svwait", "-d", "-t", "1100", s.dir)
		began := time.Now()
		s.svc("-1")
		s.starts(v)
		quick = quick || time.Since(began) < 900*time.Millisecond
		s.await("U")
	}
	p.note("at once: %v", quick)
}

func playWhatIsWrittenToTheStandardOutputAndError(p *play) {
	p.start()
	v := p.voice("voice")
	p.up("web", puppet{voice: v, first: "echo to the output; echo to the error >&2"})
	p.awaitMessage(0, regexp.MustCompile("(?m)^to the error$"))
	b, err := os.ReadFile(filepath.Join(p.dir, "stdout"))
	p.must(err)
	p.note("output: %s", b)
}

func playAServiceThatHasLeftAProcessBehind(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", puppet{voice: v, first: "sh -c 'trap \"\" TERM HUP; exec sleep 2000' & say helper:$!", on: exits()}.files())
	helper := helperPID(s, v)
	s.starts(v)
	s.svc("-O1")
	s.await("D")
	s.state()
	_, err := os.Stat(filepath.Join("/proc", itoa(helper)))
	p.note("the helper lives on: %v", err == nil)
}

// dieUnfinished has the service run once and end, with no finish to tell of it.
func (s *service) dieUnfinished(v *voice) {
	s.p.t.Helper()
	s.svc("-o")
	s.starts(v)
	s.svc("-1")
	s.await("dD")
	s.state()
}
