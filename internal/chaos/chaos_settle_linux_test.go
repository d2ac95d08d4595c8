package chaos

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// await waits until nothing is missing. It looks again and again, as it looks at
// what the kernel tells.
func (w *world) await(what string, missing func() []string) {
	w.t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		w.opened()
		left := missing()
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			w.failed(fmt.Sprintf("waited in vain until %s:\n%s", what, strings.Join(left, "\n")))
		}
	}
}

// failed ends the test with all that is known.
func (w *world) failed(why string) {
	w.t.Helper()
	var b strings.Builder
	for _, p := range processes() {
		if below(p.cwd, w.root) || len(p.args) > 1 && p.args[0] == w.exe {
			fmt.Fprintf(&b, "%d of %d %c %s %q\n", p.pid, p.parent, p.state, p.cwd, p.args)
		}
	}
	if double, err := os.ReadFile(filepath.Join(w.root, "violations")); err == nil {
		fmt.Fprintf(&b, "two instances at a time:\n%s", double)
	}
	w.t.Fatalf("%s\nprocesses:\n%s\nthe tree said:\n%s", why, b.String(), text(w.treeLog, 60))
}

// settle ends the chaos and demands a state of each service.
func (w *world) settle() {
	w.t.Helper()
	w.volume.frees()
	w.due(time.Time{})
	if w.tree == nil {
		w.startTree()
	}
	w.wakeAll()
	must(w.t, os.WriteFile(filepath.Join(w.root, "steady"), nil, 0o600))
	w.command("a")
	w.await("all services are supervised", w.unsupervised)
	w.countCalm()
	for _, s := range w.all {
		s.up, s.lasts = w.rand.IntN(2) == 0, !s.asked && w.rand.IntN(2) == 0
		w.demand(s)
	}
	again := time.Now().Add(3 * time.Second)
	w.await("all services are as demanded", func() []string {
		var missing []string
		late := time.Now().After(again)
		for _, s := range w.all {
			if why := w.differs(s); why != "" {
				missing = append(missing, fmt.Sprintf("%s (up %v, asked %v, flags %d): %s", s.name, s.up, s.asked, s.flags, why))
				if late && (s.asked || s.logged) {
					w.demand(s) // a supervisor that was leaving may not have heard it
				}
			}
		}
		if late {
			again = time.Now().Add(3 * time.Second)
		}
		return missing
	})
}

// wakeAll ends all halts.
func (w *world) wakeAll() {
	for _, p := range processes() {
		if below(p.cwd, w.scan) {
			_ = unix.Kill(p.pid, unix.SIGCONT)
		}
	}
}

func (w *world) unsupervised() []string {
	var missing []string
	for _, s := range w.all {
		if !supervised(s.dir) || s.logger != unlogged && !supervised(s.log()) {
			missing = append(missing, s.dir)
		}
	}
	return missing
}

// demand tells a service what it is to be, and that it is to go on.
func (w *world) demand(s *service) {
	send(s.dir, "cC"+map[[2]bool]string{
		{true, true}: "u", {true, false}: "U", {false, true}: "d", {false, false}: "D",
	}[[2]bool{s.up, s.lasts}])
	if s.logger != unlogged {
		send(s.log(), "cCU")
	}
}

// differs tells in what a service is not as demanded.
func (w *world) differs(s *service) string {
	st, err := readStatus(s.dir)
	_, down := os.Stat(filepath.Join(s.dir, "down"))
	switch {
	case err != nil:
		return err.Error()
	case !supervised(s.dir):
		return "is not supervised"
	case s.up && !w.isUp(s), !s.up && (st.pid != 0 || st.wantUp):
		return fmt.Sprintf("is %+v", st)
	case !s.lasts && (down == nil) == s.up:
		return fmt.Sprintf("has a file down: %v", down == nil)
	case s.logger == unlogged:
		return ""
	}
	st, err = readStatus(s.log())
	if err != nil || !supervised(s.log()) || st.pid == 0 || st.paused || !st.wantUp || s.logger == pooled && !st.ready {
		return fmt.Sprintf("its log is %+v, %v", st, err)
	}
	return ""
}

