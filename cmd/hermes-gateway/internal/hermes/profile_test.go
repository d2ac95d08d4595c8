package hermes

import (
	"errors"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestR11R12_ProfileNames(t *testing.T) {
	for _, tc := range []struct {
		name  string
		in    string
		limit int
		want  string // "" is accepted, else part of the message
	}{
		{"plain", "coder", 64, ""},
		{"one letter", "a", 64, ""},
		{"digits first", "9lives", 64, ""},
		{"dash and underscore inside", "a-b_c-", 64, ""},
		{"default", "default", 64, ""},
		{"at the limit", strings.Repeat("a", 64), 64, ""},
		{"beyond the limit", strings.Repeat("a", 65), 64, "65 bytes, the limit is 64"},
		{"at the long limit", strings.Repeat("a", 192), MaxLongProfileLen, ""},
		{"beyond the long limit", strings.Repeat("a", 193), MaxLongProfileLen, "193 bytes, the limit is 192"},
		{"empty", "", 64, "is empty"},
		{"traversal", "../etc", 64, "byte 0"},
		{"dot inside", "a.b", 64, "byte 1"},
		{"slash", "a/b", 64, "byte 1"},
		{"leading dash", "-rf", 64, "dash"},
		{"leading underscore", "_a", 64, "underscore"},
		{"upper case", "Coder", 64, "upper-case"},
		{"space", "a b", 64, "byte 1"},
		{"final newline", "coder\n", 64, "byte 5"},
		{"first newline", "\ncoder", 64, "byte 0"},
		{"second line", "coder\nx", 64, "byte 5"},
		{"NUL", "a\x00b", 64, "byte 1"},
		{"not UTF-8", "a\xffb", 64, "byte 1"},
		{"UTF-8 letter", "caf\u00e9", 64, "byte 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := ParseProfileName(tc.in, tc.limit)
			if tc.want == "" {
				if err != nil || p.String() != tc.in {
					t.Fatalf("got %q, %v; want it accepted", p, err)
				}
				return
			}
			var spec *servicemanager.SpecError
			if !errors.As(err, &spec) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want a SpecError with %q", err, tc.want)
			}
			if !p.IsZero() {
				t.Errorf("a refused name gave the profile %q", p)
			}
		})
	}
}

func TestLongestProfileHasAServiceName(t *testing.T) {
	p, err := ParseProfileName(strings.Repeat("z", MaxLongProfileLen), MaxLongProfileLen)
	if err != nil {
		t.Fatal(err)
	}
	if err := servicemanager.CheckName(p.Service().String()); err != nil {
		t.Fatal(err)
	}
}

func TestR15_ServiceAndProfileNames(t *testing.T) {
	for _, tc := range []struct {
		service string
		profile string // "" is none
	}{
		{"gateway-coder", "coder"},
		{"gateway-default", "default"},
		{"gateway-gateway-x", "gateway-x"},
		{"gateway-", ""},
		{"gateway", ""},
		{"gateway-Coder", ""},
		{"gateway--x", ""},
		{"coder", ""},
		{"my-gateway-coder", ""},
		{"gateway-a.b", ""},
	} {
		t.Run(tc.service, func(t *testing.T) {
			s := Reported(tc.service)
			p, ok := s.Profile()
			if ok != (tc.profile != "") || p.String() != tc.profile {
				t.Fatalf("got %q, %v; want %q", p, ok, tc.profile)
			}
			if ok && p.Service() != s {
				t.Errorf("%q does not come back as %q but as %q", p, s, p.Service())
			}
			if got := ProfileOf(servicemanager.KindSystemd, s); !got.IsZero() {
				t.Errorf("on a host the name was taken for the profile %q", got)
			}
		})
	}
}

func FuzzProfileName(f *testing.F) {
	for _, s := range []string{"", "a", "default", "-", "A", "a\n", "\x00", "a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseProfileName(s, MaxLongProfileLen)
		if (err == nil) == p.IsZero() {
			t.Fatalf("%q: name %q with error %v", s, p, err)
		}
		if err != nil {
			return
		}
		if p.String() != s || len(s) > MaxLongProfileLen || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || s[0] == '-' || s[0] == '_' {
			t.Fatalf("%q was accepted", s)
		}
		if back, ok := p.Service().Profile(); !ok || back != p {
			t.Fatalf("%q became %q", s, back)
		}
	})
}
