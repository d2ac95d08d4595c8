package chaos

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// What is written into control FIFOs: all that has a meaning, and some that has
// none.
const (
	anyByte  = "abqhkti12ypcPCKrloduDUxOQucCucCuUcC?"
	calmByte = "ypcPCcCuUOo?"
	logByte  = "aaaaaaadtoxuUpcDuUcu"
)

// deed is something that is done at random times.
type deed struct {
	mean time.Duration // between two
	do   func()
	next time.Time
}

// rage does all of it, at random, for a time.
func (w *world) rage(d time.Duration) {
	w.t.Helper()
	deeds := []*deed{
		{mean: 6 * time.Millisecond, do: w.writeBytes},
		{mean: 60 * time.Millisecond, do: w.writeLogBytes},
		{mean: 50 * time.Millisecond, do: w.signalService},
		{mean: 2 * time.Second, do: w.signalLogger},
		{mean: 3 * time.Second, do: w.killLogProcess},
		{mean: 4 * time.Second, do: w.killTreeForAWhile},
		{mean: 300 * time.Millisecond, do: func() { w.command([]string{"a", "h", "an", "aN", "z"}[w.rand.IntN(5)]) }},
		{mean: 400 * time.Millisecond, do: w.takeAway},
		{mean: 3 * time.Second, do: w.fillForAWhile},
	}
	if mayStepClock() {
		deeds = append(deeds, &deed{mean: time.Second, do: w.stepClock})
		defer w.setClock(0)
	}
	for _, a := range deeds {
		a.next = time.Now().Add(w.exp(a.mean))
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); ; <-tick.C {
		now := time.Now()
		if now.After(end) {
			return
		}
		w.due(now)
		for _, a := range deeds {
			if now.After(a.next) {
				a.do()
				w.done++
				a.next = time.Now().Add(w.exp(a.mean))
			}
		}
	}
}

func (w *world) exp(mean time.Duration) time.Duration {
	return time.Duration(w.rand.ExpFloat64() * float64(mean))
}

// later does something after a random time, at most so much later.
func (w *world) later(most time.Duration, do func()) {
	at := time.Now()
	if most > 0 {
		at = at.Add(time.Duration(w.rand.Int64N(int64(most))))
	}
	w.agenda = append(w.agenda, task{at, do})
}

// due does what is due; with the zero time, all there is.
func (w *world) due(now time.Time) {
	w.opened()
	all := w.agenda
	w.agenda = nil
	for _, t := range all {
		if now.IsZero() || now.After(t.at) {
			t.do()
		} else {
			w.agenda = append(w.agenda, t)
		}
	}
}

func (w *world) any() *service { return w.all[w.rand.IntN(len(w.all))] }

// bytes are some of a set.
func (w *world) bytes(set string) string {
	b := make([]byte, 1+w.rand.IntN(3))
	for i := range b {
		b[i] = set[w.rand.IntN(len(set))]
	}
	return string(b)
}

func (w *world) writeBytes() {
	s, set := w.any(), anyByte
	if s.calm {
		set = calmByte
	}
	b := w.bytes(set)
	if s.away {
		return
	}
	s.asked = s.asked || slices.Contains([]byte(b), 'x')
	send(s.dir, b)
}

func (w *world) writeLogBytes() {
	s := w.any()
	b := w.bytes(logByte)
	switch {
	case s.away || s.logger == unlogged:
		return
	case s.logger == piped:
		b = w.bytes(anyByte)
	case slices.Contains([]byte(b), 'x'):
		w.leaves(s, "x to its log")
	}
	s.logged = s.logged || slices.Contains([]byte(b), 'x')
	send(s.log(), b)
}

// signalService ends or halts a service.
func (w *world) signalService() {
	s, n := w.any(), w.rand.IntN(5)
	if !s.calm && !s.away {
		w.signal(s.dir, n)
	}
}

func (w *world) signalLogger() {
	s := w.any()
	for s.logger != piped && w.hasPiped {
		s = w.any()
	}
	if n := w.rand.IntN(5); s.logger == piped && !s.away {
		w.signal(s.log(), n)
	}
}

func (w *world) signal(dir string, n int) {
	st, err := readStatus(dir)
	if err != nil || st.pid == 0 {
		return
	}
	h, ok := hold(st.pid, dir)
	if !ok {
		return
	}
	switch n {
	case 0, 1:
		h.signal(unix.SIGKILL)
	case 2:
		h.signal(unix.SIGTERM)
	default:
		h.signal(unix.SIGSTOP)
		w.later(500*time.Millisecond, func() {
			h.signal(unix.SIGCONT)
			h.close()
		})
		return
	}
	h.close()
}

// killLogProcess kills all there are: that of a dead tree lives on for a while.
func (w *world) killLogProcess() {
	for _, p := range processes() {
		if w.isLogProcess(p) {
			_ = unix.Kill(p.pid, unix.SIGKILL)
			w.logKills++
		}
	}
}

// isLogProcess says whether a process is that of a tree of this test, whatever
// else the tree tells it.
func (w *world) isLogProcess(p process) bool {
	return len(p.args) > 1 && p.args[0] == w.exe && p.args[1] == logRole
}

func (w *world) killTreeForAWhile() {
	if w.tree == nil {
		return
	}
	w.killTree()
	pause := time.Duration(0)
	if w.rand.IntN(2) == 0 {
		pause = 500 * time.Millisecond
	}
	w.later(pause, w.startTree)
}

// takeAway takes a service out of the scan directory for a while.
func (w *world) takeAway() {
	s, hard := w.any(), w.rand.IntN(2) == 0
	if s.calm || s.away {
		return
	}
	there := s.dir
	s.away, s.asked, s.logged = true, true, true
	w.leaves(s, "its directory was taken away")
	s.dir = filepath.Join(w.root, "away", s.name)
	must(w.t, os.Rename(there, s.dir))
	w.command(map[bool]string{true: "aN", false: "an"}[hard])
	w.later(2*time.Second, func() {
		must(w.t, os.Rename(s.dir, there))
		s.dir, s.away = there, false
		s.asked, s.logged = true, true
		w.command("a")
	})
}

func (w *world) fillForAWhile() {
	if w.volume.fills() {
		w.fills++
		w.later(1500*time.Millisecond, w.volume.frees)
	}
}
