package status

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
)

func TestDeathAppend(t *testing.T) {
	stamp := raw35(0, 0, 0)[:12] // of at0
	tests := []struct {
		name      string
		d         Death
		code, sig byte
	}{
		{name: "exit 0", d: Death{At: at0}},
		{name: "exit 3", d: Death{At: at0, Code: 3}, code: 3},
		{name: "exit 255", d: Death{At: at0, Code: 255}, code: 255},
		{name: "SIGKILL", d: Death{At: at0, Signal: 9}, code: 0x89, sig: 9},
		{name: "code ignored beside a signal", d: Death{At: at0, Code: 3, Signal: 15}, code: 0x8f, sig: 15},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := tc.d.Append([]byte("before"))
			want := append(append([]byte("before"), stamp...), tc.code, tc.sig)
			if !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
		})
	}
}

func TestDecodeTally(t *testing.T) {
	first, second := Death{At: at0, Code: 3}, Death{At: at1, Signal: 9}
	whole := second.Append(first.Append(nil))
	tests := []struct {
		name    string
		raw     []byte
		want    []Death
		partial bool
	}{
		{name: "empty"},
		{name: "one", raw: whole[:DeathSize], want: []Death{first}},
		{name: "oldest first", raw: whole, want: []Death{first, second}},
		{name: "a part only", raw: whole[:DeathSize-1], partial: true},
		{name: "whole and a part", raw: whole[:DeathSize+1], want: []Death{first}, partial: true},
		{name: "no valid stamp", raw: append(make([]byte, 12), 3, 0), want: []Death{{Code: 3}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := DecodeTally(tc.raw)
			if (err != nil) != tc.partial || err != nil && !strings.Contains(err.Error(), "partial record") {
				t.Errorf("error %v, want one: %v", err, tc.partial)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %+v, want %+v", got, tc.want)
			}
			for i := range got {
				if got[i] != tc.want[i] {
					t.Errorf("record %d: got %+v, want %+v", i, got[i], tc.want[i])
				}
			}
		})
	}
}

func FuzzDecodeTally(f *testing.F) {
	for _, path := range goldenFiles(f, "*.death_tally") {
		f.Add(mustRead(f, path))
	}
	f.Add([]byte(nil))
	f.Add(make([]byte, DeathSize+1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		deaths, err := DecodeTally(raw)
		if len(deaths) != len(raw)/DeathSize || (err != nil) != (len(raw)%DeathSize != 0) {
			t.Fatalf("%d records and error %v from %d bytes", len(deaths), err, len(raw))
		}
		var back []byte
		for _, d := range deaths {
			back = d.Append(back)
		}
		again, err := DecodeTally(back)
		if err != nil || len(again) != len(deaths) {
			t.Fatalf("%d records became %d, %v", len(deaths), len(again), err)
		}
		for i, d := range deaths {
			if again[i] != d {
				t.Fatalf("record %d: %+v became %+v", i, d, again[i])
			}
			in, out := raw[i*DeathSize:][:DeathSize], back[i*DeathSize:][:DeathSize]
			want := append(canonicalStamp(in, out), in[12], in[13])
			if in[13] != 0 {
				want[12] = 128 + in[13]
			}
			if !bytes.Equal(out, want) {
				t.Fatalf("record %d: written %x, want %x", i, out, want)
			}
		}
	})
}

// canonicalStamp returns the 12 bytes that must be written for the stamp that raw begins
// with, when back begins with those that were: the same, with two exceptions that package
// tai documents. A stamp that is no label becomes zero; a leap second the midnight after it.
func canonicalStamp(raw, back []byte) []byte {
	want := bytes.Clone(raw[:12])
	at := decodeStamp(want)
	if at.IsZero() {
		return make([]byte, 12)
	}
	next := binary.BigEndian.Uint64(raw) + 1
	if binary.BigEndian.Uint64(back) == next && at.Truncate(time.Second).Equal(at.Truncate(24*time.Hour)) {
		binary.BigEndian.PutUint64(want, next)
	}
	return want
}

func mustRead(f *testing.F, path string) []byte {
	f.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return raw
}
