package initcmd

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listener is a program that says every signal.
func listener(t *testing.T) []string {
	self, err := os.Executable()
	must(t, err)
	return []string{"--", self, "say-signals", ""}
}

func TestRow35SignalsReachTheProgram(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, append([]string{"--grace", "0"}, listener(t)...)...)
	b.want("ready")
	for n := syscall.Signal(1); n <= 64; n++ {
		if slices.Contains(neverForwarded, n) {
			continue
		}
		b.signal(n)
		b.want(fmt.Sprintf("got %d", n)) // and none twice: the next is another
	}
	for _, n := range dropped {
		b.signal(n)
	}
	b.signal(syscall.SIGHUP)
	b.want("got 1")
}

// What row 37 wants dropped or that nobody can take, and the faults of a program
// itself, which end it.
var (
	dropped        = []syscall.Signal{syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGURG, syscall.SIGPROF}
	neverForwarded = slices.Concat(dropped, []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP,
		syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGSYS, 32, 33, 34})
)

func TestRow40GroupOnDemand(t *testing.T) {
	t.Parallel()
	script := `trap 'echo outer' USR1; sh -c 'trap "echo inner; exit" USR1; echo ready; while :; do read -r line; done' & wait; wait; exit 4`
	b := start(t, setting{}, append([]string{"-g"}, sh(script)...)...)
	b.want("ready")
	b.signal(syscall.SIGUSR1)
	got := []string{b.line(), b.line()}
	slices.Sort(got)
	if _, code := b.wait(); code != 4 || strings.Join(got, " ") != "inner outer" {
		t.Errorf("%q, %d", got, code)
	}
}

func TestRow42StopDoesNotStopTheInit(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, sh("echo ready; while :; do sleep 0.01; done")...)
	b.want("ready")
	for _, s := range []syscall.Signal{syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGTSTP} {
		b.signal(s)
	}
	b.signal(syscall.SIGCONT)
	b.signal(syscall.SIGTERM)
	if _, code := b.wait(); code != 143 {
		t.Errorf("%d", code)
	}
}

func TestRow43Rewrite(t *testing.T) {
	t.Parallel()
	words := []string{"--signal", "TERM=USR1", "--signal=12=none", "--signal", "RTMIN+1=SIGHUP", "--grace", "0"}
	b := start(t, setting{}, append(words, listener(t)...)...)
	b.want("ready")
	for _, s := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGTERM} {
		b.signal(s)
	}
	b.want("got 10")
	b.signal(35)
	b.want("got 1")
}

// Signals come from the very beginning on. Until the init can take them they are
// lost, or end it; but then there is no program yet.
func TestRow8And45SignalBeforeThereIsAProgram(t *testing.T) {
	t.Parallel()
	for range 20 {
		b := start(t, setting{}, append([]string{"-vvv"}, sh("echo ran; exec sleep 1000")...)...)
		var out string
		var code int
		done := make(chan struct{})
		go func() {
			defer close(done)
			out, code = b.wait()
		}()
		for tick := time.NewTicker(100 * time.Microsecond); ; <-tick.C {
			_ = b.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-done:
				tick.Stop()
			default:
				continue
			}
			break
		}
		if code != 143 && code != 137 && (code != 2 || out != "") { // asked again it kills
			t.Errorf("%d, %q, %q", code, out, b.stderr.String())
		}
	}
}

func TestRow53ExitCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 1, 42, 125, 126, 127, 128, 143, 255} {
		if _, got := run(t, setting{}, sh(fmt.Sprintf("exit %d", code))...); got != code {
			t.Errorf("%d, want %d", got, code)
		}
	}
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGHUP, 40} {
		if _, got := run(t, setting{}, sh(fmt.Sprintf("kill -%d $$", sig))...); got != 128+int(sig) {
			t.Errorf("%v: %d", sig, got)
		}
	}
}

func TestRow55And56ProgramDecides(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, sh(`trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done`)...)
	b.want("ready")
	b.signal(syscall.SIGTERM)
	if _, code := b.wait(); code != 0 {
		t.Errorf("%d", code)
	}
	if _, code := run(t, setting{}, append([]string{"--map", "143=0", "--map=3=4"}, sh("kill $$")...)...); code != 0 {
		t.Errorf("143 is mapped: %d", code)
	}
	if _, code := run(t, setting{env: append(os.Environ(), "HERMES_INIT_MAP=3=4,5=6")}, sh("exit 5")...); code != 6 {
		t.Errorf("5 is mapped: %d", code)
	}
}

func TestRow59NobodyReadsStderr(t *testing.T) {
	t.Parallel()
	s := setting{through: []string{"/bin/bash", "-c", `"$@" 2> >(exec true); echo $?`, "bash"}, outside: true}
	b := start(t, s, append([]string{"-vvv"}, sh("sleep 0.1; exit 9")...)...)
	if out, _ := b.wait(); out != "9\n" {
		t.Errorf("%q", out)
	}
}

// A program with a terminal of its own.
func TestRow46To51Terminal(t *testing.T) {
	t.Parallel()
	script := `stty size; trap 'stty size' WINCH; ps -o tpgid= -p $$ | tr -d ' ' | sed "s/^$$\$/foreground/"; : < /dev/tty && echo tty; while :; do sleep 0.02; done`
	master, slave := openTerminal(t)
	must(t, unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 11, Col: 22}))
	b := start(t, setting{tty: slave}, sh(script)...)
	slave.Close()
	b.lines = terminalLines(t, master)
	b.want("11 22", "foreground", "tty")
	must(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 44}))
	b.want("33 44")
	_, err := master.Write([]byte{3}) // ^C
	must(t, err)
	b.lines = nil
	if _, code := b.wait(); code != 130 {
		t.Errorf("%d", code)
	}
}

func TestRow49Hangup(t *testing.T) {
	t.Parallel()
	master, slave := openTerminal(t)
	b := start(t, setting{tty: slave}, sh("echo ready; while :; do sleep 0.02; done")...)
	slave.Close()
	b.lines = terminalLines(t, master)
	b.want("ready")
	b.lines = nil
	must(t, master.Close())
	if _, code := b.wait(); code != 129 {
		t.Errorf("%d", code)
	}
}
