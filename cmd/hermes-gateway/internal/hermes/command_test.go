package hermes

import (
	"slices"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestR14_GatewayCommand(t *testing.T) {
	home := Home{"/h"}
	for _, tc := range []struct {
		name, template, profile string
		want                    []string // nil is refused
	}{
		{"default template", "", "coder", []string{"hermes", "-p", "coder", "gateway", "run"}},
		{"root profile has no -p", "", "default", []string{"hermes", "gateway", "run"}},
		{"blanks only", " \t ", "default", []string{"hermes", "gateway", "run"}},
		{"profile and home", "run {profile} --dir={home}", "coder", []string{"run", "coder", "--dir=/h/profiles/coder"}},
		{"home of the root profile", "run {home}", "default", []string{"run", "/h"}},
		{"single quotes", "a 'b c' d", "coder", []string{"a", "b c", "d"}},
		{"double quotes inside a word", `a x"b c"y`, "coder", []string{"a", "xb cy"}},
		{"quotes in quotes", `a "it's"`, "coder", []string{"a", "it's"}},
		{"empty word", "a '' b", "coder", []string{"a", "", "b"}},
		{"no escapes", `a b\ c`, "coder", []string{"a", `b\`, "c"}},
		{"no expansion", "a $HOME `b` *", "coder", []string{"a", "$HOME", "`b`", "*"}},
		{"line ends", "a\nb\r\nc", "coder", []string{"a", "b", "c"}},
		{"open quote", "a 'b", "coder", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := GatewayCommand(tc.template, home, profile(t, tc.profile))
			if (err == nil) != (tc.want != nil) || !slices.Equal(got, tc.want) {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestGatewaySpec(t *testing.T) {
	home := makeHome(t, "coder")
	spec := GatewaySpec(home, profile(t, "coder"), []string{"/bin/hermes"})
	if spec.Name != "gateway-coder" || spec.Dir != home.Of(profile(t, "coder")) || !spec.Down {
		t.Errorf("name %q, directory %q, down %v", spec.Name, spec.Dir, spec.Down)
	}
	if spec.Restart != servicemanager.RestartOnFailure || !slices.Equal(spec.FatalExitCodes, []int{78}) {
		t.Errorf("policy %v, fatal %v", spec.Restart, spec.FatalExitCodes)
	}
	if spec.Env["HERMES_HOME"] != home.Dir() || spec.Env["HERMES_SUPERVISED_CHILD"] != "1" || spec.Env["HERMES_S6_SUPERVISED_CHILD"] != "1" {
		t.Errorf("environment %v", spec.Env)
	}
	if want := home.GatewayLogs(profile(t, "coder")); spec.Log.Dir != want {
		t.Errorf("logs go to %q, want %q", spec.Log.Dir, want)
	}
}
