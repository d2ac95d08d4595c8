package logcmd

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// result is all that a run leaves behind.
type result struct {
	files, stdout, stderr string
	code                  int
}

// feed runs a program on packets of input: whatever is sent at once is also
// read at once, so that s6-log looks at the size after each line.
func (p program) feed(t testing.TB, args []string, packets []string) result {
	t.Helper()
	dir := t.TempDir()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	theirs := os.NewFile(uintptr(pair[0]), "input")
	l := p.start(t, dir, theirs, args...)
	theirs.Close()
	for _, text := range packets {
		for {
			_, err := unix.Write(pair[1], []byte(text))
			if !errors.Is(err, unix.EINTR) {
				must(t, err)
				break
			}
		}
	}
	unix.Close(pair[1])
	code := l.wait()
	return result{snapshot(t, dir), unstamped(l.stdout.String()), alertsOf(l.stderr.text()), code}
}

// alertsOf leaves out warnings, which are worded differently.
func alertsOf(stderr string) string {
	var b strings.Builder
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "s6-log: alert: ") {
			b.WriteString(unstamped(line))
		}
	}
	return b.String()
}

// packetSize is less than s6-log reads at once.
const packetSize = 4000

// perLine cuts text into packets in which one line ends at most, be it at a
// newline, a NUL or the limit, which shows with the byte after it.
func perLine(text string, limit int) []string {
	var packets []string
	from, size := 0, 0 // size of the line so far
	cut := func(to int) {
		if to > from {
			packets, from = append(packets, text[from:to]), to
		}
	}
	for i := range len(text) {
		switch {
		case text[i] == '\n' || text[i] == 0:
			cut(i + 1)
			size = 0
		case size == limit:
			cut(i)
			cut(i + 1)
			size = 1
		default:
			size++
		}
		if i+1-from == packetSize {
			cut(i + 1)
		}
	}
	cut(len(text))
	return packets
}

// limitIn is the line limit that options set.
func limitIn(args []string) int {
	limit := 8192
	if i := slices.Index(args, "-l"); i >= 0 {
		limit, _ = strconv.Atoi(args[i+1])
		limit = max(limit, 48)
		if args[i+1] == "0" {
			limit = 1 << 30
		}
	}
	return limit
}

func numbered(n, size int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%06d %s\n", i, strings.Repeat("x", size))
	}
	return b.String()
}

// inputs are texts whose last line is whole.
var inputs = map[string]string{
	"nothing": "",
	"small": "hello\n\n\n\na\x00b\n\x00\nc\x00\xff\xfe\x01\r\n\x1b[1mgr\xfcn\xc3\xbc\n" +
		"fatal: one\nSTAT two\nthree\nfatal: " + strings.Repeat("four", 100) + "\nERROR five\nSTAT six\n" + numbered(400, 10),
	"lines of 100": numbered(300, 93),
	"around 48":    strings.Repeat(strings.Repeat("y", 47)+"\n"+strings.Repeat("z", 48)+"\n"+strings.Repeat("w", 49)+"\n", 20),
	"huge":         strings.Repeat("a", 8192) + "\n" + strings.Repeat("b", 8193) + "\n" + strings.Repeat("c", 30000) + "\n" + "d\n",
	"around 4096": strings.Repeat(strings.Repeat("e", 4095)+"\n", 3) + strings.Repeat(strings.Repeat("e", 2094)+"\n", 5) +
		strings.Repeat(strings.Repeat("e", 2096)+"\n", 5),
}

// scripts are options and directives, words between blanks.
var scripts = []string{
	"./log", "1", "2", "1 2 ./log", "t 1", "T 1", "t T 1", "T t 2", "1 T ./log", "T 1 ./log", "t ./log T ./other 1",
	"n3 s4096 ./log", "n0 s4096 ./log", "n3 s4096 l0 ./log", "n100 s5000 l2500 T ./log", "n100 s4096 S9000 t ./log", "s1 n2 ./log l100 n3 ./other",
	"n3 s4096 pname: ./log p n2 ./other", "pa 1 pb 1 p 1",
	"=status", "^0 =status", "^10 t =status ^3 pp =other", "^5000 =status",
	"-- - +fatal: 2 - +^STAT =status f n5 s4096 T ./log", "-- -x$ 1 f 2", "-- - +a 1 - +b 2 f ./log", "-- +x -y +z 1", "f 1 f 2 f ./log", "-- -^$ -[[:cntrl:]] 1",
	"-- - 1 +. 2", "-- -(one|two) ./log +one 1 f 2",
	"-l 48 1", "-l 1 ./log", "-l 0 ./log", "-l 100 t 1", "-b n3 s4096 ./log", "-bp 1 ./log", "-q 1 f", "1 f", "-v 1",
}

