package smtest

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// marker is the first argument of a process that is a program of this package.
const marker = "smtest.program"

// Step is one thing that a [Program] does.
type Step struct{ words []string }

// Program returns the argv that runs this test binary as a scripted service,
// for Spec.Command. The binary's TestMain must call [Main] first.
//
// The steps are done in order; after the last one the program idles. At any
// time SIGTERM ends it with code 0, unless an [On] or [Ignore] step that was
// reached says otherwise. SIGUSR1 and SIGUSR2 never end it by themselves. It
// starts no other process and needs nothing from its environment.
func Program(steps ...Step) []string {
	exe, err := os.Executable()
	if err != nil {
		panic("smtest: find the test binary: " + err.Error())
	}
	argv := []string{exe, marker}
	for _, s := range steps {
		argv = append(argv, s.words...)
	}
	return argv
}

// NotifyProgram returns the argv of the example program of package notify: it
// uses nothing but notify.Run, announces readiness at once and exits 0 when it
// is asked to stop.
func NotifyProgram() []string { return Program(step("notify")) }

// On makes sig end the program with code.
func On(sig syscall.Signal, code int) Step { return OnAfter(sig, 0, code) }

// OnAfter makes sig end the program with code, d after the signal came.
func OnAfter(sig syscall.Signal, d time.Duration, code int) Step {
	return step("on", strconv.Itoa(int(sig)), strconv.Itoa(code), d.String())
}

// Ignore makes the program take no notice of sig.
func Ignore(sig syscall.Signal) Step { return step("ignore", strconv.Itoa(int(sig))) }

// Await goes on when sig has come. A signal that came before the step was
// reached counts. SIGTERM does not end a program that awaits it anywhere.
func Await(sig syscall.Signal) Step { return step("await", strconv.Itoa(int(sig))) }

// Announce announces readiness by package notify.
func Announce() Step { return step("announce") }

// AnnounceFD announces readiness as programs written for s6 do: by a newline
// to the descriptor fd.
func AnnounceFD(fd int) Step { return step("announce-fd", strconv.Itoa(fd)) }

// Print writes count lines to standard output: line, a space and a number that
// counts from 1.
func Print(count int, line string) Step { return step("print", strconv.Itoa(count), line) }

// WriteReport writes into the directory dir what the process was given:
// environment, arguments and more; see [ReadReport].
func WriteReport(dir string) Step { return step("report", dir) }

// Exit ends the program.
func Exit(code int) Step { return step("exit", strconv.Itoa(code)) }

// Args are further arguments, for tests of how arguments are passed. It must be
// the last step.
func Args(words ...string) Step { return Step{append([]string{"args="}, words...)} }

// hello tells the suite, which listens on a socket, that the program runs and
// that its signal handlers are in place.
func hello(socket string) Step { return step("hello", socket) }

// arranges says whether a step is a preparation that is over at once.
func (s Step) arranges() bool {
	verb, _, _ := strings.Cut(s.words[0], "=")
	return verb == "on" || verb == "ignore" || verb == "report"
}

func step(verb string, operands ...string) Step {
	return Step{[]string{verb + "=" + strings.Join(operands, ",")}}
}

// Main runs the program and exits, if this process was started by a [Program]
// argv; else it returns at once. Call it first thing in TestMain.
func Main() {
	if isProgram(os.Args) {
		// Not os.Exit: under the race detector it waits a second.
		syscall.Exit(play(os.Args))
	}
}
