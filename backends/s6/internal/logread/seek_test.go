package logread

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// memFile is a part in memory.
type memFile struct{ *bytes.Reader }

func (memFile) Close() error { return nil }

func memPart(made time.Time, text string) part {
	return part{made: made, open: func() (partFile, error) { return memFile{bytes.NewReader([]byte(text))}, nil }}
}

func trimmedPart(made time.Time) part {
	return part{made: made, open: func() (partFile, error) { return nil, fs.ErrNotExist }}
}

func goOn() error { return nil }

// rest is what comes from a position on.
func rest(t *testing.T, parts []part, from position) string {
	t.Helper()
	var b strings.Builder
	for i := from.part; i < len(parts); i++ {
		f, err := parts[i].open()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text := make([]byte, f.Size())
		f.ReadAt(text, 0)
		if i == from.part {
			text = text[from.offset:]
		}
		b.Write(text)
	}
	return b.String()
}

// at is a stamp n seconds after an arbitrary time.
func at(n int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC).Add(time.Duration(n) * time.Second)
}

// tl and ll are a line of second n, with directive t and T.
func tl(n int) string { return tai.Format(at(n)) + fmt.Sprintf(" line %d\n", n) }
func ll(n int) string { return at(n).Local().Format(localLayout) + fmt.Sprintf("line %d\n", n) }

func TestSeekLines(t *testing.T) {
	huge := strings.Repeat("x", 3*blockSize+17)
	none := time.Time{}
	tests := []struct {
		name  string
		parts []part
		lines int
		want  string
	}{
		{name: "no files", lines: 3},
		{name: "empty file", parts: []part{memPart(none, "")}, lines: 3},
		{name: "all", parts: []part{memPart(none, "a\nb\n")}, lines: 0, want: "a\nb\n"},
		{name: "last", parts: []part{memPart(none, "a\nb\n")}, lines: 1, want: "b\n"},
		{name: "exactly all", parts: []part{memPart(none, "a\nb\n")}, lines: 2, want: "a\nb\n"},
		{name: "more than all", parts: []part{memPart(none, "a\nb\n")}, lines: 3, want: "a\nb\n"},
		{name: "huge number", parts: []part{memPart(none, "a\nb\n")}, lines: int(^uint(0) >> 1), want: "a\nb\n"},
		{name: "no trailing newline", parts: []part{memPart(none, "a\nb")}, lines: 1, want: "b"},
		{name: "no trailing newline, two", parts: []part{memPart(none, "a\nb\nc")}, lines: 2, want: "b\nc"},
		{name: "no newline at all", parts: []part{memPart(none, "abc")}, lines: 1, want: "abc"},
		{name: "empty lines", parts: []part{memPart(none, "a\n\n\n")}, lines: 2, want: "\n\n"},
		{name: "CRLF", parts: []part{memPart(none, "a\r\nb\r\n")}, lines: 1, want: "b\r\n"},
		{name: "huge line", parts: []part{memPart(none, "a\n"+huge+"\n")}, lines: 1, want: huge + "\n"},
		{name: "before a huge line", parts: []part{memPart(none, "a\nb\n"+huge+"\n")}, lines: 2, want: "b\n" + huge + "\n"},
		{name: "newline at the end of a block", parts: []part{memPart(none, "a\n"+strings.Repeat("x", blockSize-1)+"\n")}, lines: 1, want: strings.Repeat("x", blockSize-1) + "\n"},
		{name: "two files", parts: []part{memPart(at(0), "a\nb\n"), memPart(none, "c\n")}, lines: 2, want: "b\nc\n"},
		{name: "exactly the second file", parts: []part{memPart(at(0), "a\nb\n"), memPart(none, "c\nd\n")}, lines: 2, want: "c\nd\n"},
		{name: "empty current", parts: []part{memPart(at(0), "a\nb\n"), memPart(none, "")}, lines: 1, want: "b\n"},
		{name: "line over a seam", parts: []part{memPart(at(0), "a\nb"), memPart(none, "c\nd\n")}, lines: 2, want: "bc\nd\n"},
		{name: "only archives", parts: []part{memPart(at(0), "a\n"), memPart(at(1), "b\n")}, lines: 1, want: "b\n"},
		{name: "oldest trimmed", parts: []part{trimmedPart(at(0)), memPart(at(1), "b\n"), memPart(none, "c\n")}, lines: 9, want: "b\nc\n"},
		{name: "all archives trimmed", parts: []part{trimmedPart(at(0)), trimmedPart(at(1)), memPart(none, "c\n")}, lines: 9, want: "c\n"},
		{name: "all trimmed", parts: []part{trimmedPart(at(0)), trimmedPart(at(1))}, lines: 9},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			from, g, err := seek(tc.parts, Options{Lines: tc.lines}, goOn)
			if err != nil || g != nil {
				t.Fatalf("gate %v, error %v", g, err)
			}
			if got := rest(t, tc.parts, from); got != tc.want {
				t.Errorf("got %.80q, want %.80q", got, tc.want)
			}
		})
	}
}

