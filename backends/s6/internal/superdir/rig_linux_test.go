package superdir

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

func TestMain(m *testing.M) { os.Exit(s6test.Main(m)) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// service makes a directory with a run that is never started by superdir.
func service(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(s6test.Dir(t, os.Geteuid()), "web")
	must(t, os.Mkdir(dir, 0o755))
	return dir
}

func tryOpen(t testing.TB, path string, cfg Config) (*Dir, error) {
	t.Helper()
	dir, err := fsat.Open(path)
	must(t, err)
	return Open(dir, cfg)
}

// open takes a directory for as long as the test lasts.
func open(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := tryOpen(t, path, Config{Group: NoGroup, Warn: func(text string) { t.Error("warning:", text) }})
	must(t, err)
	t.Cleanup(func() { closeOnce(d) })
	return d
}

// closeOnce closes what the test may have closed.
func closeOnce(d *Dir) {
	if d.lockFD >= 0 {
		d.Close()
	}
}

// umask sets the umask for one test, which must not be a parallel one.
func umask(t *testing.T, mask int) {
	old := unix.Umask(mask)
	t.Cleanup(func() { unix.Umask(old) })
}

// tool runs an s6 program and returns what it says and its exit code.
func tool(t testing.TB, name string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(s6test.Tool(t, name), args...)
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b)), cmd.ProcessState.ExitCode()
}

// wantTool expects an exit code of an s6 program.
func wantTool(t testing.TB, code int, name string, args ...string) string {
	t.Helper()
	out, got := tool(t, name, args...)
	if got != code {
		t.Errorf("%s %s: exit code %d, want %d: %s", name, strings.Join(args, " "), got, code, out)
	}
	return out
}

// supervisor runs a real s6-supervise for a directory, under the umask of the
// test, until the returned function ends it.
func supervisor(t *testing.T, dir string) (end func()) {
	t.Helper()
	cmd := exec.Command(s6test.Tool(t, "s6-supervise"), dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(cmd.Path)+":"+os.Getenv("PATH"))
	must(t, cmd.Start())
	ended := false
	end = func() {
		if !ended {
			ended = true
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
		}
	}
	t.Cleanup(end)
	return end
}

// until waits for a condition on the outside world.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited in vain: " + what)
		}
	}
}

func mode(t testing.TB, path string) uint32 {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Lstat(path, &st))
	return st.Mode & 0o7777
}

// descriptors counts those that are open.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}
