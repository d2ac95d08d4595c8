package lock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A process does not see its own locks, so the tests' holder is this binary
// again.
const (
	fileVar = "LOCK_TEST_FILE"
	kindVar = "LOCK_TEST_KIND"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(fileVar); path != "" {
		os.Exit(holder(path, os.Getenv(kindVar)))
	}
	os.Exit(m.Run())
}

func holder(path, kind string) int {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cmd, how := unix.F_SETLK, unix.Flock_t{Type: unix.F_WRLCK}
	switch kind {
	case "open file description":
		cmd = unix.F_OFD_SETLK
	case "shared":
		how.Type = unix.F_RDLCK
	}
	if err := unix.FcntlFlock(f.Fd(), cmd, &how); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

func hold(t *testing.T, path, kind string) (pid int, release func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fileVar+"="+path, kindVar+"="+kind,
		"GORACE=atexit_sleep_ms=0") // a program with the race detector ends a second late
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	release = func() { in.Close(); cmd.Wait() }
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return cmd.Process.Pid, release
}

func TestHolder(t *testing.T) {
	path := t.TempDir()
	d, err := fsat.Open(path)
	must(t, err)
	defer d.Close()
	check := func(what, name string, wantHeld bool, wantPID int) {
		t.Helper()
		held, pid, err := Holder(d, name)
		if err != nil || held != wantHeld || pid != wantPID {
			t.Errorf("%s: %v, %d, %v, want %v, %d", what, held, pid, err, wantHeld, wantPID)
		}
	}
	// Our own supervisors are told from others by this.
	checkKind := func(kind string, want bool) {
		t.Helper()
		if st, err := Query(d, "lock"); err != nil || st.OpenFile != want {
			t.Errorf("%s: %+v, %v, want a lock of an open file: %v", kind, st, err, want)
		}
	}
	check("absent", "lock", false, 0)
	check("absent directory", "supervise/lock", false, 0)
	must(t, os.WriteFile(filepath.Join(path, "lock"), nil, 0o644))
	check("free", "lock", false, 0)
	for kind, known := range map[string]bool{"exclusive": true, "open file description": false} {
		pid, release := hold(t, filepath.Join(path, "lock"), kind)
		if !known {
			pid = 0
		}
		check(kind, "lock", true, pid)
		check(kind+", again", "lock", true, pid) // asking takes nothing away
		checkKind(kind, !known)
		release()
		check("released", "lock", false, 0)
		checkKind("released", false)
	}
	hold(t, filepath.Join(path, "lock"), "shared")
	check("shared, which is no supervisor's", "lock", false, 0)
}

// A holder that has spoken still has the whole lock to all who want it, until it
// dies.
func TestSpeak(t *testing.T) {
	path := t.TempDir()
	d, err := fsat.Open(path)
	must(t, err)
	defer d.Close()
	fd, err := Take(d, "lock", 0o600)
	must(t, err)
	check := func(what string, want State) {
		t.Helper()
		if st, err := Query(d, "lock"); err != nil || st != want {
			t.Errorf("%s: %+v, %v, want %+v", what, st, err, want)
		}
		f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR, 0)
		must(t, err)
		defer f.Close()
		err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
		if (err != nil) != want.Held {
			t.Errorf("%s: somebody else takes it: %v", what, err)
		}
	}
	check("just taken", State{Held: true, OpenFile: true, Silent: true})
	for range 2 {
		must(t, Speak(fd))
		check("has spoken", State{Held: true, OpenFile: true})
		if _, err := Take(d, "lock", 0o600); !errors.Is(err, ErrHeld) {
			t.Errorf("taken twice: %v", err)
		}
	}
	must(t, unix.Close(fd))
	check("given back", State{})
	fd, err = Take(d, "lock", 0o600)
	must(t, err)
	check("taken again", State{Held: true, OpenFile: true, Silent: true})
	must(t, unix.Close(fd))
}

func TestHolderOfWhatIsNoLock(t *testing.T) {
	path := t.TempDir()
	d, err := fsat.Open(path)
	must(t, err)
	defer d.Close()
	must(t, os.Symlink("elsewhere", filepath.Join(path, "link")))
	if held, _, err := Holder(d, "link"); err == nil || held {
		t.Errorf("a link: %v, %v", held, err)
	}
	// Nobody writes to the FIFO: opening it must not wait.
	must(t, unix.Mkfifo(filepath.Join(path, "fifo"), 0o600))
	if held, _, _ := Holder(d, "fifo"); held {
		t.Error("a FIFO is held")
	}
}
