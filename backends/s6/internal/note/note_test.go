package note

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 42, time.UTC)

// golden are notes and the lines of them, by hand.
var golden = []struct {
	note Note
	line string
}{
	{Note{}, "v1 - -\n"},
	{Note{Adopted: true}, "v1 adopted -\n"},
	{Note{Backoff: true, NextStart: at}, "v1 backoff 1772366400.000000042\n"},
	{Note{Adopted: true, Failed: true}, "v1 adopted,failed -\n"},
	{Note{Adopted: true, Backoff: true, Failed: true, NextStart: at, Problem: "all of it"},
		"v1 adopted,backoff,failed 1772366400.000000042 all of it\n"},
	{Note{NextStart: time.Unix(0, 0).UTC(), Problem: "run could not be started: fork/exec ./run: exec format error"},
		"v1 - 0.000000000 run could not be started: fork/exec ./run: exec format error\n"},
	{Note{Failed: true, Problem: "two  blanks, ü and - -"}, "v1 failed - two  blanks, ü and - -\n"},
}

func TestGolden(t *testing.T) {
	for _, tc := range golden {
		if got := string(tc.note.Encode()); got != tc.line {
			t.Errorf("%+v is written as %q, want %q", tc.note, got, tc.line)
		}
		if got, err := Decode([]byte(tc.line)); err != nil || got != tc.note {
			t.Errorf("%q is read as %+v, %v, want %+v", tc.line, got, err, tc.note)
		}
	}
	if !(Note{}).IsZero() || (Note{Problem: "x"}).IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestProblemIsOneCleanLine(t *testing.T) {
	for given, want := range map[string]string{
		"a\nb\r\nc":                 "a b  c",
		"\x1b[31mred\x00\x7f\u0085": "[31mred",
		" blanks \n":                "blanks",
		"\n\t ":                     "",
		"no \xff UTF-8":             "no \ufffd UTF-8",
	} {
		got, err := Decode(Note{Problem: given}.Encode())
		if err != nil || got.Problem != want {
			t.Errorf("%q is read as %q, %v, want %q", given, got.Problem, err, want)
		}
	}
}

func TestLongProblemIsCutAtARune(t *testing.T) {
	room := Max - len("v1 - - \n")
	for _, tc := range []struct{ given, want string }{
		{strings.Repeat("x", room), strings.Repeat("x", room)},
		{strings.Repeat("x", room+1), strings.Repeat("x", room)},
		{strings.Repeat("x", room-1) + "€", strings.Repeat("x", room-1)},
		{strings.Repeat("x", room-1) + " €", strings.Repeat("x", room-1)},
		{strings.Repeat("\xff", room), strings.Repeat("\ufffd", room/3)},
	} {
		line := Note{Problem: tc.given}.Encode()
		if got, err := Decode(line); err != nil || got.Problem != tc.want || len(line) > Max {
			t.Errorf("%d bytes are read as %d in a line of %d, %v, want %d", len(tc.given), len(got.Problem), len(line), err, len(tc.want))
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, line := range []string{
		"", "\n", "v1\n", "v1 -\n", "v1 - -", "v2 - -\n", "v1 - -\nv1 - -\n", "v1 - -\n\n", "v1 - - \n", "v1 - -  x\n", "v1 - - x \n",
		"v1 - - a\x1bb\n", "v1 - - \xff\n", "v1  -\n", "v1 backoff,adopted -\n", "v1 adopted, -\n", "v1 adopted,adopted -\n", "v1 Adopted -\n",
		"v1 -,adopted -\n", "v1 - 1\n", "v1 - 1.5\n", "v1 - 1.0000000000\n", "v1 - 01.000000000\n", "v1 - +1.000000000\n",
		"v1 - 1.999999999999\n", "v1 - -62135596800.000000000\n", "v1 - - " + strings.Repeat("x", Max) + "\n",
	} {
		if got, err := Decode([]byte(line)); err == nil {
			t.Errorf("%.80q is read as %+v", line, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, tc := range golden {
		f.Add([]byte(tc.line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		n, err := Decode(line)
		if err != nil {
			if n != (Note{}) {
				t.Errorf("an error and %+v", n)
			}
			return
		}
		if back := n.Encode(); string(back) != string(line) {
			t.Errorf("%q was read and is written as %q", line, back)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, tc := range golden {
		f.Add(tc.note.Adopted, tc.note.Backoff, tc.note.Failed, tc.note.NextStart.Unix(), int64(tc.note.NextStart.Nanosecond()), tc.note.Problem)
	}
	f.Fuzz(func(t *testing.T, adopted, backoff, failed bool, s, ns int64, problem string) {
		n := Note{Adopted: adopted, Backoff: backoff, Failed: failed, NextStart: time.Unix(s, ns), Problem: problem}
		line := n.Encode()
		got, err := Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		if len(line) > Max || !got.NextStart.Equal(n.NextStart) || strings.ContainsFunc(got.Problem, unicode.IsControl) || !utf8.ValidString(got.Problem) {
			t.Errorf("%q is read as %+v", line, got)
		}
		n.NextStart, n.Problem = got.NextStart, got.Problem
		if got != n {
			t.Errorf("got %+v, want %+v", got, n)
		}
	})
}
