package container

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func hermesRig(t *testing.T) rig {
	t.Helper()
	t.Parallel()
	return hermesOn(t, chosen())
}

func hermesOn(t *testing.T, c choice) rig {
	t.Helper()
	s, err := hermesImage()
	must(t, err)
	return on(t, c, s)
}

// told is what the stand-in tells of how it was run.
type told struct {
	Argv       []string
	Dir, Home  string
	HermesHome string `json:"hermes_home"`
	UID, GID   int
	Groups     []int
	Terminal   bool
	Columns    int
	Foreground bool
	NoNewPrivs bool `json:"no_new_privs"`
}

func tellOf(t testing.TB, r result) told {
	t.Helper()
	var said told
	if json.Unmarshal([]byte(strings.TrimSpace(r.out)), &said) != nil {
		t.Fatalf("hermes was not run: %+v", r)
	}
	return said
}

// R63, R64, R62, R72, R73: the patterns of docker run, through the entrypoint of the
// image. What is no answer of the program is on standard error, and there is none.
func TestR63_Invocations(t *testing.T) {
	r := hermesRig(t)
	for name, tc := range map[string]struct {
		o     options
		words []string
		argv  []string // of hermes; nil: it is not run
		out   string
		code  int
	}{
		"nothing":      {argv: []string{"hermes"}},
		"subcommand":   {o: options{dir: "/tmp"}, words: []string{"chat", "-q", "a  b", ""}, argv: []string{"hermes", "chat", "-q", "a  b", ""}},
		"program too":  {words: []string{"login"}, argv: []string{"hermes", "login"}},
		"its code":     {o: options{env: []string{"HERMES_STANDIN_EXIT=78"}}, words: []string{"status"}, argv: []string{"hermes", "status"}, code: 78},
		"program":      {words: []string{"sh", "-c", "echo it; exit 42"}, out: "it\n", code: 42},
		"by a signal":  {words: []string{"sh", "-c", "kill -9 $$"}, code: 137},
		"leading dash": {words: []string{"--version"}, out: "a stand-in for hermes, as --version asks\n"},
		"no path":      {words: []string{"/bin/absent"}, code: 127},
		"root":         {o: options{user: "0"}, argv: []string{"hermes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := r.run(tc.o, tc.words...)
			if got.code != tc.code || got.err != "" && tc.code != 127 || tc.argv == nil && got.out != tc.out {
				t.Fatalf("%+v", got)
			}
			if tc.argv == nil {
				return
			}
			want := told{Argv: tc.argv, Dir: "/", Home: "/opt/data", HermesHome: "/opt/data", UID: 10000, GID: 10000, Groups: []int{10000}, NoNewPrivs: true}
			if tc.o.dir != "" {
				want.Dir = tc.o.dir
			}
			said := tellOf(t, got)
			if said.Groups == nil { // no supplementary ones: its own is one by itself
				said.Groups = []int{said.GID}
			}
			if !reflect.DeepEqual(said, want) {
				t.Errorf("%+v", said)
			}
		})
	}
}

func TestR68_Terminal(t *testing.T) {
	said := tellOf(t, hermesRig(t).run(options{terminal: true}, "--tui"))
	if !reflect.DeepEqual(said.Argv, []string{"hermes", "--tui"}) || !said.Terminal || said.Columns != 80 || !said.Foreground {
		t.Errorf("%+v", said)
	}
}

// R74: the gateway is the container's program, with its exit code, where somebody
// wants that.
func TestR74_NoSupervise(t *testing.T) {
	r := hermesRig(t)
	for code, o := range map[int]options{
		75: {env: []string{"HERMES_STANDIN_EXIT=75"}},
		1:  {env: []string{"HERMES_STANDIN_EXIT=1", "HERMES_GATEWAY_NO_SUPERVISE=TRUE"}},
	} {
		words := []string{"gateway", "run"}
		if code == 75 {
			words = append(words, "--no-supervise")
		}
		if got := r.run(o, words...); got.code != code || strings.Contains(got.err, "supervision") {
			t.Errorf("%d: %+v", code, got)
		}
	}
}

// Where a tree is to be and cannot, as nothing can be written, nobody is left to
// believe that the gateway runs.
func TestR74_NoTree(t *testing.T) {
	got := hermesRig(t).run(options{bare: true}, "gateway", "run")
	if got.code != 1 || !strings.Contains(got.err, "/run/service") || !strings.Contains(got.err, "no supervision tree has come within 10s") ||
		!strings.Contains(got.err, "--no-supervise") || strings.Contains(got.out, "gateway default is up") {
		t.Errorf("%+v", got)
	}
}
