package superdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// What is made is what a real s6-supervise makes, whatever the umask.
func TestMakesWhatS6Makes(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o077, 0o177} {
		t.Run(fmt.Sprintf("umask %03o", mask), func(t *testing.T) {
			real, own := service(t), service(t)
			umask(t, mask)
			must(t, os.WriteFile(filepath.Join(real, "down"), nil, 0o644))
			end := supervisor(t, real)
			until(t, "no status", func() bool {
				_, err := os.Stat(filepath.Join(real, "supervise/status"))
				return err == nil
			})
			d := open(t, own)
			must(t, d.ClearDeaths())
			must(t, d.WriteStatus(supervise.Status{}))
			for _, name := range []string{"event", "supervise", "supervise/lock", "supervise/control", "supervise/status", "supervise/death_tally"} {
				var want, got unix.Stat_t
				must(t, unix.Lstat(filepath.Join(real, name), &want))
				must(t, unix.Lstat(filepath.Join(own, name), &got))
				if got.Mode != want.Mode || got.Uid != want.Uid || got.Gid != want.Gid {
					t.Errorf("%s: mode %o, owner %d:%d; s6 makes mode %o, owner %d:%d", name, got.Mode, got.Uid, got.Gid, want.Mode, want.Uid, want.Gid)
				}
			}
			end()
		})
	}
}

// With a control group its members can use s6's tools, as after s6-svperms.
func TestControlGroup(t *testing.T) {
	umask(t, 0o077)
	group := unix.Getegid()
	if os.Geteuid() == 0 {
		group = 4711
	}
	dir := service(t)
	d, err := tryOpen(t, dir, Config{Group: group})
	must(t, err)
	defer d.Close()
	for name, want := range map[string]uint32{"event": 0o3730, "supervise": 0o710, "supervise/control": 0o620, "supervise/lock": 0o644} {
		var st unix.Stat_t
		must(t, unix.Lstat(filepath.Join(dir, name), &st))
		if st.Mode&0o7777 != want || name != "supervise/lock" && int(st.Gid) != group {
			t.Errorf("%s: mode %04o, gid %d", name, st.Mode&0o7777, st.Gid)
		}
	}
	wantTool(t, 0, "s6-svperms", dir) // finds the rights to be as it would set them
}

