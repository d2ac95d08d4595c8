// Package execline reads command lines as they are written for execlineb, as far as
// they are one program and its arguments. It knows no blocks.
package execline

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrBlock says that a text is more than one program: only execlineb can run it.
var ErrBlock = errors.New("it has a block")

// Words splits a text as execlineb does: blanks and newlines part words, double quotes
// join them, a backslash takes the next character as it is or, in quotes, makes one of
// it, and # begins a comment where a word could begin.
//
// Errors: ErrBlock, and a text that does not end well.
//
// Source: the page execlineb(1); execline src/execline/el_parse.c and execlineb.c.
func Words(text string) ([]string, error) {
	var words []string
	for {
		text = strings.TrimLeft(text, " \t\n\r")
		switch {
		case text == "":
			return words, nil
		case text[0] == '#':
			_, text, _ = strings.Cut(text, "\n")
			continue
		}
		word, bare, rest, err := next(text)
		if err != nil {
			return nil, err
		}
		if bare && (word == "{" || word == "}") {
			return nil, ErrBlock
		}
		words, text = append(words, word), rest
	}
}

// next takes a word; bare says that nothing of it was quoted.
func next(text string) (word string, bare bool, rest string, err error) {
	var b strings.Builder
	bare = true
	for text != "" {
		c := text[0]
		switch {
		case strings.IndexByte(" \t\n\r", c) >= 0:
			return b.String(), bare, text, nil
		case c == '"':
			bare = false
			if text, err = quoted(text[1:], &b); err != nil {
				return "", false, "", err
			}
		case c == '\\':
			bare = false
			if len(text) == 1 {
				return "", false, "", errors.New("it ends with a backslash")
			}
			if text[1] != '\n' { // that joins lines
				b.WriteByte(text[1])
			}
			text = text[2:]
		default:
			b.WriteByte(c)
			text = text[1:]
		}
	}
	return b.String(), bare, "", nil
}

// made are the characters that a backslash makes in quotes.
var made = map[byte]byte{'a': 7, 'b': 8, 't': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13}

// quoted takes what comes up to the closing quote.
func quoted(text string, b *strings.Builder) (rest string, err error) {
	for text != "" {
		c := text[0]
		text = text[1:]
		if c == '"' {
			return text, nil
		}
		if c != '\\' || text == "" {
			b.WriteByte(c)
			continue
		}
		c, text = text[0], text[1:]
		switch m, ok := made[c]; {
		case ok:
			b.WriteByte(m)
		case c == '\n':
		case c == '0' && len(text) > 2 && text[0] == 'x':
			n, err := strconv.ParseUint(text[1:3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("\\0x%s is no character", text[1:3])
			}
			b.WriteByte(byte(n))
			text = text[3:]
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("a double quote is not closed")
}