func (w *world) isUp(s *service) bool {
	st, err := readStatus(s.dir)
	if err != nil || st.pid == 0 || st.finishing || st.paused || !st.wantUp || !st.ready && s.flags&ready != 0 {
		return false
	}
	h, ok := hold(st.pid, s.dir)
	if ok {
		h.close()
	}
	return ok
}

// countCalm wants those that nothing was done to never to have been started
// again, whatever became of the tree and of the log process.
func (w *world) countCalm() {
	w.t.Helper()
	for _, s := range w.all {
		if n := len(w.lives(s)); s.calm && n != 1 {
			w.t.Errorf("%s was started %d times, and nothing ended it", s.name, n)
		}
	}
}

// check wants one process for each service that is up, none for the others, and
// no zombie.
func (w *world) check() {
	w.t.Helper()
	in := map[string][]process{}
	for _, p := range processes() {
		if p.parent == w.tree.Process.Pid && p.state == 'Z' {
			w.t.Errorf("process %d is a zombie of the tree: %q", p.pid, p.args)
		}
		in[p.cwd] = append(in[p.cwd], p)
	}
	for _, s := range w.all {
		want := map[bool]int{true: 1}[s.up]
		if got := in[s.dir]; len(got) != want {
			w.t.Errorf("%s (up %v) has %d processes: %v", s.name, s.up, len(got), got)
		}
		want = map[bool]int{true: 1}[s.logger == piped]
		if got := in[s.log()]; len(got) != want {
			w.t.Errorf("the log of %s has %d processes: %v", s.name, len(got), got)
		}
	}
}

// compare wants the tree to have no more open than one that has just begun.
func (w *world) compare() {
	w.t.Helper()
	old := w.open()
	wantEmpty := w.holdPipes()
	w.endTree()
	wantEmpty()
	w.demandByFile()
	w.startTree()
	w.await("the reference tree is there", func() []string {
		var missing []string
		for _, s := range w.all {
			if why := w.differs(s); why != "" {
				missing = append(missing, s.name+": "+why)
			}
		}
		return missing
	})
	fresh := w.open()
	for i, what := range []string{"the tree", "the log process"} {
		for kind, n := range old[i].least {
			if n > fresh[i].most[kind] {
				w.t.Errorf("%s had %d of %s open: %v\na new one has %v", what, n, kind, old[i].least, fresh[i].most)
			}
		}
	}
}

// descriptors is how many of each kind a process has open. What comes and goes
// is not in least, and in most.
type descriptors struct{ least, most map[string]int }

func (d *descriptors) add(now map[string]int) {
	if d.least == nil {
		*d = descriptors{maps.Clone(now), maps.Clone(now)}
	}
	for kind := range d.least {
		d.least[kind] = min(d.least[kind], now[kind])
	}
	for kind, n := range now {
		d.most[kind] = max(d.most[kind], n)
	}
}

// open is what the tree and its log process have open, for a while.
func (w *world) open() (seen [2]descriptors) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 30 {
		pids := []int{w.tree.Process.Pid}
		for _, p := range processes() {
			if p.parent == pids[0] && w.isLogProcess(p) {
				pids = append(pids, p.pid)
			}
		}
		for i, pid := range pids {
			seen[i].add(kinds(openFiles(pid)))
		}
		<-tick.C
	}
	return seen
}

// demandByFile has the next tree find what was demanded.
func (w *world) demandByFile() {
	for _, s := range w.all {
		down := filepath.Join(s.dir, "down")
		if s.up {
			_ = os.Remove(down)
		} else {
			must(w.t, os.WriteFile(down, nil, 0o600))
		}
	}
}

// checkEnd wants nothing to be left of a tree that has ended.
func (w *world) checkEnd() {
	w.t.Helper()
	for _, p := range processes() {
		if below(p.cwd, w.scan) || len(p.args) > 1 && p.args[0] == w.exe && slices.Contains([]string{treeRole, logRole}, p.args[1]) {
			w.t.Errorf("process %d is left in %s: %q", p.pid, p.cwd, p.args)
		}
	}
}
