package execline

import (
	"errors"
	"slices"
	"testing"
)

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                    nil,
		"# nothing\n":                         nil,
		"/bin/prepare --all\n":                {"/bin/prepare", "--all"},
		"  a\tb \n c # the rest\nd#e":         {"a", "b", "c", "d#e"},
		`sh -c "echo \"two  words\"\n" ""`:    {"sh", "-c", "echo \"two  words\"\n", ""},
		`a\ b "\0x41\t\\" x"y z"`:             {"a b", "A\t\\", "xy z"},
		"a\\\nb \"c\\\nd\"":                   {"ab", "cd"},
		`with-contenv sh /script "{" \{ ${V}`: {"with-contenv", "sh", "/script", "{", "{", "${V}"},
	} {
		got, err := Words(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"if { true } b", "a {\n}", "}"} {
		if got, err := Words(text); !errors.Is(err, ErrBlock) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`a "b`, `a \`, `"\0xzz"`} {
		if got, err := Words(text); err == nil || errors.Is(err, ErrBlock) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
