package logread

import (
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

const localLayout = "2006-01-02 15:04:05.000000000  "

func TestStamp(t *testing.T) {
	east := time.FixedZone("east", 2*3600)
	tests := []struct {
		name string
		line string
		want time.Time // zero: no stamp
	}{
		{name: "label", line: "@400000006b0578bf0045f5f4 text", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "label alone", line: "@400000006b0578bf0045f5f4 ", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "both", line: "@400000006b0578bf0045f5f4 2020-01-01 00:00:00.000000000  text", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "local", line: "2026-11-24 13:44:26.004584948  text", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "local alone", line: "2026-11-24 13:44:26.004584948  ", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "leap second", line: "2016-12-31 23:59:60.500000000  text", want: time.Date(2016, 12, 31, 22, 0, 0, 5e8, time.UTC)},
		{name: "empty", line: ""},
		{name: "text", line: "listening on port 8080, all interfaces"},
		{name: "label without space", line: "@400000006b0578bf0045f5f4"},
		{name: "label and tab", line: "@400000006b0578bf0045f5f4\ttext"},
		{name: "label, no digit", line: "@400000006b0578bf0045f5fx text of a line"},
		{name: "label out of range", line: "@ffffffffffffffff00000000 text of a line"},
		{name: "local, one space", line: "2026-11-24 13:44:26.004584948 text"},
		{name: "local, T", line: "2026-11-24T13:44:26.004584948  text"},
		{name: "local, milliseconds", line: "2026-11-24 13:44:26.004  text of a line"},
		{name: "month 13", line: "2026-13-24 13:44:26.004584948  text"},
		{name: "February 30", line: "2026-02-30 13:44:26.004584948  text"},
		{name: "hour 24", line: "2026-11-24 24:44:26.004584948  text"},
		{name: "second 61", line: "2026-11-24 13:44:61.004584948  text"},
		{name: "sign", line: "+026-11-24 13:44:26.004584948  text"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := stamps{loc: east}
			for range 2 { // the second time from memory
				at, ok := s.parse([]byte(tc.line))
				if ok == tc.want.IsZero() || !at.Equal(tc.want) {
					t.Errorf("got %v, %v, want %v", at, ok, tc.want)
				}
			}
		})
	}
}

// When summer time ended, 02:30 came twice: what is written then may be of the
// second time.
func TestStampOfHourThatComesTwice(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone data: ", err)
	}
	s := stamps{loc: zone}
	at, ok := s.parse([]byte("2025-10-26 02:30:00.000000000  x"))
	if want := time.Date(2025, 10, 26, 1, 30, 0, 0, time.UTC); !ok || !at.Equal(want) {
		t.Errorf("got %v, %v, want %v", at.UTC(), ok, want)
	}
	at, ok = s.parse([]byte("2025-10-26 01:59:59.000000000  x"))
	if want := time.Date(2025, 10, 25, 23, 59, 59, 0, time.UTC); !ok || !at.Equal(want) {
		t.Errorf("the hour before: got %v, %v, want %v", at.UTC(), ok, want)
	}
}

func FuzzStamp(f *testing.F) {
	for _, line := range []string{
		"", "@", "text", "@400000006b0578bf0045f5f4 text", "2026-11-24 13:44:26.004584948  text",
		"@400000006b0578bf0045f5f4 2026-11-24 13:44:26.004584948  ", "2016-12-31 23:59:60.500000000  ",
		"0001-01-01 00:00:00.000000000  ", "9999-12-31 23:59:60.999999999  ",
	} {
		f.Add([]byte(line), []byte(line))
	}
	f.Fuzz(func(t *testing.T, before, line []byte) {
		s := stamps{loc: time.UTC}
		s.parse(before)
		at, ok := s.parse(line)
		fresh := stamps{loc: time.UTC}
		if again, aok := fresh.parse(line); aok != ok || !again.Equal(at) {
			t.Fatalf("%q is %v, %v after %q, else %v, %v", line, at, ok, before, again, aok)
		}
		if !ok {
			return
		}
		if line[0] == '@' {
			if want, err := tai.Parse(string(line[:labelLen])); err != nil || !want.Equal(at) {
				t.Fatalf("%q is %v, want %v, %v", line, at, want, err)
			}
			return
		}
		// The leap second, 60, goes into the next minute.
		if text := at.Format(localLayout); text != string(line[:localStampLen]) && string(line[17:19]) != "60" {
			t.Fatalf("%q is %v", line, text)
		}
	})
}
