package logread

import (
	"strings"
	"testing"
	"time"
)

// gateSince is the time in the tests of the gate: before is older, after is not.
var gateSince = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const (
	stampBefore = "@40000000695735c900000000 "
	stampAfter  = "@40000000695735ca00000000 "
)

func TestGate(t *testing.T) {
	tests := []struct {
		name        string
		text        string
		keepUndated bool
		want        int // -1: nothing is kept
	}{
		{name: "empty", text: "", want: -1},
		{name: "old", text: stampBefore + "a\n", want: -1},
		{name: "new", text: stampAfter + "a\n", want: 0},
		{name: "old, new", text: stampBefore + "a\n" + stampAfter + "b\n", want: 28},
		{name: "empty lines", text: "\n\n\n" + stampAfter + "b\n", want: 3},
		{name: "undated, new", text: "a\n" + stampAfter + "b\n", want: 2},
		{name: "undated line is kept", text: "a\n" + stampAfter + "b\n", keepUndated: true, want: 0},
		{name: "undated line of the old one", text: stampBefore + "a\nb\n", keepUndated: true, want: -1},
		{name: "stamp within a line", text: stampBefore + stampAfter + "\n", want: -1},
		{name: "CRLF", text: stampBefore + "a\r\n\r\n" + stampAfter + "b\r\n", want: 31},
		{name: "new, without newline", text: stampAfter + "abcde", want: 0},
		{name: "too short to tell", text: stampAfter[:20], keepUndated: true, want: -1},
		{name: "long undated line", text: strings.Repeat("x", 1000) + "\n" + stampAfter + "a\n", want: 1001},
	}
	for _, tc := range tests {
		for _, size := range []int{1, 2, 3, 7, 26, 30, 31, 1 << 20} {
			t.Run(tc.name, func(t *testing.T) {
				g := newGate(gateSince)
				g.keepUndated = tc.keepUndated
				if got := inPieces(g, tc.text, size); got != tc.want {
					t.Errorf("in pieces of %d: got %d, want %d", size, got, tc.want)
				}
			})
		}
	}
}

func inPieces(g *gate, text string, size int) int {
	for at := 0; at < len(text); at += size {
		p := text[at:min(at+size, len(text))]
		if i, ok := g.find([]byte(p)); ok {
			return at + i
		}
	}
	return -1
}

func TestGateNextFile(t *testing.T) {
	g := newGate(gateSince)
	if i, ok := g.find([]byte(stampBefore + "cut")); ok {
		t.Fatalf("old line is kept from %d", i)
	}
	g.nextFile()
	if i, ok := g.find([]byte(stampAfter + "a\n")); !ok || i != 0 {
		t.Errorf("first line of the next file: got %d, %v", i, ok)
	}
}

// FuzzGate checks that the pieces in which a stream comes make no difference.
func FuzzGate(f *testing.F) {
	f.Add(stampBefore+"a\n"+stampAfter+"b\n", 3, true)
	f.Add("2026-01-02 03:04:04.000000000  a\n2026-01-02 03:04:06.000000000  b\n", 5, false)
	f.Add("undated\r\n\n"+stampAfter, 1, true)
	f.Fuzz(func(t *testing.T, text string, size int, keepUndated bool) {
		if size < 1 || size > len(text) {
			return
		}
		whole, pieces := newGate(gateSince), newGate(gateSince)
		whole.keepUndated, pieces.keepUndated = keepUndated, keepUndated
		want := inPieces(whole, text, len(text)+1)
		if got := inPieces(pieces, text, size); got != want {
			t.Fatalf("in pieces of %d: got %d, want %d", size, got, want)
		}
		if whole.dated != pieces.dated || whole.undated != pieces.undated {
			t.Fatalf("%+v in one piece, %+v in pieces", whole, pieces)
		}
		if want < 0 {
			return
		}
		if want > 0 && text[want-1] != '\n' {
			t.Fatalf("%d is not the beginning of a line", want)
		}
	})
}
