package svscan_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// wordsScript is the interpreter of oneshots in tests without execlineb: it runs the
// words of the script's second line.
func wordsScript(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs(os.Getenv(oursVar))
	mustDo(t, err)
	return program + " exec-words"
}

// Definitions of s6-rc: a longrun with a logger, what it needs, a bundle, and what a
// condition keeps down.
func TestRC(t *testing.T) {
	t.Parallel()
	t.Run("execlineb", func(t *testing.T) {
		s6test.Tool(t, "s6-svscan") // execlineb comes with it
		playRC(t, os.Getenv("PATH"))
	})
	t.Run("words", func(t *testing.T) {
		bin := t.TempDir()
		for _, name := range []string{"sh", "cat", "sleep"} {
			path, err := exec.LookPath(name)
			mustDo(t, err)
			mustDo(t, os.Symlink(path, filepath.Join(bin, name)))
		}
		playRC(t, bin)
	})
}

func playRC(t *testing.T, path string) {
	t.Parallel()
	dir := scanDir(t)
	root := filepath.Dir(dir)
	from := filepath.Join(root, "etc/s6-rc.d")
	d := newDiary(t, dir)
	prepare := filepath.Join(root, "prepare")
	leave(t, from, map[string]string{
		"prepare/type": "oneshot\n", "prepare/up": prepare + " \"up now\" # once\n", "prepare/down": prepare + " down\n",
		"web/type": "longrun\n", "web/dependencies.d/prepare": "", "web/dependencies.d/base": "",
		"web/notification-fd": "3\n", "web/producer-for": "web-log\n", "web/data/mine": "mine", "web/down": "", "web/log/run": "ignored",
		"web-log/type": "longrun\n", "web-log/consumer-for": "web\n", "web-log/pipeline-name": "web-pipeline\n",
		"web-log/run":    "#!/bin/sh\nexec cat >>" + filepath.Join(root, "log") + "\n",
		"dashboard/type": "longrun\n", "dashboard/run": "#!/bin/sh\nexec sleep 1000\n", "dashboard/enabled-if": "# see the manual\nDASHBOARD\n",
		"on/type": "longrun\n", "on/run": "#!/bin/sh\nexec sleep 1000\n", "on/enabled-if": "!DASHBOARD\nMODE=full\nMODE!=other\nABSENT=\n",
		"unused/type": "longrun\n", "unused/run": "x",
		"all/type": "bundle\n", "all/contents.d/web-pipeline": "", "all/contents.d/dashboard": "",
		"../user-bundles.d/user/type": "bundle\n", "../user-bundles.d/user/contents.d/all": "", "../user-bundles.d/user/contents.d/on": "",
	})
	leave(t, filepath.Join(from, "web"), map[string]string{"run": "#!/bin/sh\necho from web\necho >&3\nexec 3>&-\n" + d.life("web") + "\n"})
	script(t, prepare, "echo \"$@\" >>"+d.path)
	env := []string{"PATH=" + path, "MODE=full"}
	in, r := ordered(t, svscan.Options{Dir: dir, RC: from, Words: wordsScript(t), Env: env, Boot: "one"})
	r.await(t, "all-ready")
	d.await("+web")
	await(t, dir, "web", sm.StateUp)
	await(t, dir, "on", sm.StateUp)
	if st := await(t, dir, "dashboard", sm.StateDown); st.Problem != "disabled: DASHBOARD is not 1, true or yes" || st.WantUp {
		t.Errorf("it is %+v", st)
	}
	names, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	if len(names) != 4 || err != nil {
		t.Errorf("services are %q, %v", names, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "web/data/mine")); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	in.end()
	if got := d.read(); got != "up now +web -web down" {
		t.Errorf("it went %q", got)
	}
	if text := awaitLine(t, filepath.Join(root, "log")); text != "from web\n" {
		t.Errorf("its log is %q", text)
	}
	if w := in.warned(); w != "" {
		t.Error(w)
	}
	// What the condition says holds for one boot.
	env = []string{"PATH=" + path, "DASHBOARD=Yes", "MODE=small"}
	_, r = ordered(t, svscan.Options{Dir: dir, RC: from, Words: wordsScript(t), Env: env, Boot: "two"})
	r.await(t, "all-ready")
	await(t, dir, "dashboard", sm.StateUp)
	if st := await(t, dir, "on", sm.StateDown); st.Problem != "disabled: DASHBOARD is set" {
		t.Errorf("it is %+v", st)
	}
}

// script makes a program.
func script(t *testing.T, path, text string) {
	t.Helper()
	makeService(t, filepath.Dir(path), filepath.Base(path)+".d", text)
	mustDo(t, os.Symlink(path+".d/run", path))
}

// What cannot be run is refused before anything is.
func TestRCRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"block":       {map[string]string{"a/type": "oneshot", "a/up": "if { true } true"}, "only execlineb can run"},
		"program":     {map[string]string{"a/type": "oneshot", "a/up": "no-such-program x"}, `no "no-such-program" in PATH`},
		"empty":       {map[string]string{"a/type": "oneshot", "a/up": "\n"}, "up is empty"},
		"comment":     {map[string]string{"a/type": "oneshot", "a/up": "# x\n"}, "up has no command"},
		"quote":       {map[string]string{"a/type": "oneshot", "a/up": "true \"x"}, "a double quote is not closed"},
		"interpreter": {map[string]string{"a/type": "longrun", "a/run": "#!/no/such/execlineb -P\n"}, `no "/no/such/execlineb" on this system`},
		"condition":   {map[string]string{"a/type": "longrun", "a/run": "#!/bin/sh\n", "a/enabled-if": "A B"}, `"A B" is no condition`},
		"source":      {map[string]string{"a/type": "longrun", "a/run": "#!/bin/sh\n", "a/dependencies.d/b": ""}, "a names b, which is not defined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scanDir(t)
			from := filepath.Join(filepath.Dir(dir), "from")
			leave(t, from, c.files)
			leave(t, from, map[string]string{"b0/type": "longrun", "b0/run": "#!/bin/sh\n", "user/type": "bundle", "user/contents.d/b0": "", "user/contents.d/a": ""})
			_, err := svscan.New(svscan.Options{Dir: dir, RC: from, Words: "/bin/true", Env: []string{"PATH=/nonexistent"}})
			if !errors.Is(err, svscan.ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %s", err, c.says)
			}
			names, _ := filepath.Glob(filepath.Join(dir, "[^.]*"))
			if len(names) > 0 && name != "condition" {
				t.Errorf("it has made %q", names)
			}
		})
	}
	if os.Geteuid() != 0 {
		return
	}
	dir := scanDir(t)
	from := filepath.Join(filepath.Dir(dir), "from")
	leave(t, from, map[string]string{"a/type": "longrun", "a/run": "#!/bin/sh\n", "user/type": "bundle", "user/contents.d/a": ""})
	mustDo(t, os.Chmod(filepath.Join(from, "a"), 0o777))
	if _, err := svscan.New(svscan.Options{Dir: dir, RC: from}); !errors.Is(err, svscan.ErrRefused) || !strings.Contains(err.Error(), "root would run it") {
		t.Errorf("a definition that others can change: %v", err)
	}
}
