package peerbench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// What happens in TestOrphansWhileServicesRestart, at least.
const (
	manyOrphans  = 10_000
	manyServices = 100
	manyRuns     = 5 // of each service
	makers       = 2 // that make orphans at the same time
	allReaped    = 42
)

// TestOrphansWhileServicesRestart: orphans as fast as they can be made. Under our
// init services that end and start again all the time are beside them. No zombie
// is left, and the end of each run of a service is told to its finish, as it was.
func TestOrphansWhileServicesRestart(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range inits(s6test.Binary(t)) {
		t.Run(f.name, func(t *testing.T) {
			if f.absent != "" {
				s6test.Missing(t, f.name+" is "+f.absent)
			}
			bs := newBoxes(t)
			services := ""
			if f.name == ours {
				services = bs.restarting()
				f.argv = append(f.argv[:2:2], "--scandir", services, "--grace", "60s", "--stop-within", "60s", "--")
			}
			begin := time.Now()
			b := bs.start(f, self, makeOrphans, bs.program, services)
			b.said.SetReadDeadline(time.Now().Add(patience))
			text, err := io.ReadAll(b.said)
			if err != nil {
				t.Fatalf("%s, after %q: %v; it says %q", f.name, text, err, b.heard())
			}
			b.wait(allReaped)
			t.Logf("%s: %.2f s, %s%s", f.name, time.Since(begin).Seconds(), text, bs.checkRuns(services))
		})
	}
}

// restarting makes a scan directory of services that end at once, each with a
// code of its own, whatever they are told. It is on a tmpfs, as scan directories
// are: ext4 gives no inode out again for seconds, and searches for others.
func (bs *boxes) restarting() string {
	bs.t.Helper()
	scan, err := os.MkdirTemp("/dev/shm", "peerbench-")
	bs.must(err)
	bs.t.Cleanup(func() { os.RemoveAll(scan) })
	for i := range manyServices {
		dir := filepath.Join(scan, s6test.ServiceName(i))
		bs.must(os.Mkdir(dir, 0o755))
		for name, text := range map[string]string{
			"run":            fmt.Sprintf("#!/bin/sh\necho >> runs\nexit %d\n", codeOf(i)),
			"finish":         "#!/bin/sh\necho $1 >> ends\n",
			"timeout-finish": "0\n",
			"down-signal":    "CONT\n",
		} {
			bs.must(writeProgram(filepath.Join(dir, name), text, 0o755))
		}
	}
	return scan
}

// codeOf is the exit code of a service.
func codeOf(i int) int { return 100 + i }

// checkRuns wants each run of each service to have ended once, as it did.
func (bs *boxes) checkRuns(scan string) string {
	bs.t.Helper()
	if scan == "" {
		return ""
	}
	sum := 0
	for i := range manyServices {
		dir := filepath.Join(scan, s6test.ServiceName(i))
		runs, err := os.ReadFile(filepath.Join(dir, "runs"))
		bs.must(err)
		ends, err := os.ReadFile(filepath.Join(dir, "ends"))
		bs.must(err)
		if want := strings.Repeat(fmt.Sprintln(codeOf(i)), len(runs)); string(ends) != want {
			bs.t.Errorf("service %d ran %d times and ends with %d, but its finish has seen %q", i, len(runs), codeOf(i), ends)
		}
		sum += len(runs)
	}
	return fmt.Sprintf(", %d runs of %d services", sum, manyServices)
}

// makeOrphans is the role of this program that is the main program of an init. It
// is followed by the path of the program that makes them, and the scan directory
// of services that restart, which may be empty.
const makeOrphans = "make-orphans"

// orphaned makes orphans and waits until nothing is left of them.
func orphaned(program, scan string) (made int, err error) {
	for made < manyOrphans || !haveRun(scan) {
		var all sync.WaitGroup
		errs := make([]error, makers)
		for i := range makers {
			all.Go(func() { errs[i] = exec.Command(program, "make", strconv.Itoa(orphans/makers)).Run() })
		}
		all.Wait()
		if err := errors.Join(append(errs, startAgain(scan))...); err != nil {
			return made, err
		}
		made += orphans
	}
	// That others reap what they have to has no event.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience / 2); ; <-tick.C {
		left, err := unreaped(filepath.Base(program))
		if err != nil || left == "" {
			return made, err
		}
		if time.Now().After(end) {
			return made, fmt.Errorf("not reaped: %s", left)
		}
	}
}

// startAgain has all services start that are down: by themselves they would wait
// for a second.
func startAgain(scan string) error {
	for i := 0; scan != "" && i < manyServices; i++ {
		control, err := os.OpenFile(filepath.Join(scan, s6test.ServiceName(i), "supervise", "control"), os.O_WRONLY|unix.O_NONBLOCK, 0)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENXIO) { // not supervised yet
			continue
		}
		if err != nil {
			return err
		}
		_, err = control.Write([]byte("u"))
		control.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// haveRun says whether each service has run often enough.
func haveRun(scan string) bool {
	for i := 0; scan != "" && i < manyServices; i++ {
		info, err := os.Stat(filepath.Join(scan, s6test.ServiceName(i), "runs"))
		if err != nil || info.Size() < manyRuns {
			return false
		}
	}
	return true
}

// unreaped is an orphan, dead or alive, or another zombie that is the first
// process's; or empty.
func unreaped(name string) (string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil { // it is gone
			continue
		}
		if bytes.Contains(stat, []byte("("+name+")")) || bytes.Contains(stat, []byte(") Z 1 ")) {
			return string(stat), nil
		}
	}
	return "", nil
}
