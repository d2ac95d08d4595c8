package peerbench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// BenchmarkLog: services of a tree write lines and their loggers stamp them and
// write them to log directories that rotate: the log process of ours, a logger
// for each service otherwise. Processor time is that of everything but the
// services, lines per second are those until the last one is taken.
func BenchmarkLog(b *testing.B) {
	lines := size(b, "BENCH_LINES", 500_000)
	b.Run("1Service", func(b *testing.B) { logging(b, 1, lines, 8<<10, "one service") })
	b.Run("1ServiceLineByLine", func(b *testing.B) { logging(b, 1, lines, 0, "one service, each line by itself") })
	b.Run("50Services", func(b *testing.B) { logging(b, 50, max(lines/25, 1), 8<<10, "50 services") })
}

func logging(b *testing.B, n, lines, write int, title string) {
	rounds := size(b, "BENCH_ROUNDS", 5)
	rate := newResults(ours, "klines/s", "Logging of %s, rate (more is better)", title)
	cost := newResults(ours, "us/line", "Logging of %s, processor time", title)
	service := program(b, lines, write)
	var writers []*writers
	for _, p := range present(peers(b), rate, cost) {
		writers = append(writers, newWriters(up(b, p, n, kind{program: service, logged: true, told: true}), n))
	}
	for i := range rounds + 1 {
		for _, w := range writers {
			took, used := w.round()
			if i > 0 {
				rate.add(w.t.peer.name, float64(n*lines)/took)
				cost.add(w.t.peer.name, used/float64(n*lines))
			}
		}
	}
	for _, w := range writers {
		w.check(lines * (rounds + 1))
	}
	b.Run("Rate", rate.metrics)
	b.Run("CPU", cost.metrics)
}

// writers are the services of a tree that write when they are told.
type writers struct {
	t   *tree
	run []*os.File
}

func newWriters(t *tree, n int) *writers {
	t.b.Helper()
	w := &writers{t: t}
	for i := range n {
		f, err := os.OpenFile(filepath.Join(t.scan, s6test.ServiceName(i), "go"), os.O_RDWR, 0)
		t.must(err)
		t.b.Cleanup(func() { f.Close() })
		w.run = append(w.run, f)
	}
	return w
}

// round returns the milliseconds until all is written and the microseconds of
// processor time of those that took it.
func (w *writers) round() (took, used float64) {
	t := w.t
	t.b.Helper()
	pids := t.supervision()
	before := t.processorTime(pids)
	took = stopwatch(func() {
		for _, f := range w.run {
			_, err := f.Write([]byte{'g'})
			t.must(err)
		}
		t.await(len(w.run))
	})
	pause(100 * time.Millisecond) // for what is still in the pipes
	return took, t.processorTime(pids) - before
}

// check ends the tree and looks for the last line of each service.
func (w *writers) check(lines int) {
	t := w.t
	t.b.Helper()
	last := map[string][]byte{}
	want := fmt.Appendf(nil, "line %08d of a log", lines-1)
	for i := range w.run {
		name := s6test.ServiceName(i)
		last[name] = nil
		for _, file := range logFiles(t, name) {
			text, err := os.ReadFile(file)
			t.must(err)
			if bytes.Contains(text, want) {
				last[name] = want
			}
		}
		if last[name] == nil {
			t.b.Errorf("%s: the last line of %s is not in its log\n%s", t.peer.name, name, t.messages())
		}
	}
	t.stop()
}

func logFiles(t *tree, name string) []string {
	t.b.Helper()
	files, err := filepath.Glob(filepath.Join(t.logDir(name), "*"))
	t.must(err)
	return files
}
