package logdir

import (
	"regexp"
	"unicode/utf8"
)

// pattern is a POSIX extended regular expression. It is matched byte by byte,
// as the C locale has it: text is not assumed to be UTF-8.
type pattern struct{ re *regexp.Regexp }

// compile translates an expression: regexp has another syntax, and works on
// characters. So that it works on bytes, each byte stands for the character of
// the same number, in the expression and, by inLatin1, in the text.
func compile(expr string) (*pattern, error) {
	t := ere{in: expr}
	if err := t.translate(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile("(?s)" + t.out.String())
	if err != nil {
		return nil, err
	}
	return &pattern{re}, nil
}

// matches looks into text that inLatin1 has prepared.
func (p *pattern) matches(text []byte) bool { return p.re.Match(text) }

// inLatin1 returns text with each byte as one character. It uses scratch if it
// has to, and returns that for the next time.
func inLatin1(text, scratch []byte) (ready, again []byte) {
	if isASCII(text) {
		return text, scratch
	}
	scratch = scratch[:0]
	for _, b := range text {
		scratch = utf8.AppendRune(scratch, rune(b))
	}
	return scratch, scratch
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
