package chaos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// life is one process of a service, as it has noted it itself.
type life struct {
	pid         uint64
	lines       uint64 // that it has written entirely
	began, last uint64 // clock; last is the end of its last write
}

func (w *world) lives(s *service) []life {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "lives"))
	if err != nil && !os.IsNotExist(err) {
		w.t.Error(err)
	}
	var all []life
	for ; len(b) >= 32; b = b[32:] {
		n := func(i int) uint64 { return binary.NativeEndian.Uint64(b[8*i:]) }
		all = append(all, life{n(0), n(1), n(2), n(3)})
	}
	return all
}

// line is what a service writes, the twin of line() in testdata/service.c.
func line(name string, life, seq int) string {
	const pad = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-+"
	return fmt.Sprintf("<%s %06d %08d %s %06d %08d>", name, life, seq, pad[:(seq*7+life)%64], life, seq)
}

// parse is the reverse. Two halves of different lines are none.
func parse(name, text string) (life, seq int, ok bool) {
	words := strings.Split(strings.Trim(text, "<>"), " ")
	if len(words) != 6 {
		return 0, 0, false
	}
	life, err1 := strconv.Atoi(words[1])
	seq, err2 := strconv.Atoi(words[2])
	return life, seq, err1 == nil && err2 == nil && life >= 0 && seq >= 0 && text == line(name, life, seq)
}

// reader follows what a service has written through its log.
type reader struct {
	name    string
	life    int
	next    int         // the line of life that is to come
	written map[int]int // lines of each life
	broken  []string    // lines that are none, since the last that was new
	lost    []string
	torn    int   // lines that are none, in all
	back    int   // how often it began to repeat
	was     place // of the last line that was repeated
	again   int   // bytes repeated in a row
	most    int   // of these
	repeats int   // lines repeated
}

type place struct{ life, seq int }

// maxBatch is what the log process writes at most between two accounts.
const maxBatch = 64 << 10

func (r *reader) take(text string) {
	life, seq, ok := parse(r.name, text)
	switch {
	case !ok:
		r.torn++
		r.broken = append(r.broken, text)
		return
	case life < r.life, life == r.life && seq < r.next:
		if r.again == 0 || life < r.was.life || life == r.was.life && seq <= r.was.seq {
			r.back++
			r.again = 0
		}
		r.was = place{life, seq}
		r.repeats++
		r.again += len(text) + 1
		r.most = max(r.most, r.again)
		return
	}
	r.again = 0
	r.finish(life)
	for ; r.next < seq; r.next++ {
		if missing := line(r.name, life, r.next); !r.mended(missing) {
			r.lost = append(r.lost, missing)
		}
	}
	r.next = seq + 1
	r.written[life] = r.next
	r.broken = r.broken[:0]
}

// finish goes on to a life. The last lines of those before it count where they are
// there but torn.
func (r *reader) finish(life int) {
	for r.life < life {
		for r.mended(line(r.name, r.life, r.next)) {
			r.next++
			r.written[r.life] = r.next
		}
		r.life, r.next = r.life+1, 0
	}
}

// mended says whether all of a line is in one that is torn: a process that was
// killed in it has written its beginning, and the next one has written its end,
// or what follows the beginning of another.
func (r *reader) mended(missing string) bool {
	for _, b := range r.broken {
		head, tail := 0, 0
		for head < min(len(b), len(missing)) && b[head] == missing[head] {
			head++
		}
		for tail < min(len(b), len(missing)) && b[len(b)-1-tail] == missing[len(missing)-1-tail] {
			tail++
		}
		if head+tail >= len(missing) {
			return true
		}
	}
	return false
}

