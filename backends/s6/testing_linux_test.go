package s6

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// patience bounds every test's waits; none is meant to be reached.
const patience = 60 * time.Second

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// openOn opens a manager on a tree; the end of the test closes it.
func openOn(t testing.TB, tr *s6test.Tree, opts ...Option) *manager {
	t.Helper()
	m, err := Backend(opts...).Open(context.Background(), sm.Options{ScanDir: tr.ScanDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m.(*manager)
}

func itoa(n int) string { return strconv.Itoa(n) }

func sleeper(name string) sm.Spec {
	return sm.Spec{Name: name, Command: []string{"sleep", "1000"}}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// leftovers are the names in the scan directory that only we make.
func leftovers(t testing.TB, tr *s6test.Tree) []string {
	t.Helper()
	entries, err := os.ReadDir(tr.ScanDir)
	must(t, err)
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ourPrefix) {
			names = append(names, e.Name())
		}
	}
	return names
}

// supervisors counts the s6-supervise processes of a tree by their argument. A
// child of one that has not yet executed run looks like its parent and does not
// count.
func supervisors(t testing.TB, tr *s6test.Tree) map[string]int {
	t.Helper()
	s6Only(t, tr, "supervisors are no processes of their own")
	found := map[int]string{}
	parents := map[int]int{}
	for _, pid := range s6test.Below(tr.Dir) {
		b, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline"))
		words := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
		if err == nil && filepath.Base(words[0]) == "s6-supervise" && len(words) > 1 {
			found[pid] = words[len(words)-1]
			parents[pid] = parentOf(pid)
		}
	}
	count := map[string]int{}
	for pid, name := range found {
		if found[parents[pid]] != name {
			count[name]++
		}
	}
	return count
}

// parentOf reads the fourth field of /proc/PID/stat.
func parentOf(pid int) int {
	b, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}
