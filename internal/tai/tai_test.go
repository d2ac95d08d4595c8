package tai

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestFormatParse(t *testing.T) {
	tests := []struct {
		name string
		at   time.Time
		text string
	}{
		{name: "Unix epoch is + 10", at: time.Unix(0, 0), text: "@400000000000000a00000000"},
		{name: "before the epoch", at: time.Unix(-11, 5), text: "@3fffffffffffffff00000005"},
		{name: "last second of + 10", at: time.Date(1972, 6, 30, 23, 59, 59, 0, time.UTC), text: "@4000000004b2580900000000"},
		{name: "first second of + 11", at: time.Date(1972, 7, 1, 0, 0, 0, 0, time.UTC), text: "@4000000004b2580b00000000"},
		{name: "last second of + 36", at: time.Date(2016, 12, 31, 23, 59, 59, 999999999, time.UTC), text: "@40000000586846a33b9ac9ff"},
		{name: "first second of + 37", at: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), text: "@40000000586846a500000000"},
		{name: "written by s6 2.11.3.2", at: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC), text: "@400000006b0578bf0045f5f4"},
		{name: "other zone", at: time.Date(2017, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), text: "@40000000586846a500000000"},
		{name: "first", at: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), text: "@3ffffff1886e090b00000000"},
		{name: "last", at: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), text: "@4000003afff441a400000000"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := Format(tc.at); got != tc.text {
				t.Errorf("Format: got %s, want %s", got, tc.text)
			}
			got, err := Parse(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(tc.at) {
				t.Errorf("Parse: got %v, want %v", got, tc.at)
			}
			if got.Location() != time.UTC {
				t.Errorf("Parse: location %v, want UTC", got.Location())
			}
		})
	}
}

// announced is the table of leap seconds as the calendar has it: the first of a month.
var announced = []struct {
	year  int
	month time.Month
}{
	{1972, 7}, {1973, 1}, {1974, 1}, {1975, 1}, {1976, 1}, {1977, 1}, {1978, 1}, {1979, 1}, {1980, 1},
	{1981, 7}, {1982, 7}, {1983, 7}, {1985, 7}, {1988, 1}, {1990, 1}, {1991, 1}, {1992, 7}, {1993, 7},
	{1994, 7}, {1996, 1}, {1997, 7}, {1999, 1}, {2006, 1}, {2009, 1}, {2012, 7}, {2015, 7}, {2017, 1},
}

func TestLeapSeconds(t *testing.T) {
	if len(announced) != len(leaps) {
		t.Fatalf("table of %d, want %d", len(leaps), len(announced))
	}
	for i, m := range announced {
		after := time.Date(m.year, m.month, 1, 0, 0, 0, 0, time.UTC)
		t.Run(after.Format(time.DateOnly), func(t *testing.T) {
			label := func(at time.Time) uint64 { return binary.BigEndian.Uint64(Append(nil, at)) }
			base := 1<<62 + 10 + uint64(after.Unix())
			if got, want := label(after.Add(-time.Second)), base-1+uint64(i); got != want {
				t.Errorf("23:59:59: label %#x, want %#x", got, want)
			}
			if got, want := label(after), base+uint64(i+1); got != want {
				t.Errorf("00:00:00: label %#x, want %#x", got, want)
			}
			leap := binary.BigEndian.AppendUint64(nil, base+uint64(i))
			leap = binary.BigEndian.AppendUint32(leap, 250e6)
			if got, err := Decode(leap); err != nil || !got.Equal(after.Add(250*time.Millisecond)) {
				t.Errorf("23:59:60: got %v, %v; want the second after", got, err)
			}
			for _, at := range []time.Time{after.Add(-time.Second), after, after.Add(time.Second)} {
				if got, err := Decode(Append(nil, at)); err != nil || !got.Equal(at) {
					t.Errorf("%v: back comes %v, %v", at, got, err)
				}
			}
		})
	}
}

func TestAppend(t *testing.T) {
	got := Append([]byte("before"), time.Unix(0, 1))
	if want := "before\x40\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x01"; string(got) != want {
		t.Errorf("got %x, want %x", got, want)
	}
	now := time.Now()
	if back, err := Decode(Append(nil, now)); err != nil || !back.Equal(now) {
		t.Errorf("%v became %v, %v", now, back, err)
	}
}

