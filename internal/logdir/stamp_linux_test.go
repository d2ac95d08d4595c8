package logdir

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

func TestStamps(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for _, tc := range []struct {
		name string
		at   time.Time
		want []string // of two lines
	}{
		{"", time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC),
			[]string{"@400000006b0578bf0045f5f4 2026-11-24 13:44:26.004584948  ", "@400000006b0578bf0045f5f5 2026-11-24 13:44:26.004584949  "}},
		{"into the next second", time.Date(2026, 12, 31, 21, 59, 59, 999999999, time.UTC),
			[]string{"@400000006b36d0843b9ac9ff 2026-12-31 23:59:59.999999999  ", "@400000006b36d08500000000 2027-01-01 00:00:00.000000000  "}},
		{"before 1970", time.Date(1969, 12, 31, 22, 0, 0, 5, time.UTC),
			[]string{"@3fffffffffffe3ea00000005 1970-01-01 00:00:00.000000005  ", "@3fffffffffffe3ea00000006 1970-01-01 00:00:00.000000006  "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stamper{zone: zone}
			s.begin(tc.at)
			for i, want := range tc.want {
				if got := string(s.local(s.label(nil))); got != want {
					t.Errorf("line %d: %q, want %q", i+1, got, want)
				}
				s.step()
			}
		})
	}
}

// Local times are those of s6-log, whatever kind of zone TZ names.
func TestLocalTimeAsS6Log(t *testing.T) {
	s6log := s6test.Tool(t, "s6-log")
	for _, tz := range []string{
		"UTC", "", "Europe/Berlin", ":America/New_York", "CET-1CEST,M3.5.0,M10.5.0/3", "UTC-3", "<+0545>-5:45", "EST5EDT", "XYZ9ABC,M1.1.0,M6.1.0", "nonsense", "A",
	} {
		t.Run(tz, func(t *testing.T) {
			t.Setenv("TZ", tz)
			cmd := exec.Command(s6log, "t", "T", "1")
			cmd.Stdin = strings.NewReader("x\n")
			out, err := cmd.Output()
			must(t, err)
			label, rest, _ := strings.Cut(string(out), " ")
			at, err := tai.Parse(label)
			must(t, err)
			s := stamper{zone: LocalZone()}
			s.begin(at)
			if got := string(s.local(nil)) + "x\n"; got != rest {
				t.Errorf("got %q, s6-log %q", got, rest)
			}
		})
	}
}

func TestRuleChangesWithTheSeason(t *testing.T) {
	t.Setenv("TZ", "AAA-1BBB,M3.5.0,M10.5.0/3")
	zone := LocalZone()
	for _, tc := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), "2026-01-01 13:00:00.000000000  "},
		{time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), "2026-07-01 14:00:00.000000000  "},
		{time.Date(2026, 10, 25, 0, 59, 59, 0, time.UTC), "2026-10-25 02:59:59.000000000  "},
		{time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), "2026-10-25 02:00:00.000000000  "},
	} {
		s := stamper{zone: zone}
		s.begin(tc.at)
		if got := string(s.local(nil)); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

// Stamps tell the order of lines, also of those that come at once.
func TestStampsRise(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := openWords(t, "t T "+dir, Options{})
	for range 10 {
		must(t, l.Write(bytes.Repeat([]byte("x\n"), 1000)))
	}
	must(t, l.Close())
	lines := strings.SplitAfter(content(t, dir), "\n")
	lines = lines[:len(lines)-1]
	if len(lines) != 10000 || !slices.IsSorted(lines) || len(slices.Compact(lines)) != len(lines) {
		t.Errorf("%d lines, not all in order and different", len(lines))
	}
	if !regexp.MustCompile(`^@[0-9a-f]{24} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  x\n$`).MatchString(lines[0]) {
		t.Errorf("%q", lines[0])
	}
}

// What goes elsewhere than to directories.
func TestOtherActions(t *testing.T) {
	var out, alerts bytes.Buffer
	l := openWords(t, "pp 2 p - +^b 1 f T 1", Options{Stdout: &out, Stderr: &alerts})
	long := strings.Repeat("x", 203)
	must(t, l.Write([]byte("a\nb\n"+long+"\n"+long+"y\n")))
	want := "s6-log: alert: p a\ns6-log: alert: p b\ns6-log: alert: p " + long + "\ns6-log: alert: p " + long[:200] + "...\n"
	if alerts.String() != want {
		t.Errorf("alerts %q, want %q", alerts.String(), want)
	}
	if out.String() != "b\n" {
		t.Errorf("output %q", out.String())
	}
}

type broken struct{ writes int }

var errBroken = errors.New("broken")

func (b *broken) Write([]byte) (int, error) { b.writes++; return 0, errBroken }

func TestBrokenStdout(t *testing.T) {
	var warnings []error
	var out broken
	dir := filepath.Join(t.TempDir(), "log")
	l := openWords(t, "1 "+dir, Options{Stdout: &out, Warn: func(err error) { warnings = append(warnings, err) }})
	for range 3 {
		must(t, l.Write([]byte("a\n")))
	}
	if out.writes != 1 || len(warnings) != 1 || !errors.Is(warnings[0], errBroken) || content(t, dir) != "a\na\na\n" {
		t.Errorf("%d writes, warnings %v, %q", out.writes, warnings, content(t, dir))
	}
}
