package svscancmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// 100 is for what a person has to change, 111 for what the system refuses.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fails(100, "unknown option -Z", "-Z", r.scan)
	r.fails(100, "another", r.scan, r.scan)
	r.fails(100, "-d 9: wrong usage: that descriptor is not open", "-d", "9", r.scan)
	r.fails(100, "-X 9: wrong usage: that descriptor is not open", "-X", "9", r.scan)
	r.fails(111, "no such file", filepath.Join(r.dir, "nothing"))
	r.fails(111, "not a directory", filepath.Join(r.dir, "said"))

	must(t, os.Chmod(r.scan, 0o757))
	r.fails(100, "others can write in it (mode 0757)", r.scan)
	must(t, os.Chmod(r.scan, 0o755))

	first := r.start(r.scan)
	r.fails(100, "another scanner supervises this scan directory", r.scan)
	r.sleeper("web") // the refused one has not disturbed it
	first.signal(sigALRM)
	r.began("web")
}

func TestRefusesForeignDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	r := newRig(t)
	must(t, os.Chown(r.scan, s6test.User, s6test.User))
	r.fails(100, "run the tree as uid 10000", r.scan)
}

func TestHelp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	out, err := r.command("--help").Output()
	if err != nil || string(out) != Help {
		t.Errorf("%v\n%s", err, out)
	}
}