func TestSeekSince(t *testing.T) {
	none := time.Time{}
	huge := strings.Repeat("x", 2*blockSize)
	tests := []struct {
		name  string
		parts []part
		since int // seconds
		lines int
		want  string
		gate  bool // what comes has to pass one
	}{
		{name: "no files", gate: true},
		{name: "empty file", parts: []part{memPart(none, "")}, gate: true},
		{name: "stamp is since", parts: []part{memPart(none, tl(4)+tl(5)+tl(6))}, since: 5, want: tl(5) + tl(6)},
		{name: "local stamps", parts: []part{memPart(none, ll(4)+ll(5)+ll(6))}, since: 5, want: ll(5) + ll(6)},
		{name: "all older", parts: []part{memPart(none, tl(3)+tl(4))}, since: 5, gate: true},
		{name: "all newer", parts: []part{memPart(none, tl(6)+tl(7))}, since: 5, want: tl(6) + tl(7)},
		{name: "in the archive", parts: []part{memPart(at(6), tl(4)+tl(6)), memPart(none, tl(7))}, since: 5, want: tl(6) + tl(7)},
		{name: "archive made at since", parts: []part{memPart(at(5), tl(4)+tl(5)), memPart(none, tl(7))}, since: 5, want: tl(5) + tl(7)},
		{name: "in the third", parts: []part{memPart(at(1), tl(1)), memPart(at(4), tl(4)), memPart(none, tl(6))}, since: 5, want: tl(6)},
		{name: "names tell nothing of stamped lines", parts: []part{memPart(at(-900), tl(1)+tl(6)), memPart(at(-800), tl(7)), memPart(none, tl(8))}, since: 5, want: tl(6) + tl(7) + tl(8)},
		{name: "undated lines belong to the stamp before", parts: []part{memPart(none, tl(4)+"a\n"+tl(5)+"b\n"+"c\n")}, since: 5, want: tl(5) + "b\nc\n"},
		{name: "also over a seam", parts: []part{memPart(at(4), tl(4)), memPart(none, "a\n"+tl(5))}, since: 5, want: tl(5)},
		{name: "also over a seam, new", parts: []part{memPart(at(6), tl(6)), memPart(none, "a\n")}, since: 5, want: tl(6) + "a\n"},
		{name: "undated lines after the last stamp", parts: []part{memPart(none, tl(4)+"a\n")}, since: 5, gate: true},
		{name: "no stamps: archive made before", parts: []part{memPart(at(4), "a\n"), memPart(at(5), "b\n"), memPart(none, "c\n")}, since: 5, want: "b\nc\n"},
		{name: "no stamps: all made before", parts: []part{memPart(at(3), "a\n"), memPart(at(4), "b\n")}, since: 5, gate: true},
		{name: "no stamps at all", parts: []part{memPart(none, "a\nb\n")}, since: 5, want: "a\nb\n"},
		{name: "no stamp before, new after", parts: []part{memPart(none, "a\n"+tl(6))}, since: 5, want: "a\n" + tl(6)},
		{name: "no stamp before, old after", parts: []part{memPart(none, "a\n"+tl(4)+tl(6))}, since: 5, want: tl(6)},
		{name: "clock went back", parts: []part{memPart(none, tl(4)+tl(6)+tl(3)+tl(7))}, since: 5, want: tl(6) + tl(3) + tl(7)},
		{name: "huge line", parts: []part{memPart(none, tl(4)+huge+"\n"+tl(6))}, since: 5, want: tl(6)},
		{name: "CRLF", parts: []part{memPart(none, strings.ReplaceAll(tl(4)+tl(6), "\n", "\r\n"))}, since: 5, want: strings.ReplaceAll(tl(6), "\n", "\r\n")},
		{name: "no trailing newline", parts: []part{memPart(none, tl(4)+strings.TrimSpace(tl(6)))}, since: 5, want: strings.TrimSpace(tl(6))},
		{name: "cut stamp at the end", parts: []part{memPart(none, tl(4)+tl(6)[:20])}, since: 5, want: tl(6)[:20], gate: true},
		{name: "trimmed", parts: []part{trimmedPart(at(4)), memPart(none, tl(5))}, since: 5, want: tl(5)},
		{name: "only trimmed", parts: []part{trimmedPart(at(4))}, since: 5, gate: true},
		{name: "lines of it", parts: []part{memPart(none, tl(4)+tl(5)+tl(6)+tl(7))}, since: 5, lines: 2, want: tl(6) + tl(7)},
		{name: "fewer than lines", parts: []part{memPart(none, tl(4)+tl(5)+tl(6))}, since: 5, lines: 9, want: tl(5) + tl(6)},
		{name: "lines without stamp", parts: []part{memPart(none, tl(4)+tl(5)+"a\nb\n")}, since: 5, lines: 2, want: "a\nb\n"},
		{name: "lines of nothing", parts: []part{memPart(none, tl(3)+tl(4))}, since: 5, lines: 2, gate: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			from, g, err := seek(tc.parts, Options{Since: at(tc.since), Lines: tc.lines}, goOn)
			if err != nil || (g != nil) != tc.gate {
				t.Fatalf("gate %v, error %v", g, err)
			}
			if got := rest(t, tc.parts, from); got != tc.want {
				t.Errorf("got %.200q, want %.200q", got, tc.want)
			}
		})
	}
}

