package hermes

import (
	"errors"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// DefaultCommand is the template of a gateway's command.
const DefaultCommand = "hermes {-p} gateway run"

// GatewayCommand makes the argv of a profile's gateway from a template; an
// empty template stands for DefaultCommand.
//
// The rule is simple on purpose: words are separated by spaces, tabs and line
// ends; what stands in single or double quotes belongs to one word as it is;
// nothing else is special, there are no escapes and no expansions. The word
// {-p} becomes the two words -p and the profile's name, and no word at all for
// the root profile. {profile} and {home} inside a word become the profile's
// name and its directory.
func GatewayCommand(template string, home Home, p ProfileName) ([]string, error) {
	if strings.TrimSpace(template) == "" {
		template = DefaultCommand
	}
	words, err := splitWords(template)
	if err != nil {
		return nil, &servicemanager.SpecError{Field: "HERMES_GATEWAY_COMMAND", Value: template, Reason: err.Error()}
	}
	fill := strings.NewReplacer("{profile}", p.s, "{home}", home.Of(p))
	var argv []string
	for _, w := range words {
		switch {
		case w != "{-p}":
			argv = append(argv, fill.Replace(w))
		case !p.IsDefault():
			argv = append(argv, "-p", p.s)
		}
	}
	return argv, nil
}

func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote byte
	open := false // a word has begun, if only with an empty pair of quotes
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case strings.IndexByte(" \t\r\n", c) >= 0:
			if open {
				words = append(words, word.String())
				word.Reset()
			}
			open = false
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, errors.New("has a quote that is not closed")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}
