package logread

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

func archive(second int, suffix string) string { return tai.Format(at(second)) + suffix }

func TestStored(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		opts  Options
		want  string
	}{
		{name: "empty directory"},
		{name: "empty current", files: map[string]string{current: ""}},
		{name: "current", files: map[string]string{current: "a\nb\n"}, want: "a\nb\n"},
		{name: "no trailing newline", files: map[string]string{current: "a\nb"}, want: "a\nb"},
		{name: "only archives", files: map[string]string{archive(2, ".u"): "b\n", archive(1, ".s"): "a\n"}, want: "a\nb\n"},
		{
			name: "all kinds",
			files: map[string]string{
				current: "d\n", previous: "c\n", archive(1, ".s"): "a\n", archive(2, ".u"): "b\n",
				"lock": "x\n", "state": "x\n", processed: "x\n", "newstate": "x\n", "@.s": "x\n", archive(1, ""): "x\n", archive(1, ".t"): "x\n",
			},
			want: "a\nb\nc\nd\n",
		},
		{name: "bytes are passed on", files: map[string]string{current: "a\r\n\x00\xff\n\n"}, want: "a\r\n\x00\xff\n\n"},
		{name: "lines", files: map[string]string{archive(1, ".s"): "a\nb\n", current: "c\n"}, opts: Options{Lines: 2}, want: "b\nc\n"},
		{name: "lines, previous", files: map[string]string{archive(1, ".s"): "a\n", previous: "b\n", current: "c\n"}, opts: Options{Lines: 2}, want: "b\nc\n"},
		{name: "since", files: map[string]string{archive(5, ".s"): tl(4) + tl(5), current: tl(6)}, opts: Options{Since: at(5)}, want: tl(5) + tl(6)},
		{name: "since, nothing", files: map[string]string{archive(5, ".s"): tl(4) + tl(5), current: tl(6)}, opts: Options{Since: at(7)}},
		{name: "since, lines", files: map[string]string{archive(5, ".s"): ll(4) + ll(5), current: ll(6)}, opts: Options{Since: at(5), Lines: 1}, want: ll(6)},
		{name: "since, no stamps", files: map[string]string{archive(4, ".s"): "a\n", archive(5, ".s"): "b\n", current: "c\n"}, opts: Options{Since: at(5)}, want: "b\nc\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := newTestLog(t)
			for name, text := range tc.files {
				l.check(os.WriteFile(l.path(name), []byte(text), 0o600))
			}
			openLog(t, l.dir, tc.opts).wantEnd(tc.want)

			tc.opts.Follow = true
			r := openLog(t, l.dir, tc.opts)
			r.want(tc.want)
			if !tc.opts.Since.IsZero() {
				l.write("\n") // ends a line that was dropped
				l.write(tl(9))
				if strings.HasSuffix(tc.want, "\n") {
					r.want("\n")
				}
				r.want(tl(9))
				return
			}
			l.write("more\n")
			r.want("more\n")
		})
	}
}

// One stored copy in two names is what a logger leaves that is killed within a
// rotation.
func TestTwoNames(t *testing.T) {
	for _, name := range []string{previous, current} {
		t.Run(name, func(t *testing.T) {
			l := newTestLog(t)
			l.write("a\n")
			l.rotate()
			l.write("b\n")
			if name == previous {
				l.rename()
			}
			l.link(name, ".s")
			openLog(t, l.dir, Options{}).wantEnd("a\nb\n")
			openLog(t, l.dir, Options{Lines: 2}).wantEnd("a\nb\n")

			r := openLog(t, l.dir, Options{Follow: true})
			r.want("a\nb\n")
			l.unlink(name)
			l.reopen()
			l.write("c\n")
			r.want("c\n")
		})
	}
}

// What is written after Open is not part of what is stored.
func TestStoredEndsWhereItEnded(t *testing.T) {
	l := newTestLog(t)
	l.write("a\n")
	l.rotate()
	l.write("b\n")
	r := openLog(t, l.dir, Options{})
	l.write("c\n")
	l.rotate()
	l.write("d\n")
	r.wantEnd("a\nb\n")
}

// An archive that is trimmed before it is read is skipped, one that is open is
// read to its end. The newest is open from the beginning.
func TestStoredIsTrimmed(t *testing.T) {
	l := newTestLog(t)
	for _, line := range []string{"a\n", "b\n", "c\n"} {
		l.write(line)
		l.rotate()
	}
	l.write("d\n")
	r := openLog(t, l.dir, Options{})
	r.want("a")
	l.trim(0)
	r.wantEnd("\nc\nd\n")
}

