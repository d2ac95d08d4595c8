package logcmd

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	base := options{lineLimit: 8192, lastLine: 2 * time.Second, verbosity: 1}
	with := func(change func(*options)) options {
		o := base
		change(&o)
		return o
	}
	for _, tc := range []struct {
		name string
		args string
		want options
	}{
		{"none", "n5 ./d", with(func(o *options) { o.directives = []string{"n5", "./d"} })},
		{"flags", "-bp -q -q -v 1", with(func(o *options) {
			o.block, o.protect, o.directives = true, true, []string{"1"}
		})},
		{"values", "-d3 -l 100 -bt50 1", with(func(o *options) {
			o.notify, o.lineLimit, o.block, o.lastLine, o.directives = 3, 100, true, 50*time.Millisecond, []string{"1"}
		})},
		{"no limits", "-l0 -t0 1", with(func(o *options) { o.lineLimit, o.lastLine, o.directives = -1, 0, []string{"1"} })},
		{"least limit", "-l1 1", with(func(o *options) { o.lineLimit, o.directives = 48, []string{"1"} })},
		{"directives like options", "-b -- -b 1", with(func(o *options) { o.block, o.directives = true, []string{"-b", "1"} })},
		{"a dash alone is a directive", "- +x 1", with(func(o *options) { o.directives = []string{"-", "+x", "1"} })},
		{"help", "--help", with(func(o *options) { o.help = true })},
		{"help, short", "-bh", with(func(o *options) { o.block, o.help, o.directives = true, true, []string{} })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseOptions(strings.Fields(tc.args))
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
	for args, want := range map[string]string{
		"-x 1": "unknown option -x", "-l": "-l needs a number", "-lx 1": `"x" is none`, "-d 2 1": "must be 3 or more",
		"-d -1 1": "needs a number", "--verbose 1": "unknown option --", "-error 1": "a directive that needs -- before it",
	} {
		if _, err := parseOptions(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
