package past

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree makes a root file system. A text that begins with -> makes a link.
func tree(t *testing.T, files map[string]string) Image {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		at := filepath.Join(root, path)
		if to, ok := strings.CutPrefix(text, "->"); ok {
			must(t, os.MkdirAll(filepath.Dir(at), 0o755))
			must(t, os.Symlink(to, at))
			continue
		}
		write(t, at, text)
	}
	return Image{Root: root}
}

// usual is what every image here has.
var usual = map[string]string{"/bin/sh": "\x7fELF", "/usr/bin/env": "\x7fELF", "/usr/bin/hermes-gateway": "\x7fELF"}

// All that init refuses is found in a tree: with its file, and with a remedy.
func TestFindingsOfAnImage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  []string // each: path, then a part of the problem, then one of the remedy
	}{
		"nothing": {},
		"what works": {files: map[string]string{
			"/etc/cont-init.d/1":            "#!/bin/sh\n",
			"/etc/cont-init.d/2":            "#!/usr/bin/with-contenv sh\n",
			"/etc/cont-init.d/3":            "#!/usr/bin/env -S sh -e\n",
			"/etc/cont-init.d/4":            "#!/usr/bin/env sh\n",
			"/etc/cont-init.d/.5":           "#!/nonexistent\n",
			"/etc/cont-init.d/6/x":          "#!/nonexistent\n",
			"/etc/services.d/web/run":       "#!/command/execlineb -P\n",
			"/etc/services.d/.web/run":      "#!/nonexistent\n",
			"/etc/services.d/web/data/x":    "#!/nonexistent\n",
			"/etc/fix-attrs.d/.empty":       "",
			"/command/execlineb":            "->../package/execlineb",
			"/package":                      "->/opt",
			"/opt/execlineb":                "\x7fELF",
			"/usr/bin/with-contenv":         "->hermes-gateway",
			"/etc/cont-finish.d":            "->/opt/finish",
			"/opt/finish/1":                 "#!/opt/interpreter\n",
			"/opt/interpreter":              "#!/bin/sh\n",
			"/etc/s6-overlay/s6-rc.d/a/run": "#!/bin/sh\n",
		}},
		"execline": {
			map[string]string{
				"/etc/cont-init.d/1": "#!/command/execlineb -P\n", "/etc/services.d/web/run": "#!/usr/bin/execlineb\n",
				"/etc/services.d/web/finish": "#!/bin/execlineb -S1\n", "/etc/services.d/web/log/run": "#! /command/execlineb\n",
				"/etc/cont-finish.d/1": "#!/bin/execlineb\n", "/etc/s6-overlay/s6-rc.d/a/run": "#!/command/execlineb -P\n",
			},
			[]string{
				"/etc/cont-finish.d/1", "/bin/execlineb", "install execline",
				"/etc/cont-init.d/1", "/command/execlineb", "install execline",
				"/etc/s6-overlay/s6-rc.d/a/run", "/command/execlineb", "install execline",
				"/etc/services.d/web/finish", "/bin/execlineb", "install execline",
				"/etc/services.d/web/log/run", "/command/execlineb", "install execline",
				"/etc/services.d/web/run", "/usr/bin/execlineb", "install execline",
			},
		},
		"oneshots": {
			map[string]string{
				"/etc/s6-overlay/s6-rc.d/a/up": "if { true } true\n", "/etc/s6-overlay/s6-rc.d/a/down": "/bin/sh -c \"x y\" # well\n",
				"/etc/s6-overlay/s6-rc.d/b/up": "foreground x\n", "/etc/s6-overlay/s6-rc.d/c/up": "sh \"x\n", "/etc/s6-overlay/s6-rc.d/d/down": "",
			},
			[]string{
				"/etc/s6-overlay/s6-rc.d/a/up", "it has a block", "install execline",
				"/etc/s6-overlay/s6-rc.d/b/up", `no "foreground" on PATH`, "install that",
				"/etc/s6-overlay/s6-rc.d/c/up", "a double quote is not closed", "mend it",
			},
		},
		"oneshots with execlineb": {files: map[string]string{"/etc/s6-overlay/s6-rc.d/a/up": "if { true } foreground\n", "/command/execlineb": "\x7fELF"}},
		"with-contenv is not there": {
			map[string]string{"/etc/cont-init.d/1": "#!/usr/bin/with-contenv bash\n"},
			[]string{"/etc/cont-init.d/1", `no "/usr/bin/with-contenv"`, "ln -sf /usr/bin/hermes-gateway /usr/bin/with-contenv"},
		},
		"with-contenv of s6-overlay": {
			map[string]string{
				"/etc/cont-init.d/1": "#!/command/with-contenv sh\n", "/command/with-contenv": "->/package/with-contenv",
				"/package/with-contenv": "#!/command/execlineb -S0\n", "/command/execlineb": "\x7fELF",
			},
			[]string{"/etc/cont-init.d/1", "would take the container's environment away", "ln -sf /usr/bin/hermes-gateway /command/with-contenv"},
		},
		"a program that with-contenv does not find": {
			map[string]string{"/etc/cont-init.d/1": "#!/usr/bin/with-contenv bash\n", "/usr/bin/with-contenv": "->hermes-gateway"},
			[]string{"/etc/cont-init.d/1", `no "bash" on PATH`, "install that"},
		},
		"an interpreter of an interpreter": {
			map[string]string{"/etc/cont-init.d/1": "#!/opt/a\n", "/opt/a": "#!/opt/b\n"},
			[]string{"/etc/cont-init.d/1", `no "/opt/b"`, "install that"},
		},
		"line ends of DOS": {
			map[string]string{"/etc/cont-init.d/1": "#!/bin/sh\r\n"},
			[]string{"/etc/cont-init.d/1", `no "/bin/sh\r"`, "line ends of Unix"},
		},
		"owners": {
			map[string]string{"/etc/fix-attrs.d/01-data": "/data true app 0644 0755\n"},
			[]string{"/etc/fix-attrs.d/01-data", "not changed at boot", "Dockerfile"},
		},
		"a link to nothing": {
			map[string]string{"/etc/cont-init.d/1": "->/nonexistent"},
			[]string{"/etc/cont-init.d/1", "leads to nothing", "remove it"},
		},
		"a link in a circle": {
			map[string]string{"/etc/cont-init.d/1": "->2", "/etc/cont-init.d/2": "->/etc/cont-init.d/1"},
			[]string{"/etc/cont-init.d/1", "leads to nothing", "remove it", "/etc/cont-init.d/2", "leads to nothing", "remove it"},
		},
	} {
		files := map[string]string{}
		for _, some := range []map[string]string{usual, c.files} {
			for path, text := range some {
				files[path] = text
			}
		}
		found, err := tree(t, files).Findings()
		must(t, err)
		slices.SortFunc(found, func(a, b *Finding) int { return strings.Compare(a.Path, b.Path) })
		want := c.want
		for _, f := range found {
			if len(want) == 0 || f.Path != want[0] || !strings.Contains(f.Problem, want[1]) || !strings.Contains(f.Remedy, want[2]) {
				t.Errorf("%s: found %+v, want %q", name, *f, want)
				break
			}
			want = want[3:]
		}
		if len(found) != len(c.want)/3 {
			t.Errorf("%s: %d findings, want %d", name, len(found), len(c.want)/3)
		}
	}
}

