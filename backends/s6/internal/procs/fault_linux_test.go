package procs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Errors of a start say what was wrong.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	b := newBase(t)
	refused := errors.New("not this one")
	for _, tc := range []struct {
		name   string
		spoil  func(t *testing.T, run string)
		change func(*procs.Config)
		fd     int
		is     error
		says   string
	}{
		{name: "no run", is: os.ErrNotExist, spoil: func(t *testing.T, run string) { must(t, os.Remove(run)) }},
		{name: "no right", is: os.ErrPermission, spoil: func(t *testing.T, run string) { must(t, os.Chmod(run, 0o644)) }},
		{name: "no interpreter", is: os.ErrNotExist, says: "/nonexistent/sh", spoil: func(t *testing.T, run string) {
			must(t, os.Remove(run))
			writeProgram(t, run, "#!/nonexistent/sh\n")
		}},
		{name: "refused", is: refused, change: func(c *procs.Config) {
			c.Check = func(path string) error {
				if path != "run" {
					t.Errorf("asked for %q", path)
				}
				return refused
			}
		}},
		{name: "no output", is: refused, change: func(c *procs.Config) {
			c.Stdio = func() (int, int, func(), error) { return 0, 0, nil, refused }
		}},
		{name: "too high a descriptor", fd: 1 << 30, says: "RLIMIT_NOFILE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := makeService(t, map[string]string{"run": sleeper})
			if tc.spoil != nil {
				tc.spoil(t, filepath.Join(dir, "run"))
			}
			d, err := fsat.Open(dir)
			must(t, err)
			defer d.Close()
			cfg := procs.Config{Reaper: b.reaper, Mux: b.mux, Dir: d, Stderr: 2}
			if tc.change != nil {
				tc.change(&cfg)
			}
			fds := []int{0, 3}
			if tc.fd != 0 {
				fds = []int{tc.fd}
			}
			for _, fd := range fds {
				c, err := procs.New(cfg).Start(supervise.StartSpec{Path: "./run", Args: []string{"./run", "web"}, NotifyFD: fd})
				if err == nil {
					c.Signal(unix.SIGKILL, false)
					t.Fatal("it was started")
				}
				if tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}

// A run that is not there is told by a note and tried again on demand.
func TestRunAppears(t *testing.T) {
	t.Parallel()
	dir := makeService(t, nil)
	s := supervised(t, newBase(t), dir)
	s.wantEvents("s")
	s.wantNote(func(n note.Note) bool { return strings.Contains(n.Problem, "run could not be started") })
	fill(t, dir, map[string]string{"run": sleeper})
	s.svc("-wu", "-u")
	if _, err := os.Stat(filepath.Join(dir, note.File)); !os.IsNotExist(err) {
		t.Errorf("the note is still there: %v", err)
	}
}

func (s *subject) wantNote(ok func(note.Note) bool) {
	s.t.Helper()
	until(s.t, "the note", func() bool {
		b, err := os.ReadFile(filepath.Join(s.dir, note.File))
		if err != nil {
			return false
		}
		n, err := note.Decode(b)
		return err == nil && ok(n)
	})
}

// panicky is a store that panics once, when it is armed, at a write of the
// status.
type panicky struct {
	supervise.Store
	armed *atomic.Bool
}

func (p panicky) WriteStatus(s supervise.Status) error {
	if p.armed.CompareAndSwap(true, false) {
		panic("the store is broken")
	}
	return p.Store.WriteStatus(s)
}

// A fault in the supervision leaves the process alone, and the next run of it
// finds the process by its record and knows how it ends.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, command string }{
		{"while it is up", "-p"},
		{"while it is being stopped", "-d"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var armed atomic.Bool
			s := supervised(t, newBase(t), makeService(t, map[string]string{
				"run":             "trap 'exit 3' TERM\necho >&3\nwhile :; do sleep 1000 & wait; done\n",
				"finish":          "echo $* >>ends\n",
				"notification-fd": "3\n",
				"down-signal":     "WINCH\n", // does nothing
			}), func(s *subject) {
				s.store = func(real supervise.Store) supervise.Store { return panicky{real, &armed} }
			})
			s.svwait("-U")
			pid := s.pid()
			armed.Store(true)
			s.svc(tc.command)
			err := s.left()
			if fault := (*supervise.PanicError)(nil); !errors.As(err, &fault) {
				t.Fatalf("the run ends with %v", err)
			}
			s.wantNote(func(n note.Note) bool { return n.Failed && strings.Contains(n.Problem, "the store is broken") })
			if !alive(pid) {
				t.Fatal("the process has not outlived it")
			}
			s.begin(err.Error())
			s.wantEvents("suUs")
			s.wantNote(func(n note.Note) bool { return n.Adopted })
			if got := s.pid(); got != pid {
				t.Errorf("process %d, want %d", got, pid)
			}
			must(t, os.Remove(filepath.Join(s.dir, "down-signal")))
			s.svc("-wD", "-cd")
			// It is our child all the same: so its exit code is known.
			s.wantFile("ends", fmt.Sprintf("3 0 web %d", pid))
			if got := s.stat("exitcode,signum"); got != "3 -1" {
				t.Errorf("afterwards: %s", got)
			}
		})
	}
}

