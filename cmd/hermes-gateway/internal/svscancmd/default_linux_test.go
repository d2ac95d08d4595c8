package svscancmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/svscan"
)

// supervised says whether there is a tree of ours on a scan directory.
func supervised(scan string) bool {
	_, err := os.Stat(filepath.Join(scan, svscan.VersionFile))
	return err == nil
}

// Variables count where there is no word, and a word counts more.
func TestDirectoryOfVariable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other, third := filepath.Join(r.dir, "other"), filepath.Join(r.dir, "third")
	must(t, os.Mkdir(other, 0o755))
	must(t, os.Mkdir(third, 0o755))
	r.env = append(r.env, "HERMES_SCANDIR=", "SERVICE_SCANDIR="+third, "XDG_RUNTIME_DIR="+r.dir)
	r.start()
	if !supervised(third) {
		t.Error("SERVICE_SCANDIR does not count")
	}
	r.env = append(r.env, "HERMES_SCANDIR="+other)
	r.start()
	if !supervised(other) {
		t.Error("HERMES_SCANDIR does not count")
	}
	r.start(r.scan)
	if !supervised(r.scan) {
		t.Error("the word does not count")
	}
	if _, err := os.Stat(filepath.Join(r.dir, "hermes-gateway")); err == nil {
		t.Error("a conventional directory was made as well")
	}
}

// A directory of convention is made, for this user alone.
func TestDirectoryOfConvention(t *testing.T) {
	t.Parallel()
	if dir, err := os.Stat("/run/service"); err == nil && dir.IsDir() {
		t.Skip("there is a /run/service, which comes first")
	}
	r := newRig(t)
	r.env = append(r.env, "HERMES_SCANDIR=", "XDG_RUNTIME_DIR="+r.dir)
	r.start()
	scan := filepath.Join(r.dir, "hermes-gateway/service")
	if !supervised(scan) {
		t.Fatal("XDG_RUNTIME_DIR does not count")
	}
	for _, dir := range []string{filepath.Dir(scan), scan} {
		info, err := os.Stat(dir)
		must(t, err)
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s is %v", dir, info.Mode())
		}
	}
}
