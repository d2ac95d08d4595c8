package svscan_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// What an image has in another directory is supervised, once in each boot.
func TestCopyServices(t *testing.T) {
	t.Parallel()
	dir := scanDir(t)
	from := filepath.Join(filepath.Dir(dir), "from")
	lives := filepath.Join(filepath.Dir(dir), "lives")
	mustDo(t, os.Mkdir(from, 0o755))
	makeService(t, from, "web", "echo $PWD >>"+lives+"; exec sleep 1000")
	makeService(t, from, "own", "exit 1")
	makeService(t, dir, "own", "exec sleep 1000")
	makeService(t, filepath.Dir(dir), "linked", "exec sleep 1000")
	mustDo(t, os.Symlink("../linked", filepath.Join(from, "linked")))
	leave(t, from, map[string]string{"web/data/words": "words", "web/supervise/status": "x", ".hidden/run": "", "README": ""})
	mustDo(t, os.Symlink("words", filepath.Join(from, "web/data/more")))

	opts := svscan.Options{Dir: dir, Services: from, Boot: "one"}
	in := runInside(t, opts, nil)
	for _, name := range []string{"web", "own", "linked"} {
		await(t, dir, name, sm.StateUp)
	}
	if w := in.warned(); strings.Count(w, "\n") != 0 || !strings.Contains(w, "/from/own is not copied: ") {
		t.Errorf("warnings: %s", w)
	}
	if text := awaitLine(t, lives); text != filepath.Join(dir, "web")+"\n" {
		t.Errorf("it runs in %q", text)
	}
	for _, name := range []string{"web/data/words", "web/data/more"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != "words" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if info, err := os.Lstat(filepath.Join(dir, "web/data/more")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("a link: %v, %v", info, err)
	}
	in.end()

	// The same boot: what is there stays as it is now.
	mustDo(t, os.WriteFile(filepath.Join(dir, "web/data/words"), []byte("mine"), 0o644))
	in = runInside(t, opts, nil)
	await(t, dir, "web", sm.StateUp)
	in.end()
	if text, _ := os.ReadFile(filepath.Join(dir, "web/data/words")); string(text) != "mine" {
		t.Errorf("in the same boot: %q", text)
	}
	// Another one: it is copied anew, and what is gone from there is gone here.
	mustDo(t, os.Remove(filepath.Join(from, "linked")))
	opts.Boot = "two"
	in = runInside(t, opts, nil)
	await(t, dir, "web", sm.StateUp)
	if text, _ := os.ReadFile(filepath.Join(dir, "web/data/words")); string(text) != "words" {
		t.Errorf("in another boot: %q", text)
	}
	if _, err := os.Lstat(filepath.Join(dir, "linked")); err == nil {
		t.Error("what was removed is there")
	}
	in.end()
}

// What cannot be copied is refused, and leaves nothing half-made.
func TestCopyServicesRefused(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(from string) error{
		"fifo":  func(from string) error { return syscall.Mkfifo(filepath.Join(from, "web/fifo"), 0o600) },
		"loop":  func(from string) error { return os.Symlink(".", filepath.Join(from, "web/loop")) },
		"stray": func(from string) error { return os.Symlink("nowhere", filepath.Join(from, "web/stray")) },
		"others": func(from string) error {
			if os.Geteuid() != 0 {
				return os.Remove(from)
			}
			return os.Chmod(filepath.Join(from, "web/run"), 0o777)
		},
		"absent": func(from string) error { return os.RemoveAll(from) },
	} {
		dir := scanDir(t)
		from := filepath.Join(filepath.Dir(dir), "from")
		mustDo(t, os.Mkdir(from, 0o755))
		makeService(t, from, "web", "exec sleep 1000")
		if err := make(from); err != nil && name != "others" {
			t.Fatal(err)
		}
		if name == "others" && os.Geteuid() != 0 {
			continue // about root
		}
		_, err := svscan.New(svscan.Options{Dir: dir, Services: from})
		if !errors.Is(err, svscan.ErrRefused) || !strings.Contains(err.Error(), from) {
			t.Errorf("%s: %v", name, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 || left[0].Name() != ".s6-svscan" {
			t.Errorf("%s: left are %v, %v", name, left, err)
		}
	}
}