// The same input and directives make the same files, output and alerts.
func TestSameAsS6Log(t *testing.T) {
	a, b := real(t), ours(t)
	for _, script := range scripts {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(script)
			for name, text := range inputs {
				packets := perLine(text, limitIn(args))
				compare(t, name, a.feed(t, args, packets), b.feed(t, args, packets))
			}
		})
	}
}

// compare shows where results begin to differ.
func compare(t *testing.T, what string, want, got result) {
	t.Helper()
	if got == want {
		return
	}
	g, w := got.text(), want.text()
	at := 0
	for at < min(len(g), len(w)) && g[at] == w[at] {
		at++
	}
	from := max(at-200, 0)
	t.Errorf("%s: after %d bytes got\n%.400s\nwant\n%.400s", what, at, g[from:], w[from:])
}

func (r result) text() string {
	return fmt.Sprintf("exit %d\nstdout %q\nstderr %q\n%s", r.code, r.stdout, r.stderr, r.files)
}

// The same with directives and lines nobody has thought of.
func TestSameAsS6LogAtRandom(t *testing.T) {
	a, b := real(t), ours(t)
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		words := randomScript(r)
		packets := perLine(randomText(r), limitIn(words))
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			t.Parallel()
			compare(t, "", a.feed(t, words, packets), b.feed(t, words, packets))
		})
	}
}

func randomScript(r *rand.Rand) []string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	words := []string{"-l", fmt.Sprint(r.IntN(300)), "--"}
	for i := range 1 + r.IntN(6) {
		for range r.IntN(5) {
			words = append(words, pick("n1", "n5", "n50", "s4096", "s6000", "s4500", "S8000", "S0", "l0", "l100", "l2000", "t", "T", "pzz", "p", "^70", "^0",
				"f", "+", "-", "+a", "-a", "+[a-f]$", "-^x", "+e+", "-(ab|ba)", "-.{40}"))
		}
		words = append(words, pick("1", "2", "=status", fmt.Sprintf("./log%d", i)))
	}
	return words
}

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range 50 + r.IntN(300) {
		for range r.IntN(1 + r.IntN(120)) {
			b.WriteByte("abcdefx z\xe9"[r.IntN(10)])
		}
		b.WriteByte("\n\n\x00"[r.IntN(3)])
	}
	return b.String()
}

// All at once through a pipe: s6-log then rotates later, with the rest of what
// it has read, so that lines are compared and not files.
func TestSameLinesInBursts(t *testing.T) {
	for _, script := range []string{"n1000 s4096 T ./log", "n1000 s10000 t ./log 1", "-b n1000 s4096 ./log", "-- - +5 n1000 s4096 ./log"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			lines := 20000
			if s6test.Brief() {
				lines = 2000
			}
			text := numbered(lines, 70)
			var got [2]string
			for i, p := range []program{real(t), ours(t)} {
				dir := t.TempDir()
				cmd := p.command(dir, strings.Fields(script)...)
				cmd.Stdin = strings.NewReader(text)
				out, err := cmd.Output()
				must(t, err)
				got[i] = unstamped(content(t, filepath.Join(dir, "log"))) + string(out)
			}
			if got[0] != got[1] {
				t.Error("the lines differ")
			}
		})
	}
}

// A line without its end is written with one, at the end of the input. s6-log
// leaves it out.
func TestLastLine(t *testing.T) {
	for _, text := range []string{"a", "a\nb", strings.Repeat("x", 10000)} {
		got := ours(t).feed(t, []string{"./log", "1"}, perLine(text, 8192))
		if got.code != 0 || strings.ReplaceAll(got.stdout, "\n", "") != strings.ReplaceAll(text, "\n", "") || !strings.HasSuffix(got.stdout, "\n") {
			t.Errorf("%.20q: %.200s", text, got.text())
		}
	}
}

func TestExitCodesAsS6Log(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for _, script := range []string{
		"", "1", "x", "n", "nx 1", "l60000 1", "fx", "=", "+( 1", "-x 1", "-l 1", "-d 1 1", "-d 2 1", "-d 77 1", "-l x 1", "n5", "./file", "./no/such", "./file/x", "--",
	} {
		t.Run(script, func(t *testing.T) {
			var got [2]int
			for i, p := range []program{real(t), ours(t)} {
				cmd := p.command(dir, strings.Fields(script)...)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				_ = cmd.Run()
				got[i] = cmd.ProcessState.ExitCode()
				if i == 1 && got[i] != 0 && (strings.Count(stderr.String(), "\n") != 1 || !strings.HasPrefix(stderr.String(), "hermes-gateway log: ")) {
					t.Errorf("message %q", stderr.String())
				}
			}
			if got[0] != got[1] {
				t.Errorf("exit %d, s6-log %d", got[1], got[0])
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if code := Main([]string{"--help"}, &out); code != 0 || out.String() != Help {
		t.Errorf("exit %d, %q", code, out.String())
	}
	for line := range strings.Lines(Help) {
		if len(line) > 81 {
			t.Errorf("too long: %s", line)
		}
	}
}