// A group that this user cannot give to leaves nothing behind that would be
// taken as it is the next time.
func TestControlGroupOfOthers(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may give to every group")
	}
	dir := service(t)
	_, err := tryOpen(t, dir, Config{Group: 4711})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "gid 4711") {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What is there keeps its rights: that is what s6-svperms relies on.
func TestAcceptsWhatIsThere(t *testing.T) {
	dir := service(t)
	open(t, dir).Close()
	// As s6-svperms -o -e, which needs an entry in /etc/passwd.
	must(t, os.Chmod(filepath.Join(dir, "supervise"), 0o711))
	must(t, os.Chmod(filepath.Join(dir, "event"), 0o733|os.ModeSticky))
	must(t, os.Chmod(filepath.Join(dir, "supervise/lock"), 0o600))
	must(t, os.Chmod(filepath.Join(dir, "supervise/control"), 0o620))
	must(t, os.WriteFile(filepath.Join(dir, "supervise/lock"), []byte("kept"), 0))
	must(t, os.WriteFile(filepath.Join(dir, "supervise/junk"), []byte("kept"), 0o640))
	must(t, os.Chmod(filepath.Join(dir, "supervise/junk"), 0o640))

	d, err := tryOpen(t, dir, Config{Group: unix.Getegid()})
	must(t, err)
	defer d.Close()
	for name, want := range map[string]uint32{
		"event": 0o1733, "supervise": 0o711, "supervise/lock": 0o600, "supervise/control": 0o620, "supervise/junk": 0o640,
	} {
		if got := mode(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s: mode %04o, want %04o as it was", name, got, want)
		}
	}
	for _, name := range []string{"lock", "junk"} {
		if b, _ := os.ReadFile(filepath.Join(dir, "supervise", name)); string(b) != "kept" {
			t.Errorf("%s holds %q", name, b)
		}
	}
}

// What is wrong is refused with its path, the reason, and what to do.
func TestRefuses(t *testing.T) {
	elsewhere := s6test.Dir(t, os.Geteuid())
	link := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.Symlink(elsewhere, filepath.Join(dir, name))) }
	}
	file := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600)) }
	}
	fifo := func(name string, mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			must(t, unix.Mkfifo(filepath.Join(dir, name), 0o600))
			must(t, os.Chmod(filepath.Join(dir, name), mode))
		}
	}
	chown := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give files away")
			}
			if strings.HasSuffix(name, "control") {
				fifo(name, 0o600)(t, dir)
			}
			must(t, os.Chown(filepath.Join(dir, name), s6test.User, s6test.User))
		}
	}
	const sup = "supervise"
	for _, tc := range []struct {
		name, path string
		spoil      func(t *testing.T, dir string)
		says       []string
	}{
		{"event is a link", "event", link("event"), []string{"symbolic link", "remove it"}},
		{"event is a dangling link", "event", func(t *testing.T, dir string) {
			must(t, os.Symlink("nowhere", filepath.Join(dir, "event")))
		}, []string{"symbolic link", "remove it"}},
		{"event is a file", "event", file("event"), []string{"a regular file", "remove it"}},
		{"supervise is a link", sup, link(sup), []string{"symbolic link", "remove it"}},
		{"supervise is a FIFO", sup, fifo(sup, 0o600), []string{"a FIFO", "remove it"}},
		{"supervise is another's", sup, chown(sup), []string{"uid 10000", "chown"}},
		{"supervise can be written by the group", sup, func(t *testing.T, dir string) {
			must(t, os.Chmod(filepath.Join(dir, sup), 0o770))
		}, []string{"mode 0770", "chmod go-w"}},
		{"control is a file", "supervise/control", file("supervise/control"), []string{"a regular file", "not a FIFO", "remove it"}},
		{"control is a link", "supervise/control", link("supervise/control"), []string{"symbolic link", "remove it"}},
		{"control is a directory", "supervise/control", func(t *testing.T, dir string) {
			must(t, os.Mkdir(filepath.Join(dir, "supervise/control"), 0o700))
		}, []string{"a directory", "remove it"}},
		{"control is for everybody", "supervise/control", fifo("supervise/control", 0o622), []string{"mode 0622", "chmod o-w"}},
		{"control is another's", "supervise/control", chown("supervise/control"), []string{"uid 10000", "remove it"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := service(t)
			if strings.HasPrefix(tc.path, "supervise/") || tc.says[0][:4] == "uid " || tc.says[0][:4] == "mode" {
				must(t, os.Mkdir(filepath.Join(dir, sup), 0o700))
			}
			tc.spoil(t, dir)
			before := descriptors(t)
			_, err := tryOpen(t, dir, Config{Group: NoGroup})
			if !errors.Is(err, ErrUnfit) {
				t.Fatalf("error %v", err)
			}
			for _, say := range append(tc.says, filepath.Join(dir, tc.path)) {
				if !strings.Contains(err.Error(), say) {
					t.Errorf("the error does not say %q: %v", say, err)
				}
			}
			if now := descriptors(t); now != before {
				t.Errorf("%d descriptors, %d before", now, before)
			}
			if left, _ := os.ReadDir(elsewhere); len(left) != 0 {
				t.Errorf("a link was followed: %v", left)
			}
		})
	}
}

// A lock that is no file is an error, and nothing is waited for.
func TestLockIsNoFile(t *testing.T) {
	for _, spoil := range []func(string) error{
		func(path string) error { return os.Symlink("/etc/passwd", path) },
		func(path string) error { return unix.Mkfifo(path, 0o600) },
		func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		dir := service(t)
		must(t, os.Mkdir(filepath.Join(dir, "supervise"), 0o700))
		must(t, spoil(filepath.Join(dir, "supervise/lock")))
		if _, err := tryOpen(t, dir, Config{Group: NoGroup}); err == nil || !strings.Contains(err.Error(), "supervise/lock") {
			t.Errorf("error %v", err)
		}
	}
}

// The three descriptors are all there is, and Close frees them.
func TestDescriptors(t *testing.T) {
	dir := service(t)
	before := descriptors(t)
	d := open(t, dir)
	if now := descriptors(t); now != before+3 {
		t.Errorf("%d descriptors are open", now-before)
	}
	must(t, d.WriteStatus(supervise.Status{}))
	must(t, d.AddDeath(supervise.Death{}, 1))
	d.Notify("s")
	must(t, d.Close())
	if now := descriptors(t); now != before {
		t.Errorf("%d descriptors are left", now-before)
	}
}
