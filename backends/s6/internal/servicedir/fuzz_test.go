package servicedir

import (
	"strings"
	"testing"
)

func FuzzParseMark(f *testing.F) {
	f.Add([]byte(`{"v":1,"restart":"always","fatal":[78]}`))
	f.Add([]byte(`{"v":2,"new":{}}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMark(b)
		if err != nil {
			return
		}
		again, err := ParseMark([]byte(m.Encode()))
		if err != nil || again.Version != m.Version || len(again.Fatal) != len(m.Fatal) {
			t.Errorf("%q: %+v became %+v, %v", b, m, again, err)
		}
	})
}

func FuzzSettings(f *testing.F) {
	for _, s := range []string{"3\n", "", "10000", " 5\n", "99999999999999999999", "n10\ns1000000\nT\n/var/log/x\n", "0\nrest"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, ok := ParseNumber(text); ok {
			line, _, _ := strings.Cut(text, "\n")
			if strings.Trim(line, "0123456789") != "" || n > 1<<32 {
				t.Errorf("%q was read as %d", text, n)
			}
		}
		if d, ok := ParseMillis(text); ok && d < 0 {
			t.Errorf("%q is negative: %v", text, d)
		}
		if dir, ok := ParseDirectives(DirectiveLines(text)); ok && (dir == "" || strings.Contains(dir, "\n")) {
			t.Errorf("%q has the directory %q", text, dir)
		}
	})
}

// FuzzQuote has a shell read back what was quoted.
func FuzzQuote(f *testing.F) {
	f.Add("a'b")
	f.Add("$(x) `y` \\ \n\"")
	f.Fuzz(func(t *testing.T, s string) {
		q := quote(s)
		if got := unquote(t, q); got != s {
			t.Errorf("%q was quoted as %s and read as %q", s, q, got)
		}
	})
}

// unquote reads a word as POSIX says (XCU 2.2): within single quotes every byte
// is itself, and outside of them a backslash takes the next one as it is.
func unquote(t *testing.T, word string) string {
	t.Helper()
	var b strings.Builder
	quoted := false
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
			b.WriteByte(c)
		case c == '\\' && i+1 < len(word):
			i++
			b.WriteByte(word[i])
		default:
			t.Fatalf("%s: byte %d stands outside of quotes", word, i)
		}
	}
	if quoted {
		t.Fatalf("%s: a quote is not closed", word)
	}
	return b.String()
}
