package maincmd

import (
	"reflect"
	"strings"
	"testing"
)

// R63, R64, R73: the words of docker run, and what they become where sh, sleep and
// login are programs.
func TestR63R64R73_Words(t *testing.T) {
	programs := func(word string) bool {
		return strings.Contains(word, "/") || word == "sh" || word == "sleep" || word == "login" || word == "hermes" || word == "-x"
	}
	for _, tc := range [][2]string{
		{"", "hermes"},
		{"chat|-q|a b", "hermes|chat|-q|a b"},
		{"sleep|infinity", "sleep|infinity"},
		{"sh|-c|exit 42", "sh|-c|exit 42"},
		{"/bin/absent|x", "/bin/absent|x"},
		{"--version", "hermes|--version"},
		{"--tui", "hermes|--tui"},
		{"-x", "hermes|-x"},
		{"-p|coder|chat", "hermes|-p|coder|chat"},
		{"login", "hermes|login"}, // R73: a subcommand, and a program too
		{"--exec|login|-f", "login|-f"},
		{"--exec", "hermes|--exec"},
		{"hermes|chat", "hermes|chat"},
		{"new-subcommand|x", "hermes|new-subcommand|x"},
		{"|x", "hermes||x"},
	} {
		words := strings.Split(tc[0], "|")
		if tc[0] == "" {
			words = nil
		}
		if got := strings.Join(argv(words, programs), "|"); got != tc[1] {
			t.Errorf("%q: %q, want %q", tc[0], got, tc[1])
		}
	}
}

func TestR74_GatewayRun(t *testing.T) {
	for words, want := range map[string]*gateway{
		"gateway run":                                     {},
		"hermes gateway run":                              {},
		"-p coder gateway run":                            {profile: "coder"},
		"--profile coder gateway run":                     {profile: "coder"},
		"hermes --profile=coder gateway run --replace -v": {profile: "coder", options: []string{"--replace", "-v"}},
		"gateway":                   nil,
		"gateway start":             nil,
		"gateway run --help":        nil,
		"chat gateway run":          nil,
		"--tui":                     nil,
		"--tui gateway run":         nil,
		"-p coder":                  nil,
		"hermes":                    nil,
		"sh -c gateway run":         nil,
		"-p":                        nil,
		"hermes hermes gateway run": nil,
	} {
		g, ok := gatewayRun(strings.Fields(words))
		if ok != (want != nil) || ok && (g.profile != want.profile || strings.Join(g.options, " ") != strings.Join(want.options, " ")) {
			t.Errorf("%q: %+v %v, want %+v", words, g, ok, want)
		}
	}
	if _, ok := gatewayRun(nil); ok {
		t.Error("no words are a gateway")
	}
}

// Opt-outs are exactly these; anything else is none.
func TestR74R26_OptOut(t *testing.T) {
	for _, tc := range []struct {
		options, variable string
		want              bool
	}{
		{"", "", true},
		{"--no-supervise", "", false},
		{"-v --no-supervise", "", false},
		{"", "HERMES_GATEWAY_NO_SUPERVISE=1", false},
		{"", "HERMES_GATEWAY_NO_SUPERVISE=TRUE", false},
		{"", "HERMES_GATEWAY_NO_SUPERVISE=Yes", false},
		{"", "HERMES_GATEWAY_NO_SUPERVISE=0", true},
		{"", "HERMES_GATEWAY_NO_SUPERVISE=on", true},
		{"", "HERMES_GATEWAY_NO_SUPERVISE=yes ", true},
		{"", "HERMES_SUPERVISED_CHILD=1", false},
		{"", "HERMES_S6_SUPERVISED_CHILD=1", false},
	} {
		getenv := func(name string) string {
			if key, value, _ := strings.Cut(tc.variable, "="); key == name {
				return value
			}
			return ""
		}
		if got := (gateway{options: strings.Fields(tc.options)}).mayBeSupervised(getenv); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

func TestSubcommandsAreWords(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range subcommands {
		if seen[name] || strings.HasPrefix(name, "-") {
			t.Errorf("%q is there twice, or no name", name)
		}
		seen[name] = true
	}
	if got := argv([]string{"gateway", "status"}, func(string) bool { return true }); !reflect.DeepEqual(got, []string{"hermes", "gateway", "status"}) {
		t.Errorf("%q", got)
	}
}