func (w *world) checkLogs() {
	w.t.Helper()
	lines, repeats, back, torn, lives, tails := 0, 0, 0, 0, 0, 0
	for _, s := range w.all {
		if s.logger != pooled {
			continue
		}
		r := &reader{name: s.name, written: map[int]int{}}
		for _, text := range bytes.Split(w.content(s), []byte{'\n'}) {
			if len(text) > 0 {
				r.take(string(text))
			}
		}
		r.finish(len(w.lives(s)))
		if len(r.lost) > 0 {
			w.t.Errorf("%s: %d lines are lost, first %s", s.name, len(r.lost), r.lost[0])
		}
		if kills := w.logKills + w.trees - 1; r.back > kills || r.most > maxBatch+200 {
			w.t.Errorf("%s: lines come again at %d places, up to %d bytes, after %d kills", s.name, r.back, r.most, kills)
		}
		if most := w.logKills + w.trees + len(w.lives(s)); r.torn > most {
			w.t.Errorf("%s: %d lines are torn, more than %d; last %s", s.name, r.torn, most, r.broken)
		}
		tails += w.checkTails(s, r)
		lives += len(w.lives(s))
		for _, n := range r.written {
			lines += n
		}
		repeats, back, torn = repeats+r.repeats, back+r.back, torn+r.torn
	}
	w.t.Logf("%d lines in pooled logs, none lost; %d came again at %d places, %d torn by deaths; of %d processes %d ended where no one had their pipe, and lost their end", lines, repeats, back, torn, lives, tails)
}

// checkTails wants the last line of each process, unless it ended where nobody
// but itself had the pipe open. It returns how many did.
func (w *world) checkTails(s *service, r *reader) (excused int) {
	w.t.Helper()
	lives := w.lives(s)
	for i, l := range lives {
		switch {
		case uint64(r.written[i]) >= l.lines:
		case s.excused(lives, i, r.written):
			excused++
		default:
			w.t.Errorf("%s: process %d (life %d of %d) has written %d lines, %d are in the log; its last write was at %d, gaps %v",
				s.name, l.pid, i, len(lives), l.lines, r.written[i], l.last, s.gaps)
		}
	}
	for i, n := range r.written {
		if i >= len(lives) {
			w.t.Errorf("%s: %d lines of a process that never was, %d", s.name, n, i)
		}
	}
	return excused
}

// excused says whether the pipe was given up after a life, at a time when no
// process of the service was alive. What nobody has read until then is lost, and
// that can be all of several lives.
func (s *service) excused(lives []life, i int, written map[int]int) bool {
	for {
		next := clock()
		if i+1 < len(lives) {
			next = lives[i+1].began
		}
		if s.during(lives[i].last, next) != "" {
			return true
		}
		if i++; i >= len(lives) || written[i] > 0 {
			return false
		}
	}
}

// during tells of a gap within a time.
func (s *service) during(from, to uint64) string {
	for _, g := range s.gaps {
		if g.from <= to && (g.to == 0 || g.to >= from) {
			return g.why
		}
	}
	return ""
}

// holdPipes keeps what is in the pipes of pooled logs through the end of the
// tree, after which nobody else has them open. The result wants them to be empty.
func (w *world) holdPipes() (wantEmpty func()) {
	w.t.Helper()
	var held []*os.File
	for _, s := range w.all {
		if s.logger == pooled {
			fd, err := unix.Open(filepath.Join(s.log(), "supervise/input"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			must(w.t, err)
			held = append(held, os.NewFile(uintptr(fd), s.name))
		}
	}
	return func() {
		for _, f := range held {
			n, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCINQ)
			must(w.t, err)
			if n > 0 {
				w.t.Errorf("%d bytes are left in the pipe of %s", n, f.Name())
			}
			f.Close()
		}
	}
}

// content is the log of a service, oldest first.
func (w *world) content(s *service) []byte {
	w.t.Helper()
	names, err := filepath.Glob(filepath.Join(w.logDir(s), "@*")) // in their order
	must(w.t, err)
	var all []byte
	for _, name := range append(names, filepath.Join(w.logDir(s), "previous"), filepath.Join(w.logDir(s), "current")) {
		text, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Error(err)
		}
		all = append(all, text...)
	}
	return all
}
