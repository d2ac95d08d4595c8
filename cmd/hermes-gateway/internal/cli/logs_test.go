package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestLogs(t *testing.T) {
	for _, tc := range []struct {
		name     string
		args     []string
		code     int
		out, err string
	}{
		{"all", []string{"web"}, 0, "one\ntwo\nthree\n", ""},
		{"last", []string{"-n", "2", "web"}, 0, "two\nthree\n", ""},
		{"several, in order", []string{"-n1", "web", "coder"}, 0, "web | three\ncoder | hello\n", ""},
		{"one is missing", []string{"web", "nope"}, 5, "web | one\n", "✗ could not read the log of nope"},
		{"nothing known", []string{"nope"}, 5, "", "no such profile or service"},
		{"no log", []string{"mute"}, 3, "", "✗ could not read the log of mute: not supported by this service manager; register it with --log-dir\n"},
		{"all of ours", []string{"--all"}, 0, "coder | hello\nweb | one\nweb | two\nweb | three\n", ""},
		{"negative", []string{"-n", "-1", "web"}, 2, "", "negative"},
		{"no time", []string{"--since", "yesterday", "web"}, 2, "", `--since "yesterday" is neither a duration`},
		{"in the future", []string{"--since", "-3m", "web"}, 2, "", "--since"},
		{"json", []string{"--json", "web"}, 2, "", "no JSON form"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			b.fake.has(up("web")).has(up("gateway-coder")).has(up("mute"))
			b.fake.ours = []string{"web"}
			b.fake.logs["web"] = "one\ntwo\nthree\n"
			b.fake.logs["gateway-coder"] = "hello\n"
			b.fake.fail["logs mute"] = sm.WithRemedy(sm.ErrNotSupported, "register it with --log-dir")
			b.want(tc.code, tc.out, tc.err, append([]string{"logs"}, tc.args...)...)
		})
	}
}

func TestSince(t *testing.T) {
	for _, tc := range []struct {
		word string
		want time.Time
	}{
		{"10m", testNow.Add(-10 * time.Minute)},
		{"0s", testNow},
		{"2026-01-02T03:04:05Z", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		{"2026-01-02T03:04:05.5+02:00", time.Date(2026, 1, 2, 1, 4, 5, 500_000_000, time.UTC)},
	} {
		t.Run(tc.word, func(t *testing.T) {
			got, err := parseSince(tc.word, testNow)
			if err != nil || !got.Equal(tc.want) {
				t.Errorf("got %s, %v; want %s", got, err, tc.want)
			}
		})
	}
}

// lineReader hands what is written to it to a test, line by line.
type lineReader struct{ lines chan string }

func (r lineReader) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		r.lines <- line
	}
	return len(p), nil
}

func (r lineReader) take(t *testing.T, n int) []string {
	t.Helper()
	var got []string
	for range n {
		select {
		case line := <-r.lines:
			got = append(got, line)
		case <-time.After(30 * time.Second):
			t.Fatalf("only %q came", got)
		}
	}
	return got
}

func TestFollowEndsWithTheInterrupt(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web")).has(up("gateway-coder"))
	b.fake.logs["web"], b.fake.logs["gateway-coder"] = "one\n", "hello\n"
	out := lineReader{make(chan string, 10)}
	b.proc.Out = out
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- Run(ctx, []string{"logs", "-f", "web", "coder"}, b.proc) }()
	got := out.take(t, 2)
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d, want 0; %s", code, b.err.String())
	}
	slices.Sort(got)
	if want := []string{"coder | hello\n", "web | one\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if b.err.Len() > 0 {
		t.Errorf("stderr is %q", b.err.String())
	}
}

func TestFollowSaysAtOnceWhatCannotBeFollowed(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web"))
	errOut := lineReader{make(chan string, 10)}
	b.proc.Err = errOut
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- Run(ctx, []string{"logs", "-f", "web", "nope"}, b.proc) }()
	if line := errOut.take(t, 1)[0]; !strings.Contains(line, "could not read the log of nope") {
		t.Errorf("stderr is %q", line)
	}
	cancel()
	if code := <-ended; code != 5 {
		t.Errorf("exit %d, want 5", code)
	}
}

// TestBrokenPipe: a reader that has seen enough ends all that is followed,
// quietly.
func TestBrokenPipe(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web")).has(up("quiet"))
	b.fake.logs["web"] = "one\ntwo\n"
	b.proc.Out = failingWriter{syscall.EPIPE}
	b.want(0, "", "", "logs", "-f", "web", "quiet")
	b.want(0, "", "", "logs", "web")
	b.want(0, "", "", "status")
}

func TestLongLinesStayApart(t *testing.T) {
	b := newBench(t)
	b.fake.has(up("web")).has(up("last"))
	long := strings.Repeat("x", longestLine+10)
	b.fake.logs["web"] = long + "\n"
	b.fake.logs["last"] = "end\n"
	b.run("logs", "web", "last")
	want := "web | " + long[:longestLine] + "\nweb | " + long[longestLine:] + "\nlast | end\n"
	if got := b.out.String(); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
	b.run("logs", "web")
	if got := b.out.String(); got != long+"\n" {
		t.Errorf("alone: got %d bytes, want %d", len(got), len(long)+1)
	}
}

var _ io.Writer = lineReader{}
