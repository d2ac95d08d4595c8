package supervise

import (
	"io/fs"
	"syscall"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	const none = "\x00absent"
	for _, tc := range []struct {
		text  string
		value uint64
		ok    bool
	}{
		{none, 0, false},
		{"", 0, false},
		{"\n", 0, false},
		{"0", 0, true},
		{"42\n", 42, true},
		{"42\nand more", 42, true},
		{"042", 42, true},
		{"4294967295", 4294967295, true},
		{"4294967296", 0, false},
		{" 42", 0, false},
		{"42 ", 0, false},
		{"42\r\n", 0, false},
		{"+42", 0, false},
		{"-1", 0, false},
		{"4_2", 0, false},
		{"0x10", 0, false},
	} {
		w := newWorld(nil)
		if tc.text != none {
			w.files["n"] = tc.text
		}
		warned := 0
		s := settings{w, func(string, ...any) { warned++ }}
		if n, ok := s.number("n"); n != tc.value || ok != tc.ok {
			t.Errorf("%q is %d, %v; want %d, %v", tc.text, n, ok, tc.value, tc.ok)
		}
		if want := !tc.ok && tc.text != none; (warned > 0) != want {
			t.Errorf("%q: %d warnings", tc.text, warned)
		}
	}
}

func TestSignalSetting(t *testing.T) {
	for _, tc := range []struct {
		text string
		want syscall.Signal
	}{
		{"INT", syscall.SIGINT},
		{"sigint\n", syscall.SIGINT},
		{"SigHup\nTERM", syscall.SIGHUP},
		{"9", syscall.SIGKILL},
		{"", syscall.SIGTERM},
		{"INTERRUPT", syscall.SIGTERM},
		{"0", syscall.SIGTERM},
		{"65", syscall.SIGTERM},
		{"-9", syscall.SIGTERM},
	} {
		w := newWorld(map[string]string{"down-signal": tc.text})
		s := settings{w, func(string, ...any) {}}
		if got := s.signal("down-signal", syscall.SIGTERM); got != tc.want {
			t.Errorf("%q is %v, want %v", tc.text, got, tc.want)
		}
	}
}

func TestOtherSettings(t *testing.T) {
	for _, tc := range []struct {
		file, text string
		get        func(s settings) any
		want       any
	}{
		{"max-death-tally", "", func(s settings) any { return s.tally() }, 100},
		{"max-death-tally", "0", func(s settings) any { return s.tally() }, 0},
		{"max-death-tally", "9999", func(s settings) any { return s.tally() }, 4096},
		{"max-death-tally", "7\n", func(s settings) any { return s.tally() }, 7},
		{"notification-fd", "3", func(s settings) any { return s.notifyFD() }, 3},
		{"notification-fd", "0", func(s settings) any { return s.notifyFD() }, 0},
		{"notification-fd", "4000000000", func(s settings) any { return s.notifyFD() }, 0},
		{"timeout-kill", "4294967295", func(s settings) any { return s.millis("timeout-kill", 0) }, 4294967295 * time.Millisecond},
		{"backoff", "1 4294967295", func(s settings) any { return s.pace() }, pace{time.Millisecond, 4294967295 * time.Millisecond}},
	} {
		w := newWorld(map[string]string{tc.file: tc.text})
		if got := tc.get(settings{w, func(string, ...any) {}}); got != tc.want {
			t.Errorf("%s %q is %v, want %v", tc.file, tc.text, got, tc.want)
		}
	}
}

// A file that is there and cannot be read counts as absent, and is told.
func TestSettingUnreadable(t *testing.T) {
	w := newWorld(map[string]string{"timeout-kill": "1"})
	w.broken["timeout-kill"] = fs.ErrPermission
	warned := 0
	s := settings{w, func(string, ...any) { warned++ }}
	if d := s.millis("timeout-kill", time.Hour); d != time.Hour || warned != 1 {
		t.Errorf("%v with %d warnings", d, warned)
	}
}
