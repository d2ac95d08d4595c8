package hermes

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// makeHome makes a home with profiles that are real and ones that are not.
func makeHome(t *testing.T, profiles ...string) Home {
	t.Helper()
	dir := t.TempDir()
	for _, p := range profiles {
		makeProfile(t, filepath.Join(dir, profilesDir, p))
	}
	h, err := FindHome(dir, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func makeProfile(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, marker), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func profile(t *testing.T, name string) ProfileName {
	t.Helper()
	p, err := ParseProfileName(name, MaxProfileLen)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestR18_FindHome(t *testing.T) {
	for _, tc := range []struct {
		name  string
		named string
		env   map[string]string
		want  string
	}{
		{"flag", "/srv/h", map[string]string{"HERMES_HOME": "/env", "HOME": "/u"}, "/srv/h"},
		{"flag is taken as it is", "/srv/profiles/h", nil, "/srv/profiles/h"},
		{"variable", "", map[string]string{"HERMES_HOME": "/opt/data", "HOME": "/u"}, "/opt/data"},
		{"variable inside a profile", "", map[string]string{"HERMES_HOME": "/opt/data/profiles/coder"}, "/opt/data"},
		{"variable inside a profile, final slash", "", map[string]string{"HERMES_HOME": "/opt/data/profiles/coder/"}, "/opt/data"},
		{"user", "", map[string]string{"HOME": "/u"}, "/u/.hermes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, err := FindHome(tc.named, func(k string) string { return tc.env[k] })
			if err != nil {
				t.Fatal(err)
			}
			want, _ := filepath.Abs(filepath.FromSlash(tc.want))
			if h.Dir() != want {
				t.Errorf("got %s, want %s", h.Dir(), want)
			}
		})
	}
	if _, err := FindHome("", func(string) string { return "" }); err == nil {
		t.Error("a home was found where nothing names one")
	}
}

func TestR18_HomeOfAProfileIsBelowTheRootHome(t *testing.T) {
	h, err := FindHome("", func(k string) string {
		return map[string]string{"HERMES_HOME": "/opt/data/profiles/coder"}[k]
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Of(profile(t, "writer")), filepath.Join(h.Dir(), "profiles", "writer"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := h.Of(Default()); got != h.Dir() {
		t.Errorf("the root profile lives in %s, want %s", got, h.Dir())
	}
}

func TestR19_RealProfiles(t *testing.T) {
	h := makeHome(t, "coder", "writer", "default")
	outside := t.TempDir()
	makeProfile(t, outside)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(parts ...string) string {
		return filepath.Join(append([]string{h.Dir(), profilesDir}, parts...)...)
	}
	must(os.Mkdir(at("unmarked"), 0o755))
	must(os.MkdirAll(at("dirmark", marker), 0o755))
	must(os.WriteFile(at("file"), nil, 0o644))
	must(os.Mkdir(at("linkmark"), 0o755))
	must(os.Symlink(at("coder", marker), at("linkmark", marker)))
	must(os.Symlink(outside, at("escaped")))
	must(os.Symlink(at("coder"), at("alias")))
	must(os.Symlink(at("nowhere"), at("dangling")))

	for _, tc := range []struct {
		profile string
		want    string // "" is real, else part of why not
	}{
		{"coder", ""},
		{"default", ""},
		{"alias", ""},
		{"absent", "no directory"},
		{"dangling", "no directory"},
		{"unmarked", "has no SOUL.md"},
		{"dirmark", "not a regular file"},
		{"linkmark", "not a regular file"},
		{"file", "not a directory"},
		{"escaped", "out of the home"},
	} {
		t.Run(tc.profile, func(t *testing.T) {
			err := h.Check(profile(t, tc.profile))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	var names []string
	for _, p := range h.Profiles() {
		names = append(names, p.String())
	}
	if want := []string{"default", "alias", "coder", "writer"}; !slices.Equal(names, want) {
		t.Errorf("profiles are %v, want %v", names, want)
	}
}

func TestR13_DefaultIsTheHomeItself(t *testing.T) {
	h := makeHome(t, "default")
	if got := h.Of(Default()); got != h.Dir() {
		t.Errorf("default lives in %s, want the home %s", got, h.Dir())
	}
	missing, err := FindHome(filepath.Join(h.Dir(), "not-there"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if missing.Real(Default()) || len(missing.Profiles()) != 0 {
		t.Error("a home that does not exist has profiles")
	}
}
