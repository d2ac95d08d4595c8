package tinicmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(s6test.Main(m))
}

const soon = 60 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ours is this program, called tini.
func ours(t testing.TB) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "tini")
	must(t, os.Symlink(s6test.Binary(t), link))
	return link
}

// theirs is the real one.
func theirs(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("tini")
	if err != nil {
		s6test.Missing(t, "tini is not installed (apt-get install tini)")
	}
	return path
}

type ran struct {
	out  string
	code int
}

func command(t testing.TB, tini string, env, words []string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, tini, words...)
	cmd.Env, cmd.Dir = append([]string{"PATH=/usr/bin:/bin"}, env...), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	return cmd, &errOut
}

func run(t testing.TB, tini string, env, words []string) (ran, string) {
	t.Helper()
	cmd, errOut := command(t, tini, env, words)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{string(out), cmd.ProcessState.ExitCode()}, errOut.String()
}

// The same words come to the same output of the program and the same exit code.
func TestWordsAsTiniReadsThem(t *testing.T) {
	t.Parallel()
	sh := func(script string, flags ...string) []string { return append(append(flags, "--"), "sh", "-c", script) }
	for _, words := range [][]string{
		sh("exit 0"), sh("exit 7"), sh("exit 255"), sh("kill -TERM $$"), sh("kill -KILL $$"), sh("echo $0 $1"),
		sh("exit 7", "-e", "7"), sh("exit 8", "-e", "7"), sh("exit 8", "-e7", "-e8"), sh("kill -TERM $$", "-e", "143"),
		sh("exit 0", "-e", ""), sh("exit 0", "-e", " +7"), sh("exit 7", "-e", " +7"), sh("exit 0", "-e", "x"), sh("exit 0", "-e", "256"), sh("exit 0", "-e", "-1"), sh("exit 0", "-e", "7x"), sh("exit 0", "-e", "7 "),
		sh("exit 7", "-swg"), sh("exit 7", "-s", "-p", "SIGKILL"), sh("exit 7", "-pSIGTERM"),
		sh("exit 7", "-p", "KILL"), sh("exit 7", "-p", "9"), sh("exit 7", "-p", "SIGPWR"), sh("exit 7", "-p", "SIGRTMIN"), sh("exit 7", "-p", "sigterm"), sh("exit 7", "-p", "SIGSYS"),
		sh("exit 7", "-x"), sh("exit 7", "--verbose"), {"--version", "true"}, {"-p"}, {"-e"}, {}, {"--"}, {"-s", "--"}, {"-"}, {""},
		{"echo", "a", "b"}, {"echo", "-s", "a"}, {"echo", "a", "-g", "--", "-s"}, {"echo", "--", "-n"}, {"sh", "-c", "exit 7"}, {"-s", "echo", "-x"},
		{"-s", "--", "/nonexistent"}, {"-s", "--", "nonexistent"}, {"-s", "--", "/etc/passwd"}, {"-s", "--", "/etc"}, {"-s", "--", "/etc/passwd/x"},
		sh("echo $TINI_VERBOSITY$TINI_SUBREAPER"),
	} {
		envs := [][]string{nil}
		if len(words) > 1 && !strings.HasPrefix(words[0], "-") {
			envs = append(envs, []string{"POSIXLY_CORRECT=1"})
		}
		for _, env := range envs {
			want, _ := run(t, theirs(t), env, words)
			got, said := run(t, ours(t), env, words)
			if got.code != want.code || got.out != want.out {
				t.Errorf("%q, %q: %+v, tini has %+v; it says %q", env, words, got, want, said)
			}
		}
	}
}

// What is only printed is for us to say, but where and with which code is tini's.
func TestTiniPrints(t *testing.T) {
	t.Parallel()
	for words, part := range map[string]string{"--version": "tini version 0.", "-h": "Usage: tini", "-l": "MIT", "-s -h": "Usage: tini", "echo -l": "MIT"} {
		want, _ := run(t, theirs(t), nil, strings.Fields(words))
		got, said := run(t, ours(t), nil, strings.Fields(words))
		if got.code != want.code || !strings.Contains(got.out, part) || said != "" {
			t.Errorf("%q: %+v, %q", words, got, said)
		}
	}
	if got, said := run(t, ours(t), nil, []string{"-x"}); got.out != "" || !strings.Contains(said, "Usage: tini") {
		t.Errorf("%+v, %q", got, said)
	}
}