// TestSeekAtRandom compares with selecting lines from a list.
func TestSeekAtRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		stampLine := tl
		if rnd.IntN(2) == 0 {
			stampLine = ll
		}
		var lines []string
		var stamps []int
		now := 0
		for range rnd.IntN(40) {
			line := "no stamp\n"
			if len(lines) == 0 || rnd.IntN(3) > 0 {
				now += rnd.IntN(3)
				line = stampLine(now)
			}
			if rnd.IntN(30) == 0 {
				line = line[:len(line)-1] + strings.Repeat("y", rnd.IntN(2*blockSize)) + "\n"
			}
			lines, stamps = append(lines, line), append(stamps, now)
		}
		var parts []part
		for begin := 0; begin < len(lines); {
			end := min(begin+rnd.IntN(8), len(lines))
			// The first line of an archive made before Since tells whether
			// the log has stamps.
			for end < len(lines) && strings.HasPrefix(lines[end], "no stamp") {
				end++
			}
			made := time.Time{}
			if end > begin {
				made = at(stamps[end-1])
			}
			if end == len(lines) {
				made = time.Time{}
			}
			parts = append(parts, memPart(made, strings.Join(lines[begin:end], "")))
			begin = end
		}
		opts := Options{Since: at(rnd.IntN(now + 2)), Lines: rnd.IntN(10)}
		first := 0
		for first < len(lines) && at(stamps[first]).Before(opts.Since) {
			first++
		}
		if opts.Lines > 0 {
			first = max(first, len(lines)-opts.Lines)
		}
		from, _, err := seek(parts, opts, goOn)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := rest(t, parts, from), strings.Join(lines[first:], ""); got != want {
			t.Fatalf("%+v of %d parts: got %.200q, want %.200q", opts, len(parts), got, want)
		}
	}
}

func TestSeekGivesUp(t *testing.T) {
	errEnd := errors.New("the end")
	calls := 0
	ended := func() error {
		if calls++; calls > 3 {
			return errEnd
		}
		return nil
	}
	parts := []part{memPart(time.Time{}, strings.Repeat("x", 10*blockSize))}
	for _, opts := range []Options{{Lines: 1}, {Since: at(0)}} {
		calls = 0
		if _, _, err := seek(parts, opts, ended); !errors.Is(err, errEnd) {
			t.Errorf("%+v: error %v, want %v", opts, err, errEnd)
		}
	}
}

// FuzzLines compares with splitting the whole text.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\nc", 2, 1)
	f.Add("a\r\n\n\n", 0, 3)
	f.Add("", 0, 1)
	f.Fuzz(func(t *testing.T, text string, cut, n int) {
		if cut < 0 || cut > len(text) || n < 1 {
			return
		}
		parts := []part{memPart(at(0), text[:cut]), memPart(time.Time{}, text[cut:])}
		from, _, err := seek(parts, Options{Lines: n}, goOn)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(text, "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		want := strings.Join(lines[max(0, len(lines)-n):], "")
		if got := rest(t, parts, from); got != want {
			t.Fatalf("%d lines of %q, cut at %d: got %q, want %q", n, text, cut, got, want)
		}
	})
}
