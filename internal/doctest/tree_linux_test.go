package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// ownTree is a line that starts our own tree. People take a moment before they
// type the next one; here ready is that moment.
const (
	ownTree = "hermes-gateway svscan &\n"
	ready   = "hermes-gateway svscan -d 3 3>ready &\nread -r _ <ready\n"
)

// What README does with our own tree it does: it survives the death of the tree,
// and nothing is left of it.
func TestReadmeTree(t *testing.T) {
	dir := s6test.Dir(t, os.Geteuid())
	scan := filepath.Join(dir, "service")
	if err := os.Mkdir(scan, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "ready"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, pid := range s6test.Below(dir) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	n := 0
	for _, block := range blocks(read(t, filepath.Join(root, "README.md")), "sh") {
		if !strings.Contains(block, ownTree) {
			continue
		}
		n++
		script := strings.ReplaceAll(block, ownTree, ready)
		script = strings.Replace(script, "kill -9 $!", "kill -9 $!\nwait $! || :\nhermes-gateway status web --json >killed && exit 1", 1) + "wait $!\n"
		cmd := exec.Command("sh", "-eux", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+build(t)+":"+os.Getenv("PATH"), "HERMES_SCANDIR="+scan, "HERMES_HOME="+filepath.Join(dir, "home"))
		cmd.WaitDelay = time.Second // what is left must not hold the test
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if left := s6test.Below(dir); len(left) != 0 {
			t.Errorf("%d processes are left", len(left))
		}
	}
	if n != 1 {
		t.Errorf("%d blocks start a tree", n)
	}
}