func TestTiniVariables(t *testing.T) {
	t.Parallel()
	words := []string{"--", "sh", "-c", "exit 7"}
	for text, says := range map[string]bool{"0": false, "1": false, "2": true, "3x": true, "": false, "x": false} {
		got, said := run(t, ours(t), []string{"TINI_VERBOSITY=" + text, "TINI_SUBREAPER="}, words)
		if got.code != 7 || (said != "") != says {
			t.Errorf("TINI_VERBOSITY=%s: %+v, %q", text, got, said)
		}
	}
	if _, said := run(t, ours(t), nil, append([]string{"-v"}, words...)); !strings.Contains(said, "tini: the program has ended: exit code 7") {
		t.Errorf("-v: %q", said)
	}
}

// -w tells of each process that was left to it.
func TestTiniWarnsOfOrphans(t *testing.T) {
	t.Parallel()
	words := []string{"-s", "--", "sh", "-c", `pid=$(sh -c 'sleep 0.1 > /dev/null & echo $!'); while test -d /proc/$pid; do :; done; echo $pid`}
	for w, tini := range map[string]string{"Reaped zombie process with pid=": theirs(t), "reaped orphan ": ours(t)} {
		got, said := run(t, tini, nil, append([]string{"-w"}, words...))
		pid := strings.TrimSpace(got.out)
		if got.code != 0 || pid == "" || !strings.Contains(said, w+pid+"\n") {
			t.Errorf("%+v, %q", got, said)
		}
		if got, said := run(t, tini, nil, words); got.code != 0 || said != "" {
			t.Errorf("without -w: %+v, %q", got, said)
		}
	}
}

// The program gets the signal, and with -g its process group; it is never killed.
func TestTiniForwards(t *testing.T) {
	t.Parallel()
	script := `trap 'echo parent; kill -WINCH $!' TERM
sh -c 'trap "echo child; exit" TERM; trap exit WINCH; echo up; for i in $(seq 600); do sleep 0.05; done' &
wait; wait; exit 9`
	for flags, want := range map[string]string{"-s": "up parent ", "-sg": "up parent child "} {
		for _, tini := range []string{theirs(t), ours(t)} {
			cmd, errOut := command(t, tini, nil, []string{flags, "--", "sh", "-c", script})
			out, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			var lines []string
			for s := bufio.NewScanner(out); s.Scan(); {
				if lines = append(lines, s.Text()); s.Text() == "up" {
					must(t, cmd.Process.Signal(syscall.SIGTERM))
				}
			}
			_ = cmd.Wait()
			slices.SortFunc(lines, func(a, b string) int { return strings.Compare(b, a) })
			if got := strings.Join(lines, " ") + " "; got != want || cmd.ProcessState.ExitCode() != 9 {
				t.Errorf("%s %s: %q, %v, %q", tini, flags, got, cmd.ProcessState, errOut)
			}
		}
	}
}

// -p has the end of the parent be a signal.
func TestTiniEndsWithItsParent(t *testing.T) {
	t.Parallel()
	for _, tini := range []string{theirs(t), ours(t)} {
		up, fifo := filepath.Join(t.TempDir(), "up"), filepath.Join(t.TempDir(), "told")
		must(t, syscall.Mkfifo(up, 0o600))
		must(t, syscall.Mkfifo(fifo, 0o600))
		script := `trap "echo told > ` + fifo + `; exit" USR1; echo up > ` + up + `; for i in $(seq 600); do sleep 0.05; done`
		cmd := exec.Command("sh", "-c", tini+` -s -p SIGUSR1 -- sh -c "$1" & read x < `+up+`; exit`, "sh", script)
		must(t, cmd.Run())
		got := make(chan string, 1)
		go func() {
			text, _ := os.ReadFile(fifo)
			got <- strings.TrimSpace(string(text))
		}()
		select {
		case text := <-got:
			if text != "told" {
				t.Errorf("%s: %q", tini, text)
			}
		case <-time.After(soon):
			t.Errorf("%s was not told", tini)
		}
	}
}