func TestOpenErrors(t *testing.T) {
	tests := []struct {
		name   string
		make   func(l *testLog) string // returns the path
		target error
		text   string
		follow bool // also then at once
	}{
		{name: "absent", make: func(l *testLog) string { return l.path("x") }, target: fs.ErrNotExist, text: "/log/x: no such file or directory; it is made"},
		{name: "absent parent", make: func(l *testLog) string { return l.path("x/y/z") }, target: fs.ErrNotExist, text: "/log/x/y/z: no such file"},
		{name: "file", make: func(l *testLog) string { l.write(""); return l.path(current) }, text: "/log/current is not a directory", follow: true},
		{name: "link", make: func(l *testLog) string {
			l.check(os.Symlink(".", l.path("link")))
			return l.path("link")
		}, text: "/log/link is a symbolic link", follow: true},
		{name: "dangling link", make: func(l *testLog) string {
			l.check(os.Symlink("nowhere", l.path("link")))
			return l.path("link")
		}, text: "/log/link is a symbolic link", follow: true},
		{name: "below a file", make: func(l *testLog) string { l.write(""); return l.path("current/x") }, text: "/log/current/x: not a directory", follow: true},
		{name: "current is a link", make: func(l *testLog) string {
			l.check(os.WriteFile(l.path("secret"), []byte("secret\n"), 0o600))
			l.check(os.Symlink("secret", l.path(current)))
			return l.dir
		}, text: "/log/current: is a symbolic link", follow: true},
		{name: "current is a FIFO", make: func(l *testLog) string {
			l.check(unix.Mkfifo(l.path(current), 0o600))
			return l.dir
		}, text: "/log/current: is not a regular file", follow: true},
		{name: "current is a directory", make: func(l *testLog) string {
			l.check(os.Mkdir(l.path(current), 0o700))
			return l.dir
		}, text: "/log/current: is not a regular file", follow: true},
		{name: "current is a socket", make: func(l *testLog) string {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			l.check(err)
			defer unix.Close(fd)
			l.check(os.Chdir(l.dir))
			l.check(unix.Bind(fd, &unix.SockaddrUnix{Name: current}))
			return l.dir
		}, text: "/log/current: no such device or address", follow: true},
		{name: "previous is a link", make: func(l *testLog) string {
			l.check(os.Symlink("/etc/passwd", l.path(previous)))
			return l.dir
		}, text: "/log/previous: is a symbolic link", follow: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			here, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chdir(here) })
			path := tc.make(newTestLog(t))
			for _, follow := range []bool{false, true}[:1+btoi(tc.follow)] {
				r, err := Open(t.Context(), path, Options{Follow: follow})
				if err == nil {
					r.Close()
				}
				if err == nil || tc.target != nil && !errors.Is(err, tc.target) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("follow %v: error %v, want one with %q", follow, err, tc.text)
				}
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestArchiveThatIsNoFile(t *testing.T) {
	l := newTestLog(t)
	l.write("a\n")
	l.rotate()
	l.write("b\nc\n")
	l.check(os.Symlink("/etc/passwd", l.path(archive(-1, ".s"))))
	openLog(t, l.dir, Options{}).wantError(nil, "symbolic link")
	openLog(t, l.dir, Options{Lines: 1}).wantEnd("c\n") // it is not needed
}

// An error is not forgotten.
func TestErrorStays(t *testing.T) {
	l := newTestLog(t)
	l.write("a\n")
	r := openLog(t, l.dir, Options{Follow: true})
	r.want("a\n")
	l.rename()
	l.check(os.Symlink("/etc/passwd", l.path(current)))
	for range 2 {
		r.wantError(nil, "symbolic link")
	}
}

func TestOptionsAndContext(t *testing.T) {
	l := newTestLog(t)
	if _, err := Open(t.Context(), l.dir, Options{Lines: -1}); err == nil {
		t.Error("no error for a negative number of lines")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, follow := range []bool{false, true} {
		if _, err := Open(ctx, l.dir, Options{Follow: follow}); !errors.Is(err, context.Canceled) {
			t.Errorf("follow %v: error %v, want that of the context", follow, err)
		}
	}
}

// A path above may lead through links, and be relative.
func TestPathThroughLink(t *testing.T) {
	l := newTestLog(t)
	l.write("a\n")
	above := t.TempDir()
	l.check(os.Symlink(filepath.Dir(l.dir), filepath.Join(above, "link")))
	openLog(t, filepath.Join(above, "link", "log"), Options{}).wantEnd("a\n")

	t.Chdir(filepath.Dir(l.dir))
	r := openLog(t, "log/", Options{Follow: true})
	r.want("a\n")
	t.Chdir("/")
	l.rotate()
	l.write("b\n")
	r.want("b\n")
}

func TestNoRight(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	l := newTestLog(t)
	l.write("a\n")
	l.check(os.Chmod(l.path(current), 0))
	for _, follow := range []bool{false, true} {
		if _, err := Open(t.Context(), l.dir, Options{Follow: follow}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("file, follow %v: error %v", follow, err)
		}
	}
	l.check(os.Chmod(l.path(current), 0o600))

	// The directory above can be passed but not read: following works.
	above := filepath.Dir(l.dir)
	l.check(os.Chmod(above, 0o100))
	t.Cleanup(func() { os.Chmod(above, 0o700) })
	r := openLog(t, l.dir, Options{Follow: true})
	r.want("a\n")
	l.write("b\n")
	r.want("b\n")
	if _, err := Open(t.Context(), filepath.Join(above, "x"), Options{Follow: true}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("absent directory in one that cannot be watched: error %v", err)
	}

	l.check(os.Chmod(l.dir, 0o100))
	for _, follow := range []bool{false, true} {
		if _, err := Open(t.Context(), l.dir, Options{Follow: follow}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("directory, follow %v: error %v", follow, err)
		}
	}
	l.check(os.Chmod(l.dir, 0o700))
}