func TestAppendWithoutLabel(t *testing.T) {
	tests := []struct {
		name string
		at   time.Time
	}{
		{name: "zero", at: time.Time{}},
		{name: "second of zero", at: time.Time{}.Add(time.Second - 1)},
		{name: "year 0", at: time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)},
		{name: "year 10000", at: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{name: "far past", at: time.Unix(math.MinInt64, 0)},
		{name: "far future", at: time.Unix(math.MaxInt64, 0)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := Append(nil, tc.at)
			if !bytes.Equal(got, make([]byte, Size)) {
				t.Errorf("got %x, want zeros", got)
			}
			if at, err := Decode(got); err == nil {
				t.Errorf("zeros decode to %v", at)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	label := func(seconds uint64, nano uint32) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, seconds), nano)
	}
	const second0 = 1<<62 + 10
	tests := []struct {
		name string
		raw  []byte
		text string // in the error
	}{
		{name: "empty", raw: nil, text: "0 bytes, want 12"},
		{name: "short", raw: label(second0, 0)[:11], text: "11 bytes, want 12"},
		{name: "long", raw: append(label(second0, 0), 0), text: "13 bytes, want 12"},
		{name: "a second of nanoseconds", raw: label(second0, 1e9), text: "1000000000 nanoseconds"},
		{name: "most nanoseconds", raw: label(second0, math.MaxUint32), text: "4294967295 nanoseconds"},
		{name: "zero", raw: label(0, 0), text: "label 0x0000000000000000 is outside"},
		{name: "second of the zero Time", raw: label(second0-62135596800, 0), text: "outside the years"},
		{name: "year 10000", raw: label(second0+27+253402300800, 0), text: "outside the years"},
		{name: "infinite in skalibs", raw: label(1<<62+1<<61, 0), text: "outside the years"},
		{name: "last before reserved", raw: label(1<<63-1, 0), text: "outside the years"},
		{name: "first reserved", raw: label(1<<63, 0), text: "outside the years"},
		{name: "last reserved", raw: label(math.MaxUint64, 0), text: "outside the years"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			at, err := Decode(tc.raw)
			if err == nil || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %v, want one with %q", err, tc.text)
			}
			if !at.IsZero() {
				t.Errorf("%v beside an error", at)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const good = "@400000000000000a00000000"
	tests := []struct {
		name string
		text string
	}{
		{name: "empty", text: ""},
		{name: "no @", text: good[1:]},
		{name: "other first character", text: "#" + good[1:]},
		{name: "short", text: good[:24]},
		{name: "long", text: good + "0"},
		{name: "newline", text: good + "\n"},
		{name: "no digit", text: good[:24] + "g"},
		{name: "sign", text: "@+" + good[2:]},
		{name: "zeros", text: "@" + strings.Repeat("0", 24)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if at, err := Parse(tc.text); err == nil || !at.IsZero() {
				t.Errorf("got %v, %v; want an error alone", at, err)
			}
		})
	}
	if at, err := Parse(strings.ToUpper(good)); err != nil || at.Unix() != 0 {
		t.Errorf("upper case: %v, %v", at, err)
	}
}

func ExampleFormat() {
	fmt.Println(Format(time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)))
	// Output: @40000000586846a500000000
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "@", "@400000000000000a00000000", "@400000006B0578BF0045F5F4",
		"@4000000004b2580a00000000", // 1972-06-30T23:59:60
		"@000000000000000000000000", "@ffffffffffffffffffffffff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := Parse(text)
		if err != nil {
			if !at.IsZero() {
				t.Fatalf("%v beside error %v", at, err)
			}
			return
		}
		back := Format(at)
		again, err := Parse(back)
		if err != nil || again != at {
			t.Fatalf("%s is %v, became %s, %v, %v", text, at, back, again, err)
		}
		if back == strings.ToLower(text) {
			return
		}
		// Only a leap second changes: into the midnight after it.
		if at.Unix()%86400 != 0 || leapsAtUnix(at.Unix()) == leapsAtUnix(at.Unix()-1) {
			t.Fatalf("%s became %s", text, back)
		}
	})
}
