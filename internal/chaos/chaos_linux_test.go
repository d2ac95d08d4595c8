package chaos

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// world is one run.
type world struct {
	t       testing.TB
	clock   systemClock
	rand    *rand.Rand
	exe     string
	root    string // everything is below it
	scan    string
	treeLog string
	volume  *volume

	all      []*service
	hasPiped bool
	tree     *exec.Cmd // nil while there is none
	agenda   []task
	opening  map[*service]bool // whose logs the present tree has not yet opened

	done, trees, logKills, fills int
}

// task is something to do later.
type task struct {
	at time.Time
	do func()
}

func chaos(t *testing.T) {
	dir := os.Getenv(insideVar)
	w := &world{
		t: t, rand: newRand(newSeed()), root: filepath.Dir(dir),
		volume: newVolume(t, dir), opening: map[*service]bool{},
	}
	w.scan, w.treeLog = filepath.Join(w.root, "scan"), filepath.Join(w.root, "tree.log")
	var err error
	w.exe, err = os.Executable()
	must(t, err)
	must(t, os.Mkdir(w.scan, 0o755))
	must(t, os.Mkdir(filepath.Join(w.root, "away"), 0o755))
	must(t, os.Mkdir(filepath.Join(w.root, "logs"), 0o755))
	t.Cleanup(w.clear)
	if !w.volume.own {
		t.Log("without root the log volume is never full")
	}
	w.makeServices(services())
	for _, s := range w.all {
		w.hasPiped = w.hasPiped || s.logger == piped
	}

	w.startTree()
	w.await("services are supervised", w.unsupervised)
	w.await("calm services are up", w.calmDown)
	began := time.Now()
	w.rage(duration())
	raged := time.Now()
	w.settle()
	t.Logf("raged for %v, settled in %v", raged.Sub(began).Round(time.Millisecond), time.Since(raged).Round(time.Millisecond))
	w.check()
	w.compare()
	wantEmpty := w.holdPipes()
	w.endTree()
	wantEmpty()
	w.checkEnd()
	w.checkLogs()
	w.checkWords()
	// In so long a time it is next to impossible that none was due.
	if duration() >= 30*time.Second && (w.logKills == 0 || w.trees < 2) {
		t.Errorf("the log process was killed %d times, and there were %d trees: the chaos does not reach them", w.logKills, w.trees)
	}
	t.Logf("%d deeds; %d trees, log process killed %d times, volume filled %d times, clock set %d times",
		w.done, w.trees, w.logKills, w.fills, w.clock.steps)
}

// calmDown tells which calm services are not up. They get to stay up: a process
// that is just being started when the tree is killed would be ended.
func (w *world) calmDown() []string {
	var missing []string
	for _, s := range w.all {
		if s.calm && !w.isUp(s) {
			missing = append(missing, s.name)
		}
	}
	return missing
}

// checkWords wants nothing in what the tree and others have said that is an error
// of the program.
func (w *world) checkWords() {
	b, err := os.ReadFile(w.treeLog)
	must(w.t, err)
	lines := strings.Split(string(b), "\n")
	for i, line := range lines {
		for _, word := range []string{"DATA RACE", "panic:", "panic in", "fatal error", "supervision begins anew", "LEAK", "the tree failed"} {
			if strings.Contains(line, word) {
				w.t.Errorf("the tree says:\n%s", strings.Join(lines[max(0, i-3):min(len(lines), i+80)], "\n"))
				return
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(w.root, "violations")); err == nil {
		w.t.Errorf("two instances at a time:\n%s", b)
	}
}

// clear ends all there is, however the test ended.
func (w *world) clear() {
	if w.tree != nil {
		_ = w.tree.Process.Kill()
		_ = w.tree.Wait()
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		left := 0
		for _, p := range processes() {
			mine := below(p.cwd, w.scan) || below(p.cwd, filepath.Join(w.root, "away"))
			if mine || w.isLogProcess(p) {
				_ = unix.Kill(p.pid, unix.SIGKILL)
				left++
			}
		}
		if left == 0 {
			break
		}
		<-tick.C
	}
	if os.Getenv("CHAOS_KEEP") != "" {
		_ = exec.Command("cp", "-a", w.root, os.Getenv("CHAOS_KEEP")).Run()
	}
}
