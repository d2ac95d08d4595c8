package initcmd

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRow26OrphansAreReaped(t *testing.T) {
	t.Parallel()
	script := `i=0; while [ $i -lt 400 ]; do (true & true & true & true & true &); i=$((i+1)); done
		while ps -eo ppid=,stat= | grep -q '^ *1 *Z'; do :; done; ps -eo ppid=,stat= | grep -c '^ *1 *Z'; exit 6`
	if out, code := run(t, setting{}, sh(script)...); out != "0\n" || code != 6 {
		t.Errorf("%q, %d", out, code)
	}
}

func TestRow32OrphansDecideNothing(t *testing.T) {
	t.Parallel()
	script := `(sh -c 'exit 9' & sh -c 'kill -9 $$' &); (sleep 0.01 & kill -STOP $!; kill -CONT $!); kill -CHLD 1; sleep 0.1; exit 3`
	if out, code := run(t, setting{}, sh(script)...); out != "" || code != 3 {
		t.Errorf("%q, %d", out, code)
	}
}

// Who was let in by somebody else, as by docker exec, leaves a child behind when the
// init has none any more.
func TestRow26OrphanOfAStranger(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, append([]string{"--grace", long, "--stop-within", long}, sh("trap 'exit 3' USR1; echo ready; while :; do sleep 0.01; done")...)...)
	b.want("ready")
	words := []string{"--target", strconv.Itoa(b.cmd.Process.Pid), "--pid", "--mount"}
	if os.Geteuid() != 0 {
		words = append(words, "--user", "--preserve-credentials")
	}
	stranger := exec.Command("nsenter", append(words, "sh", "-c", `trap "" TERM; echo here; read -r line; (sleep 0.2 &)`)...)
	stranger.Stderr = os.Stderr
	tell, err := stranger.StdinPipe()
	must(t, err)
	says, err := stranger.StdoutPipe()
	must(t, err)
	must(t, stranger.Start())
	t.Cleanup(func() { tell.Close(); _ = stranger.Wait() })
	if line, err := bufio.NewReader(says).ReadString('\n'); line != "here\n" {
		t.Fatalf("%q, %v", line, err)
	}
	b.signal(syscall.SIGUSR1)
	awaitChildless(t, b)
	_, err = tell.Write([]byte("\n"))
	must(t, err)
	if code := within(t, soon, b); code != 3 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}

// awaitChildless looks again and again: it has no event for others.
func awaitChildless(t *testing.T, b *box) {
	t.Helper()
	script := fmt.Sprintf("while test -n \"$(cat /proc/%d/task/*/children 2> /dev/null)\"; do :; done", b.cmd.Process.Pid)
	if err := exec.Command("timeout", "30", "sh", "-c", script).Run(); err != nil {
		t.Fatalf("it has children still: %v; it says %q", err, b.stderr.String())
	}
}

// within wants a box to end before the time that a killed or a hanging one takes.
func within(t *testing.T, limit time.Duration, b *box) int {
	t.Helper()
	begun := time.Now()
	_, code := b.wait()
	if took := time.Since(begun); took >= limit {
		t.Errorf("it took %v", took)
	}
	return code
}

// Times are those of the settings, which are far from what is waited for.
const long = "600s"

func TestRow62To65Leftovers(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"nobody is left":          "exit 5",
		"in a session of its own": "setsid sleep 1000 & exit 5",
		"stopped":                 "setsid sleep 1000 & kill -STOP $!; exit 5",
		"a deep one":              "(setsid sh -c 'sleep 1000 & sleep 1000' &) ; exit 5",
	} {
		t.Run(name, func(t *testing.T) {
			for _, outside := range []bool{false, true} { // also where it is not PID 1: row 73
				b := start(t, setting{outside: outside}, append([]string{"--grace", long, "--stop-within", long}, sh(script)...)...)
				if code := within(t, soon, b); code != 5 {
					t.Errorf("outside %v: %d, %q", outside, code, b.stderr.String())
				}
			}
		})
	}
	mark := filepath.Join(t.TempDir(), "mark")
	script := fmt.Sprintf(`setsid sh -c 'trap "sleep 0.3; echo done > %s; exit" TERM; echo up; while :; do sleep 0.01; done' 2> /dev/null & read -r line < /dev/null; sleep 0.2; exit 5`, mark)
	if out, code := run(t, setting{}, append([]string{"--grace", long, "--stop-within", long}, sh(script)...)...); out != "up\n" || code != 5 {
		t.Errorf("%q, %d", out, code)
	}
	if text, err := os.ReadFile(mark); err != nil || string(text) != "done\n" {
		t.Errorf("a leftover had no time to end: %q, %v", text, err)
	}
}