func TestHookThatCannotBeExecuted(t *testing.T) {
	t.Parallel()
	im := tree(t, map[string]string{"/etc/cont-init.d/1": "#!/bin/sh\n", "/bin/sh": "\x7fELF"})
	must(t, os.Chmod(filepath.Join(im.Root, "etc/cont-init.d/1"), 0o644))
	found, err := im.Findings()
	if err != nil || len(found) != 1 || !strings.Contains(found[0].Error(), "/etc/cont-init.d/1: it is not executable; chmod +x it") {
		t.Errorf("%v, %v", found, err)
	}
}

// A tree never leads out of itself, nor is what is outside taken for its own.
func TestImageStaysInside(t *testing.T) {
	t.Parallel()
	im := tree(t, map[string]string{
		"/etc/cont-init.d/1": "#!/opt/sh\n", "/opt/sh": "->" + os.Args[0],
		"/etc/services.d": "->../../../../../../../../../../etc/other", "/etc/other/web/run": "#!/nonexistent\n",
	})
	found, err := im.Findings()
	if err != nil || len(found) != 2 || found[0].Path != "/etc/cont-init.d/1" || found[1].Path != "/etc/services.d/web/run" {
		t.Errorf("%v, %v", found, err)
	}
}

func TestCommandsAreLastOnPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": usualPath, "/bin": "/bin:/command", "/bin:": "/bin::/command",
		"/command:/bin": "/command:/bin", "/bin:/command/x": "/bin:/command/x:/command",
	} {
		if got := WithCommands(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}
