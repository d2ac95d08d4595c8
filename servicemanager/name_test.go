package servicemanager_test

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestName(t *testing.T) {
	long := strings.Repeat("a", servicemanager.MaxNameLen)
	for _, tc := range []struct {
		name   string
		reason string // part of it; "" for a valid name
	}{
		{"web", ""},
		{"WEB", ""},
		{"0", ""},
		{"_", ""},
		{"a.b-c_D9", ""},
		{"a..b", ""},
		{"a.", ""},
		{"a-", ""},
		{"service", ""},
		{"log", ""},
		{"a.services", ""},
		{"a.service.x", ""},
		{long, ""},
		{"", "is empty"},
		{long + "a", "201 bytes"},
		{".", "dot"},
		{"..", "dot"},
		{".hidden", "dot"},
		{"-", "dash"},
		{"--help", "dash"},
		{"a.service", ".service"},
		{"a.log", ".log"},
		{"/", "byte 0"},
		{"a/b", "byte 1"},
		{"../a", "dot"},
		{"a/../b", "byte 1"},
		{"a b", "byte 1"},
		{"a\n", "byte 1"},
		{"\na", "byte 0"},
		{"a\tb", "byte 1"},
		{"a\x00b", "byte 1"},
		{"a\x7f", "byte 1"},
		{"é", "byte 0"},
		{"a\xff", "byte 1"},
		{"a@b", "byte 1"},
		{"a:b", "byte 1"},
		{`a\b`, "byte 1"},
		{"a%b", "byte 1"},
		{"a$b", "byte 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := servicemanager.CheckName(tc.name)
			if valid := servicemanager.ValidName(tc.name); valid != (tc.reason == "") || valid != (err == nil) {
				t.Fatalf("ValidName %v, CheckName %v", valid, err)
			}
			if err == nil {
				return
			}
			var bad *servicemanager.SpecError
			if !errors.As(err, &bad) || bad.Field != "Name" || bad.Value != tc.name || !strings.Contains(bad.Reason, tc.reason) {
				t.Errorf("CheckName: %#v, want a *SpecError that says %q", err, tc.reason)
			}
		})
	}
}

// A valid name can be made a file, a directory and an argument without harm.
func FuzzValidName(f *testing.F) {
	for _, seed := range []string{
		"", "web", ".", "..", "-a", "a/b", "a\x00", "a\xff", "a.service", "a.log", "A_9.x-y",
		strings.Repeat("x", 200), strings.Repeat("x", 201), "a\n", "é", " a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := servicemanager.CheckName(name)
		if servicemanager.ValidName(name) != (err == nil) {
			t.Fatalf("ValidName and CheckName disagree on %q: %v", name, err)
		}
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("the error is no line: %q", err)
			}
			return
		}
		if len(name) == 0 || len(name) > servicemanager.MaxNameLen {
			t.Errorf("%q is valid with %d bytes", name, len(name))
		}
		if path.Base(name) != name || path.Clean(name) != name || !fs.ValidPath(name) || strings.ContainsAny(name, `/\`) {
			t.Errorf("%q is not one path element", name)
		}
		if name[0] == '.' || name[0] == '-' {
			t.Errorf("%q is hidden or an option", name)
		}
		for _, r := range name {
			if r <= ' ' || r > '~' || strings.ContainsRune("'\"`$&|;<>()*?[]{}!#~%=:,^+@", r) {
				t.Errorf("%q holds %q", name, r)
			}
		}
		if servicemanager.ValidName(name + "/log") {
			t.Errorf("the logger of %q has a valid name", name)
		}
	})
}

func TestValidEnvKey(t *testing.T) {
	for _, tc := range []struct {
		key  string
		want bool
	}{
		{"A", true}, {"_", true}, {"a_1", true}, {"PATH", true}, {"z9", true}, {"Z", true},
		{"", false}, {"1A", false}, {"A B", false}, {"A=", false}, {"A-B", false}, {"A\n", false}, {"A\x00", false}, {"É", false}, {"A.B", false},
	} {
		if got := servicemanager.ValidEnvKey(tc.key); got != tc.want {
			t.Errorf("ValidEnvKey(%q) = %v", tc.key, got)
		}
	}
}
