package logdir

import (
	"errors"
	"fmt"
	"strings"
)

// byteSet is a set of bytes: what a bracket expression stands for.
type byteSet [256]bool

// add adds low to high.
func (s *byteSet) add(low, high byte) {
	for c := int(low); c <= int(high); c++ {
		s[c] = true
	}
}

// String is the set as package regexp writes it.
func (s *byteSet) String() string {
	var b strings.Builder
	for c := 0; c < 256; c++ {
		if !s[c] {
			continue
		}
		low := c
		for c+1 < 256 && s[c+1] {
			c++
		}
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, low, c)
	}
	if b.Len() == 0 {
		return `[^\x{0}-\x{10ffff}]`
	}
	return "[" + b.String() + "]"
}

// class adds a character class of the C locale.
func (s *byteSet) class(name string) error {
	ranges, ok := map[string]string{
		"alpha": "AZaz", "upper": "AZ", "lower": "az", "digit": "09", "alnum": "09AZaz", "xdigit": "09AFaf",
		"space": "\t\r  ", "blank": "\t\t  ", "cntrl": "\x00\x1f\x7f\x7f", "print": " ~", "graph": "!~", "punct": "!/:@[`{~",
	}[name]
	if !ok {
		return fmt.Errorf("[:%s:] is no class of characters", name)
	}
	for i := 0; i < len(ranges); i += 2 {
		s.add(ranges[i], ranges[i+1])
	}
	return nil
}

var errOpenBracket = errors.New("a [ has no ]")

// bracket reads a bracket expression of which the bracket was read.
func (t *ere) bracket() error {
	not := strings.HasPrefix(t.in[t.pos:], "^")
	if not {
		t.pos++
	}
	var set byteSet
	for first := true; ; first = false {
		rest := t.in[t.pos:]
		switch {
		case rest == "":
			return errOpenBracket
		case rest[0] == ']' && !first:
			t.pos++
			if not {
				for c := range set {
					set[c] = !set[c]
				}
			}
			t.emit(set.String())
			return nil
		case strings.HasPrefix(rest, "[:"):
			if err := t.class(&set); err != nil {
				return err
			}
		default:
			if err := t.span(&set, first); err != nil {
				return err
			}
		}
	}
}

// class reads [:name:], which cannot begin a range.
func (t *ere) class(set *byteSet) error {
	name, rest, ok := strings.Cut(t.in[t.pos+2:], ":]")
	if !ok {
		return errOpenBracket
	}
	t.pos += len(name) + 4
	if strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, "-]") {
		return errors.New("a class of characters cannot begin a range")
	}
	return set.class(name)
}

// span reads one character, or a range of them. A hyphen can stand for itself
// at the beginning, at the end, or as an end of a range.
func (t *ere) span(set *byteSet, first bool) error {
	rest := t.in[t.pos:]
	if rest[0] == '-' && !first && !strings.HasPrefix(rest, "-]") {
		return errors.New("a - between brackets is neither first nor last nor in a range")
	}
	low, err := t.element()
	if err != nil {
		return err
	}
	high := low
	if rest = t.in[t.pos:]; strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, "-]") {
		t.pos++
		if t.pos == len(t.in) {
			return errOpenBracket
		}
		if strings.HasPrefix(t.in[t.pos:], "[:") {
			return errors.New("a class of characters cannot end a range")
		}
		if high, err = t.element(); err != nil {
			return err
		}
	}
	if high < low {
		return errors.New("a range of characters ends before it begins")
	}
	set.add(low, high)
	return nil
}

// element reads a character, or [.c.] or [=c=].
func (t *ere) element() (byte, error) {
	rest := t.in[t.pos:]
	if len(rest) < 2 || rest[0] != '[' || rest[1] != '.' && rest[1] != '=' {
		t.pos++
		return rest[0], nil
	}
	end := rest[1:2] + "]"
	if len(rest) < 5 || rest[3:5] != end {
		return 0, fmt.Errorf("[%c is not followed by one character and %s", rest[1], end)
	}
	t.pos += 5
	return rest[2], nil
}