func TestRow64LeftoverThatIgnoresTheEnd(t *testing.T) {
	t.Parallel()
	for _, outside := range []bool{false, true} {
		b := start(t, setting{outside: outside}, append([]string{"--grace", "200ms"}, sh(`setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 0.01; done' & read -r x < /dev/null; sleep 0.2; exit 5`)...)...)
		if code := within(t, soon, b); code != 5 {
			t.Errorf("%d", code)
		}
	}
}

const deaf = `trap '' TERM; echo ready; while :; do sleep 0.01; done`

func TestRow66ProgramThatIgnoresTheEnd(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, append([]string{"--grace", "100ms", "--stop-within", long}, sh(deaf)...)...)
	b.want("ready")
	b.signal(syscall.SIGTERM)
	if code := within(t, soon, b); code != 137 {
		t.Errorf("%d", code)
	}
	b = start(t, setting{}, append([]string{"--grace", "0", "--stop-within", "100ms"}, listener(t)...)...)
	b.want("ready")
	b.signal(syscall.SIGTERM)
	b.signal(syscall.SIGTERM)
	b.want("got 15")
	select {
	case <-b.ended:
		t.Error("it has ended, and nothing escalates")
	case <-time.After(500 * time.Millisecond):
	}
}

func TestRow67WhoAsksAgainIsInAHurry(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, append([]string{"-v", "--grace", long, "--stop-within", long}, listener(t)...)...)
	b.want("ready")
	for range 3 { // the third one ends it
		b.signal(syscall.SIGTERM)
		if b.line() == "" {
			break
		}
	}
	if code := within(t, soon, b); code != 137 {
		t.Errorf("%d", code)
	}
	if said := b.stderr.String(); !strings.Contains(said, "asked again: 4m59") && !strings.Contains(said, "asked again: 5m") {
		t.Errorf("half of ten minutes is five: %q", said)
	}
}

// Who is waited for is named, with -v.
func TestRow67NamesWhoIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := start(t, setting{}, append([]string{"-v", "--grace", long, "--stop-within", long}, listener(t)...)...)
	b.want("ready")
	b.signal(syscall.SIGTERM)
	b.awaitWords("waiting for ")
	b.awaitWords("waiting for ") // and it goes on
	words := regexp.MustCompile(`waiting for [^ ]+ \(\d+\); (9m5\ds|10m0s) are left`)
	if said := b.stderr.String(); !words.MatchString(said) {
		t.Errorf("%q", said)
	}
	for range 2 { // the third one ends it, once the second one is taken
		b.line()
		b.signal(syscall.SIGTERM)
	}
	if code := within(t, soon, b); code != 137 {
		t.Errorf("%d", code)
	}
}

func TestStopSignal(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"quit", "SIGSTKFLT", "12", "SIGRTMIN+5", "RTMAX-25"} { // the last two are one
		b := start(t, setting{}, append([]string{"--grace", "100ms", "--stop-within", long, "--stop-signal", name}, listener(t)...)...)
		b.want("ready")
		sig, err := parseSignal(name)
		must(t, err)
		b.signal(sig)
		if code := within(t, soon, b); code != 137 { // it is told, and killed
			t.Errorf("%s: %d", name, code)
		}
	}
}

func TestRow71NotTheFirstProcess(t *testing.T) {
	t.Parallel()
	// The orphan has its output open until its parent is another one than it had.
	out, code := run(t, setting{outside: true}, sh(`
		parent=$(sh -c 'export m=$$; sh -c "now=\$m; while test \$now = \$m; do read -r _ _ _ now _ </proc/\$\$/stat; done; echo \$now" & exit 0')
		echo $parent; echo $PPID; exit 8`)...)
	fields := strings.Fields(out)
	if code != 8 || len(fields) != 2 || fields[0] != fields[1] {
		t.Errorf("an orphan's parent and the init: %q, %d", out, code)
	}
}

func TestRow78WithoutProc(t *testing.T) {
	t.Parallel()
	b := start(t, setting{how: "without-proc"}, sh(`setsid sleep 1000 & trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done`)...)
	b.want("ready")
	b.signal(syscall.SIGTERM)
	if code := within(t, soon, b); code != 4 {
		t.Errorf("%d, %q", code, b.stderr.String())
	}
}
