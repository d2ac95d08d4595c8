// Package getopt reads short options as getopt(3) does.
package getopt

import "strings"

// Parser reads words one option at a time.
type Parser struct {
	Options   string   // letters, each with a colon if it takes a value
	Words     []string // those to read, and in the end those that are left
	Permuting bool     // finds options behind other words too, as in the GNU library

	skipped []string
	cluster string // letters of a word that are left
}

// Next is the next option. A letter of 0 is one that is unknown or lacks its value.
// When there is none any more, Words are the rest.
func (g *Parser) Next() (letter byte, value string, ok bool) {
	for g.cluster == "" {
		if len(g.Words) == 0 {
			return g.end()
		}
		word := g.Words[0]
		switch {
		case word == "--":
			g.Words = g.Words[1:]
			return g.end()
		case len(word) > 1 && word[0] == '-':
			g.cluster, g.Words = word[1:], g.Words[1:]
		case g.Permuting:
			g.skipped, g.Words = append(g.skipped, word), g.Words[1:]
		default:
			return g.end()
		}
	}
	letter, g.cluster = g.cluster[0], g.cluster[1:]
	at := strings.IndexByte(g.Options, letter)
	if at < 0 || letter == ':' {
		return 0, "", true
	}
	if !strings.HasPrefix(g.Options[at+1:], ":") {
		return letter, "", true
	}
	if g.cluster != "" {
		value, g.cluster = g.cluster, ""
		return letter, value, true
	}
	if len(g.Words) == 0 {
		return 0, "", true
	}
	value, g.Words = g.Words[0], g.Words[1:]
	return letter, value, true
}

func (g *Parser) end() (byte, string, bool) {
	g.Words, g.skipped = append(g.skipped, g.Words...), nil
	return 0, "", false
}
