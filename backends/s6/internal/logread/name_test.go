package logread

import (
	"testing"
	"time"
)

func TestArchiveTime(t *testing.T) {
	tests := []struct {
		name string
		file string
		want time.Time // zero: no archive
	}{
		{name: "rotated", file: "@400000006b0578bf0045f5f4.s", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "left behind", file: "@400000006b0578bf0045f5f4.u", want: time.Date(2026, 11, 24, 11, 44, 26, 4584948, time.UTC)},
		{name: "empty", file: ""},
		{name: "current", file: "current"},
		{name: "no suffix", file: "@400000006b0578bf0045f5f4"},
		{name: "other suffix", file: "@400000006b0578bf0045f5f4.t"},
		{name: "longer suffix", file: "@400000006b0578bf0045f5f4.ss"},
		{name: "no dot", file: "@400000006b0578bf0045f5f4-s"},
		{name: "no digit", file: "@400000006b0578bf0045f5fg.s"},
		{name: "too many nanoseconds", file: "@400000006b0578bf7fffffff.s"},
		{name: "no label", file: "400000006b0578bf0045f5f400.s"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			at, ok := archiveTime(tc.file)
			if ok == tc.want.IsZero() || !at.Equal(tc.want) {
				t.Errorf("got %v, %v, want %v", at, ok, tc.want)
			}
		})
	}
}
