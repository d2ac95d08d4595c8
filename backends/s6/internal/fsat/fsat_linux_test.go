package fsat

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house makes a directory with files, and links in every position where one
// could lead astray.
func house(t *testing.T) (*Dir, string) {
	t.Helper()
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "a/b/file"), []byte("inside"), 0o644))
	must(t, os.Symlink("a", filepath.Join(root, "link")))
	must(t, os.Symlink("b", filepath.Join(root, "a/link")))
	must(t, os.Symlink("file", filepath.Join(root, "a/b/link")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(root, "abs")))
	d, err := Open(root)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	return d, root
}

func TestNoLinkIsFollowed(t *testing.T) {
	d, root := house(t)
	openers := map[string]func(name string, flags int) (int, error){
		"openat2": func(name string, flags int) (int, error) { return d.OpenFD(name, flags, 0) },
		"stepwise": func(name string, flags int) (int, error) {
			return d.openStepwise(name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		},
	}
	for how, open := range openers {
		for _, tc := range []struct {
			name string
			ok   bool
		}{
			{"a/b/file", true}, {"link/b/file", false}, {"a/link/file", false}, {"a/b/link", false}, {"abs", false},
			{"a/b/absent", false},
		} {
			fd, err := open(tc.name, unix.O_RDONLY)
			if (err == nil) != tc.ok {
				t.Errorf("%s %s: %v", how, tc.name, err)
			}
			if err == nil {
				unix.Close(fd)
			}
		}
	}
	if _, err := d.ReadFile("a/b/link", 100); err == nil || !strings.Contains(err.Error(), filepath.Join(root, "a/b/link")+": is a symbolic link") {
		t.Errorf("ReadFile of a link: %v", err)
	}
	if sub, err := d.Sub("link"); err == nil {
		sub.Close()
		t.Error("Sub followed a link")
	}
	sub, err := d.SubFollow("link")
	must(t, err)
	sub.Close()
}

func TestReadFileWantsShortRegularFiles(t *testing.T) {
	d, root := house(t)
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	for _, tc := range []struct {
		name string
		most int
		want string
		err  string
	}{
		{"a/b/file", 6, "inside", ""},
		{"a/b/file", 5, "", "longer"},
		{"fifo", 100, "", "not a regular file"},
		{"a", 100, "", "not a regular file"},
		{"absent", 100, "", "no such file"},
	} {
		b, err := d.ReadFile(tc.name, tc.most)
		if string(b) != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("ReadFile(%s, %d) = %q, %v, want %q, %q", tc.name, tc.most, b, err, tc.want, tc.err)
		}
	}
}

func TestCreateSetsExactlyTheMode(t *testing.T) {
	d, root := house(t)
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	must(t, d.Create("new", []byte("x"), 0o664))
	sub, err := d.Mkdir("dir", 0o3730)
	must(t, err)
	sub.Close()
	fd, err := d.Mkfifo("fifo", 0o622)
	must(t, err)
	unix.Close(fd)
	for name, want := range map[string]uint32{"new": 0o664, "dir": 0o3730, "fifo": 0o622} {
		st, err := d.Stat(name)
		must(t, err)
		if st.Mode&0o7777 != want {
			t.Errorf("%s has mode %o, want %o", name, st.Mode&0o7777, want)
		}
	}
	if err := d.Create("new", nil, 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a file: %v", err)
	}
	if err := d.Create("abs", nil, 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a link: %v", err)
	}
	must(t, d.Replace("new", []byte("y"), 0o600))
	if b, err := os.ReadFile(filepath.Join(root, "new")); string(b) != "y" {
		t.Errorf("Replace: %q %v", b, err)
	}
}

func TestRenameNoReplace(t *testing.T) {
	d, root := house(t)
	must(t, os.MkdirAll(filepath.Join(root, "full/x"), 0o755))
	must(t, os.Mkdir(filepath.Join(root, "empty"), 0o755))
	for _, to := range []string{"full", "empty", "link"} {
		if err := d.RenameNoReplace("a", to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("rename onto %s: %v", to, err)
		}
	}
	must(t, d.RenameNoReplace("a", "free"))
}

func TestRemoveAllStaysInside(t *testing.T) {
	d, root := house(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "precious"), nil, 0o644))
	must(t, os.Symlink(outside, filepath.Join(root, "a/b/out")))
	must(t, d.RemoveAll("a"))
	must(t, d.RemoveAll("a"))
	if _, err := os.Stat(filepath.Join(outside, "precious")); err != nil {
		t.Error("a link was followed: ", err)
	}
	// The directory itself was replaced by another one of the same name.
	must(t, os.Rename(root, root+".moved"))
	must(t, os.Mkdir(root, 0o755))
	must(t, os.Mkdir(filepath.Join(root, "theirs"), 0o755))
	if err := d.RemoveAll("theirs"); err == nil {
		t.Error("RemoveAll acted in another directory of the same path")
	}
	must(t, os.RemoveAll(root+".moved"))
}

func TestNames(t *testing.T) {
	d, _ := house(t)
	names, err := d.Names()
	must(t, err)
	if want := []string{"a", "abs", "link"}; !slices.Equal(names, want) {
		t.Errorf("Names = %v, want %v", names, want)
	}
}