// A process that dies while nobody supervises is not missed, and not taken for
// alive.
func TestDeathBetweenRuns(t *testing.T) {
	t.Parallel()
	s := supervised(t, newBase(t), makeService(t, map[string]string{"run": sleeper}))
	s.svwait("-u")
	pid := s.pid()
	s.end()
	s.left()
	must(t, unix.Kill(pid, unix.SIGKILL))
	until(t, "the process is not reaped", func() bool { return unix.Kill(pid, 0) == unix.ESRCH })
	s.begin("")
	s.wantEvents("suxsu")
	if got := s.pid(); got == pid || !alive(got) {
		t.Errorf("process %d, was %d", got, pid)
	}
	s.svc("-wD", "-d")
}

// A full disk, and directories that are gone, are warnings: the process is
// supervised as before.
func TestServiceGoesOn(t *testing.T) {
	for _, tc := range []struct {
		name, says  string
		spoil, mend func(t *testing.T, dir string)
	}{
		{
			"full disk", "no space left",
			func(t *testing.T, dir string) {
				err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20), 0o644)
				if !errors.Is(err, unix.ENOSPC) {
					t.Fatal("the file system is not full: ", err)
				}
			},
			func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "ballast"))) },
		},
		{
			"no right to write", "permission denied",
			func(t *testing.T, dir string) {
				if os.Geteuid() == 0 {
					t.Skip("root may write everywhere")
				}
				must(t, os.Chmod(filepath.Join(dir, "supervise"), 0o500))
			},
			func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "supervise"), 0o700)) },
		},
		{
			"supervise is gone", "no such file",
			func(t *testing.T, dir string) {
				must(t, os.Rename(filepath.Join(dir, "supervise"), filepath.Join(dir, "moved")))
			},
			func(t *testing.T, dir string) {
				must(t, os.Rename(filepath.Join(dir, "moved"), filepath.Join(dir, "supervise")))
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := makeService(t, nil)
			if tc.name == "full disk" {
				dir = smallDisk(t)
			}
			fill(t, dir, map[string]string{"run": sleeper, "finish": "exit 0\n"})
			s := supervised(t, newBase(t), dir)
			s.svwait("-u")
			pid := s.pid()
			tc.spoil(t, dir)
			// Nothing can be sent by s6-svc where supervise is gone.
			s.mu.Lock()
			err := s.now.Control([]byte("pcd"))
			s.mu.Unlock()
			must(t, err)
			until(t, "it does not end", func() bool { return !alive(pid) })
			s.wantEvents("sudD")
			if w := s.warnings(); !strings.Contains(w, tc.says) || !strings.Contains(w, "status") {
				t.Errorf("warnings %q", w)
			}
			// Nothing is started that could not be found again.
			s.mu.Lock()
			err = s.now.Control([]byte("u"))
			s.mu.Unlock()
			must(t, err)
			until(t, "it does not say why it is not started", func() bool {
				return strings.Contains(s.warnings(), "not started: the instance record could not be written")
			})
			tc.mend(t, dir)
			s.svc("-u")
			s.wantEvents("sudDu")
			if got := s.pid(); got == pid {
				t.Errorf("process %d again", got)
			}
			s.svc("-wD", "-d")
		})
	}
}

// smallDisk is a file system of 64 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system; the test ran as root before")
	}
	mnt := s6test.Dir(t, 0)
	if err := unix.Mount("tmpfs", mnt, "tmpfs", 0, "size=64k,mode=755"); errors.Is(err, unix.EPERM) {
		t.Skip("root may not mount here: ", err)
	} else {
		must(t, err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(mnt, unix.MNT_DETACH)) })
	return filepath.Join(mnt, "web")
}
