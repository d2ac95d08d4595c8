package svscancmd

import (
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	for _, tc := range []struct {
		args string
		want options
	}{
		{"", options{}},
		{"/run/service", options{dir: "/run/service"}},
		{"-d 3 dir", options{ready: 3, dir: "dir"}},
		{"-d3 -X4 dir", options{ready: 3, console: 4, dir: "dir"}},
		{"-t 250", options{rescan: 250 * time.Millisecond}},
		{"-t 0", options{}},
		{"-C 20 -L 30", options{max: 20, maxName: 30}},
		{"-c 20", options{max: 20}},                // as it was called before s6 2.12
		{"-C 0 -L 0", options{max: 1, maxName: 1}}, // 0 is not the default, but the least there is
		{"-G 0", options{hasGroup: true}},
		{"-G 1000", options{hasGroup: true, group: 1000}},
		{"-- -d", options{dir: "-d"}},
		{"- ", options{dir: "-"}},
		{"--help", options{help: true}},
		{"-d 3 -h -Z", options{ready: 3, help: true}}, // nothing counts after it
	} {
		got, err := parseOptions(strings.Fields(tc.args))
		if err != nil || got != tc.want {
			t.Errorf("%q: %+v, %v; want %+v", tc.args, got, err, tc.want)
		}
	}
}

// What is wrong says where help is.
func TestWrongOptions(t *testing.T) {
	for _, args := range []string{
		"-Z", "--version", "-d", "-d x", "-d -1", "-d 0", "-d 2", "-X 1", "-t", "-t 1.5", "-t 99999999999", "-C many", "-L ''", "-G staff",
		"one two", "-- one two", "one -d 3",
	} {
		o, err := parseOptions(strings.Fields(args))
		if err == nil || !strings.HasSuffix(err.Error(), seeHelp) {
			t.Errorf("%q: %+v, %v", args, o, err)
		}
	}
}

// The help names every option that there is, and no other.
func TestHelpNamesOptions(t *testing.T) {
	for letter := 'A'; letter <= 'z'; letter++ {
		_, err := parseOptions([]string{"-" + string(letter), "10"})
		there := err == nil && letter != 'h' && letter != 'c'
		if told := strings.Contains(About, "\n  -"+string(letter)+" "); told != there {
			t.Errorf("-%c: the help has it: %v; there is such an option: %v", letter, told, there)
		}
	}
}
