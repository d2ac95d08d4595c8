package svscan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTools plays every case of the table on s6's own tree and on ours, with
// s6's own tools, and compares all that can be observed.
func TestTools(t *testing.T) {
	s6 := installed(t)
	real, second := trees(t)
	for _, c := range table() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.only215 && s6 != v215 {
				t.Skip("s6 2.11 does not have that")
			}
			run := func(tr tree) []string {
				p := newPlay(t, tr, s6)
				c.play(p)
				return p.lines
			}
			played := run(real)
			if testing.Verbose() {
				t.Logf("with s6 %s:\n%s", s6, strings.Join(played, "\n"))
			}
			compare(t, c.name, s6, second, played, run(second))
		})
	}
}

// testCase is one row of the table.
type testCase struct {
	name    string
	only215 bool
	play    func(p *play)
}

func table() []testCase {
	var all []testCase
	for _, part := range [][]testCase{
		signalCases(), wantCases(), waitCases(), statCases(), eventCases(), tallyCases(), linkCases(),
		scanCases(), commandCases(), endCases(), processCases(), finishCases(), loggerCases(), limitCases(),
		ourCases(),
	} {
		all = append(all, part...)
	}
	return all
}

// The table has no case twice, and no difference is listed for a case that does
// not exist.
func TestToolsTable(t *testing.T) {
	names := map[string]bool{}
	for _, c := range table() {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
	}
	for _, d := range differences() {
		for _, s := range d.seen {
			if !names[s.in] {
				t.Errorf("the difference %q is seen in %q, which is no case", d.what, s.in)
			}
		}
	}
}

// compare fails the test unless two plays gave the same lines, but for the
// differences that are listed. One that is listed for the case must be there.
func compare(t *testing.T, name string, s6 version, second tree, real, other []string) {
	t.Helper()
	var m matcher
	if second.ours {
		m = matcherFor(name, s6)
	}
	err := m.match(real, other)
	if err != nil {
		t.Errorf("%v\ns6:\n  %s\n%s:\n  %s", err, strings.Join(real, "\n  "), second.name, strings.Join(other, "\n  "))
		return
	}
	for _, s := range m.expected {
		t.Errorf("this difference is listed, and is not there:\n- %s\n+ %s", strings.Join(s.real, "\n- "), strings.Join(s.ours, "\n+ "))
	}
}

// matcher walks through the lines of two plays.
type matcher struct {
	expected   []sight // differences that were not met yet
	everywhere []rewrite
}

func matcherFor(name string, s6 version) matcher {
	var m matcher
	for _, d := range differences() {
		for _, s := range d.seen {
			if s.in == name && s.applies(d, s6) {
				m.expected = append(m.expected, s)
			}
		}
		if d.of == "" || d.of == s6 {
			m.everywhere = append(m.everywhere, d.everywhere...)
		}
	}
	return m
}

func (m *matcher) match(real, other []string) error {
	i, j := 0, 0
	for i < len(real) || j < len(other) {
		if i < len(real) && j < len(other) && m.same(real[i], other[j]) {
			i, j = i+1, j+1
			continue
		}
		at := slices.IndexFunc(m.expected, func(s sight) bool {
			return begins(real[i:], s.real) && begins(other[j:], s.ours)
		})
		if at < 0 {
			return fmt.Errorf("they differ at line %d and %d:\n- %s\n+ %s", i+1, j+1, lineAt(real, i), lineAt(other, j))
		}
		i, j = i+len(m.expected[at].real), j+len(m.expected[at].ours)
		m.expected = slices.Delete(m.expected, at, at+1)
	}
	return nil
}

// same says whether a line of s6's tree is one of ours, or becomes one.
func (m *matcher) same(real, ours string) bool {
	if real == ours {
		return true
	}
	for _, r := range m.everywhere {
		real = r.real.ReplaceAllString(real, r.ours)
	}
	return real == ours
}

// begins says whether lines begin with others; one that ends in an ellipsis is
// the beginning of a line.
func begins(lines, with []string) bool {
	if len(lines) < len(with) {
		return false
	}
	for i, w := range with {
		start, cut := strings.CutSuffix(w, "...")
		if lines[i] == w || cut && strings.HasPrefix(lines[i], start) {
			continue
		}
		return false
	}
	return true
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}
