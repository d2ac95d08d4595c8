package logdir

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ere translates a POSIX extended regular expression, as the C library of
// GNU/Linux reads it, into one for package regexp. What POSIX leaves undefined
// and that library refuses is refused here too.
type ere struct {
	in  string
	pos int
	out strings.Builder

	atom     int   // where the last atom begins in out; -1: nothing to repeat
	repeated bool  // the last atom has an operator already
	open     []int // where the groups that are open begin in out
}

// maxRepeat is how often an atom can be repeated in package regexp.
const maxRepeat = 1000

var errNothingToRepeat = errors.New("*, +, ? or { has nothing before it to repeat")

func (t *ere) translate() error {
	t.atom = -1
	for t.pos < len(t.in) {
		c := t.in[t.pos]
		t.pos++
		if err := t.next(c); err != nil {
			return err
		}
	}
	if len(t.open) > 0 {
		return errors.New("a ( has no )")
	}
	return nil
}

func (t *ere) next(c byte) error {
	switch c {
	case '(':
		t.open = append(t.open, t.out.Len())
		t.separator("(?:")
	case ')':
		if len(t.open) == 0 {
			t.literal(c)
			return nil
		}
		last := len(t.open) - 1
		t.out.WriteByte(c)
		t.atom, t.repeated = t.open[last], false
		t.open = t.open[:last]
	case '|':
		t.separator("|")
	case '^', '$':
		t.separator(string(c))
	case '.':
		t.emit(".")
	case '*', '+', '?':
		return t.repeat(string(c))
	case '{':
		return t.interval()
	case '[':
		return t.bracket()
	case '\\':
		return t.escape()
	default:
		t.literal(c)
	}
	return nil
}

// emit writes an atom.
func (t *ere) emit(atom string) {
	t.atom, t.repeated = t.out.Len(), false
	t.out.WriteString(atom)
}

// separator writes what cannot be repeated.
func (t *ere) separator(s string) {
	t.out.WriteString(s)
	t.atom = -1
}

func (t *ere) literal(c byte) { t.emit(literal(c)) }

func literal(c byte) string {
	if c >= 0x80 {
		return fmt.Sprintf(`\x{%x}`, c)
	}
	return regexp.QuoteMeta(string(rune(c)))
}

// repeat puts an operator after the last atom. A second one would mean
// something else to package regexp, so the atom with the first becomes a group.
func (t *ere) repeat(operator string) error {
	if t.atom < 0 {
		return errNothingToRepeat
	}
	if t.repeated {
		whole := t.out.String()
		t.out.Reset()
		t.out.WriteString(whole[:t.atom] + "(?:" + whole[t.atom:] + ")")
	}
	t.out.WriteString(operator)
	t.repeated = true
	return nil
}

// interval reads {n}, {n,}, {,m} or {n,m}, of which the brace was read.
func (t *ere) interval() error {
	inside, _, closed := strings.Cut(t.in[t.pos:], "}")
	from, to, ranged := strings.Cut(inside, ",")
	if !closed || from == "" && !ranged {
		return errors.New("a { begins no number of repetitions like {1,3}; write \\{ for the brace itself")
	}
	low, err := repetitions(from, 0)
	if err != nil {
		return err
	}
	t.pos += len(inside) + 1
	switch {
	case !ranged:
		return t.repeat(fmt.Sprintf("{%d}", low))
	case to == "":
		return t.repeat(fmt.Sprintf("{%d,}", low))
	}
	high, err := repetitions(to, low)
	if err != nil {
		return err
	}
	if high < low {
		return errors.New("a range of repetitions ends before it begins")
	}
	return t.repeat(fmt.Sprintf("{%d,%d}", low, high))
}

func repetitions(text string, empty int) (int, error) {
	if text == "" {
		return empty, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errors.New("a { begins no number of repetitions like {1,3}; write \\{ for the brace itself")
	}
	if n > maxRepeat {
		return 0, fmt.Errorf("it repeats more than %d times", maxRepeat)
	}
	return int(n), nil
}

// escape reads what follows a backslash: an ordinary character, or one of the
// C library's extensions.
func (t *ere) escape() error {
	if t.pos == len(t.in) {
		return errors.New("a backslash ends it")
	}
	c := t.in[t.pos]
	t.pos++
	switch c {
	case 'w':
		t.emit(`[0-9A-Za-z_]`)
	case 'W':
		t.emit(`[^0-9A-Za-z_]`)
	case 's':
		t.emit(`[\t-\r ]`)
	case 'S':
		t.emit(`[^\t-\r ]`)
	case 'b', 'B':
		t.separator(`\` + string(c))
	case '`':
		t.separator(`\A`)
	case '\'':
		t.separator(`\z`)
	case '<', '>':
		return fmt.Errorf(`\%c is not supported; use \b`, c)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return fmt.Errorf(`\%c is a back-reference, which is not supported`, c)
	default:
		t.literal(c)
	}
	return nil
}
