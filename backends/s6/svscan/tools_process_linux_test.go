package svscan_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// look is a script that tells what it finds when it begins. What the shell has
// open for itself is the same each time.
func look(v *voice) string {
	return "#!/bin/sh\nexec 9>>'" + v.path + `'
for f in /proc/$$/fd/*; do
	echo "descriptor ${f##*/}" >&9
	# There is nothing behind the one with which the shell has read this directory.
	( exec >&9 2>/dev/null; readlink $f; grep flags /proc/$$/fdinfo/${f##*/} )
done
{
echo "pid $$"
echo "name $0, $# arguments: $*"
echo "in $(pwd -P)"
env | grep -v -e '^PWD=' -e '^_=' -e '^SHLVL=' -e '^OLDPWD=' | sort
grep -e ^SigBlk -e ^SigIgn -e ^NoNewPrivs /proc/self/status
cut -d' ' -f5-8,19 /proc/$$/stat
echo "umask $(umask)"
ulimit -a
echo over
} >&9 9>&-
exec 9>&-
`
}

// looks notes what such a script tells.
func (p *play) looks(v *voice, who string) {
	p.t.Helper()
	pid := ""
	for line := v.line(); line != "over"; line = v.line() {
		line, isPID := strings.CutPrefix(line, "pid ")
		if isPID {
			pid = line
			continue
		}
		f := strings.Fields(strings.Replace(line, "-1", "1", 1))
		if _, err := strconv.Atoi(strings.Join(f, "")); err == nil && len(f) == 5 {
			p.note("%s: its pid is its group's %v, session's %v; terminal %s and %s, nice %s", who, f[0] == pid, f[1] == pid, f[2], f[3], f[4])
			continue
		}
		if hex, ok := strings.CutPrefix(line, "SigIgn:\t"); ok {
			// The library's own, 32 and 33, are as they were when the test began.
			n, err := strconv.ParseUint(hex, 16, 64)
			p.must(err)
			line = fmt.Sprintf("SigIgn: %x", n&^(3<<31))
		}
		line = regexp.MustCompile(`\[[0-9]+\]`).ReplaceAllString(line, "")
		p.note("%s: %s", who, p.plain(regexp.MustCompile(`( web(/log)?) [0-9]+$`).ReplaceAllString(line, "$1 P")))
	}
}

// What run and finish find when they begin.
func processCases() []testCase {
	return []testCase{
		{name: "run and finish, seen from inside", play: playRunAndFinishSeenFromInside},
		{name: "run with notification-fd, seen from inside", play: playRunWithNotificationFdSeenFromInside},
		{name: "a service and its logger, seen from inside", play: playAServiceAndItsLoggerSeenFromInside},
		{name: "signals that were ignored when the tree began", play: playSignalsThatWereIgnoredWhenTheTreeBegan},
		{name: "argv of a run that is no script", play: playArgvOfARunThatIsNoScript},
		{name: "descriptors of the tree that it was not told of", play: playDescriptorsOfTheTreeThatItWasNotToldOf},
	}
}

func playRunAndFinishSeenFromInside(p *play) {
	p.start()
	v := p.voice("voice")
	s := p.service("web", files{"run": look(v) + "exec sleep 1000\n", "finish": look(v), "data/x": ""})
	p.looks(v, "run")
	s.await("u")
	s.svc("-d")
	s.await("D")
	p.looks(v, "finish")
}

func playRunWithNotificationFdSeenFromInside(p *play) {
	p.start()
	v := p.voice("voice")
	p.service("web", files{"run": look(v) + "exec sleep 1000\n", "notification-fd": "5\n"})
	p.looks(v, "run")
}

func playAServiceAndItsLoggerSeenFromInside(p *play) {
	p.start()
	v, lv := p.voice("voice"), p.voice("log-voice")
	s := p.service("web", files{
		"run": look(v) + "exec sleep 1000\n", "finish": look(v),
		"log/run": look(lv) + "exec sleep 1000\n", "log/finish": look(lv),
	})
	p.looks(v, "run")
	p.looks(lv, "log/run")
	s.await("u")
	s.svc("-d")
	s.await("D")
	p.looks(v, "finish")
	s.log.svc("-d")
	s.log.await("D")
	p.looks(lv, "log/finish")
}

func playSignalsThatWereIgnoredWhenTheTreeBegan(p *play) {
	p.ignored = "HUP INT USR1 TSTP URG PIPE"
	p.start()
	v := p.voice("voice")
	s := p.service("web", files{"run": look(v) + "exec sleep 1000\n"})
	p.looks(v, "run")
	s.await("u")
	p.must(p.cmd.Process.Signal(os.Interrupt)) // which the tree does not ignore
	p.ends()
	s.await("x")
}

func playArgvOfARunThatIsNoScript(p *play) {
	p.start()
	// sleep tells nothing, but its name must be a number.
	s := p.begin("1000", files{"down": ""})
	p.copyProgram("/bin/sleep", filepath.Join(s.made, "run"))
	s.publish()
	p.rescan()
	s.await("s")
	s.svc("-u")
	s.await("u")
	r, err := s.record()
	p.must(err)
	var line []byte
	for len(line) == 0 && p.ctx.Err() == nil { // while it is being executed there is none
		line, err = os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.PID))
		p.must(err)
	}
	p.note("argv %q", strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"))
}

func playDescriptorsOfTheTreeThatItWasNotToldOf(p *play) {
	extra, err := os.Open("/dev/zero")
	p.must(err)
	defer extra.Close()
	p.extra = extra // is descriptor 4 of the tree, without close-on-exec
	p.start()
	v := p.voice("voice")
	p.service("web", files{"run": look(v) + "exec sleep 1000\n"})
	p.looks(v, "run")
}

// copyProgram copies an executable file.
func (p *play) copyProgram(from, to string) {
	p.t.Helper()
	in, err := os.Open(from)
	p.must(err)
	defer in.Close()
	b, err := io.ReadAll(in)
	p.must(err)
	p.write(filepath.Dir(to), files{filepath.Base(to): string(b)})
	p.must(os.Chmod(to, 0o755))
}
