package chaos

import (
	"strings"
	"testing"
)

// The test of the logs finds what it is there to find.
func TestReaderFindsLosses(t *testing.T) {
	at := func(life int, from, to int) (lines []string) {
		for seq := from; seq < to; seq++ {
			lines = append(lines, line("web", life, seq))
		}
		return lines
	}
	join := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	third := line("web", 0, 2)
	for _, test := range []struct {
		name             string
		lines            []string
		lost, back, torn int
		first, second    int // lines of lives 0 and 1, if not 0
	}{
		{"all", join(at(0, 0, 9), at(2, 0, 3)), 0, 0, 0, 0, 0},
		{"one lost", join(at(0, 0, 2), at(0, 3, 5)), 1, 0, 0, 0, 0},
		{"first lost", join(at(0, 0, 2), at(1, 2, 5)), 2, 0, 0, 0, 0},
		{"batches again", join(at(0, 0, 5), at(0, 2, 7), at(0, 4, 9)), 0, 2, 0, 0, 0},
		{"a batch thrice", join(at(0, 0, 5), at(0, 2, 4), at(0, 2, 7)), 0, 2, 0, 0, 0},
		{"killed in a line", join(at(0, 0, 2), []string{third[:20] + third[10:]}, at(0, 3, 5)), 0, 0, 1, 0, 0},
		{"killed in a line that is lost", join(at(0, 0, 2), []string{third[:10] + third[20:]}, at(0, 3, 5)), 1, 0, 1, 0, 0},
		{"a line that is cut, and another life", join(at(0, 0, 2), []string{third[:20] + line("web", 1, 0)}, at(1, 1, 5)), 0, 0, 1, 0, 0},
		{"killed in the last line", join(at(0, 0, 2), []string{third[:20] + third[10:]}, at(1, 0, 5)), 0, 0, 1, 3, 0},
		{"killed in the last line of all", join(at(0, 0, 2), []string{third[:20] + third[10:]}), 0, 0, 1, 3, 0},
		{"last line lost", join(at(0, 0, 2), at(1, 0, 5)), 0, 0, 0, 2, 0},
		{"a life of one line, torn", join(at(0, 0, 2), []string{third[:20] + line("web", 1, 0)}, at(2, 0, 5)), 0, 0, 1, 2, 1},
		{"halves of two lines", join(at(0, 0, 2), []string{third[:20] + line("web", 0, 3)[20:]}, at(0, 3, 5)), 1, 0, 1, 0, 0},
	} {
		r := &reader{name: "web", written: map[int]int{}}
		for _, text := range test.lines {
			r.take(text)
		}
		r.finish(9)
		for life, want := range []int{test.first, test.second} {
			if want != 0 && r.written[life] != want {
				t.Errorf("%s: life %d has %d lines, want %d", test.name, life, r.written[life], want)
			}
		}
		if len(r.lost) != test.lost || r.back != test.back || r.torn != test.torn {
			t.Errorf("%s: lost %q, %d times back, %d torn:\n%s", test.name, r.lost, r.back, r.torn, strings.Join(test.lines, "\n"))
		}
	}
}
