package peerbench

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// results is what one measure has found, for us and for the peers.
type results struct {
	title, unit string
	base        string               // the row that the others are compared with
	rows        []string             // in the order of the table
	samples     map[string][]float64 // one of each round
	notes       map[string]string    // of rows without samples: why
}

func newResults(base, unit, title string, args ...any) *results {
	return &results{
		title: fmt.Sprintf(title, args...), unit: unit, base: base,
		samples: map[string][]float64{}, notes: map[string]string{},
	}
}

func (r *results) row(name string) {
	if !slices.Contains(r.rows, name) {
		r.rows = append(r.rows, name)
	}
}

func (r *results) add(name string, value float64) {
	r.row(name)
	r.samples[name] = append(r.samples[name], value)
}

func (r *results) missing(name, why string) {
	r.row(name)
	r.notes[name] = why
}

// ratios compares the base with a peer, round by round.
func (r *results) ratios(name string) (ofMedians float64, each []float64) {
	ours, peer := r.samples[r.base], r.samples[name]
	if name == r.base || len(ours) == 0 || len(peer) == 0 {
		return 0, nil
	}
	for i := range min(len(ours), len(peer)) {
		each = append(each, ours[i]/peer[i])
	}
	return at(ours, 0.5) / at(peer, 0.5), each
}

// metrics reports to the testing package and keeps the table for the end.
func (r *results) metrics(b *testing.B) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	for _, name := range r.rows {
		if len(r.samples[name]) == 0 {
			continue
		}
		unit := strings.ReplaceAll(name, " ", "-")
		b.ReportMetric(at(r.samples[name], 0.5), unit+"-"+r.unit)
		if ratio, each := r.ratios(name); each != nil {
			b.ReportMetric(ratio, r.baseUnit()+"/"+unit)
		}
	}
	tables.Lock()
	defer tables.Unlock()
	if !slices.Contains(tables.all, r) {
		tables.all = append(tables.all, r)
	}
}

func (r *results) baseUnit() string { return strings.ReplaceAll(r.base, " ", "-") }

// print writes the table, in Markdown.
func (r *results) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %s\n\n", r.title, r.unit)
	fmt.Fprintf(w, "| | median | p10 to p90 | %s : this | p10 to p90 |\n|---|---|---|---|---|\n", r.base)
	for _, name := range r.rows {
		s := r.samples[name]
		if len(s) == 0 {
			fmt.Fprintf(w, "| %s | %s | | | |\n", name, r.notes[name])
			continue
		}
		fmt.Fprintf(w, "| %s | %s | %s to %s |", name, short(at(s, 0.5)), short(at(s, 0.1)), short(at(s, 0.9)))
		if ratio, each := r.ratios(name); each != nil {
			fmt.Fprintf(w, " %s | %s to %s |\n", short(ratio), short(at(each, 0.1)), short(at(each, 0.9)))
		} else {
			fmt.Fprintf(w, " | |\n")
		}
	}
}

// short is three digits that count.
func short(x float64) string {
	decimals := 3
	for limit := 1.0; decimals > 0 && x >= limit; limit *= 10 {
		decimals--
	}
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// tables are printed at the end of the run: what a benchmark prints meanwhile
// would be in the middle of a line, or cut.
var tables struct {
	sync.Mutex
	all []*results
}

func printTables(w io.Writer) {
	tables.Lock()
	defer tables.Unlock()
	for _, r := range tables.all {
		r.print(w)
	}
}

// sideBySide runs ours and peer alternately; the times are in milliseconds,
// divided by per (things done in one round).
func sideBySide(b *testing.B, rounds int, per float64, ours, peer func()) {
	b.Helper()
	pair(b, "ms", rounds,
		func() float64 { return stopwatch(ours) / per },
		func() float64 { return stopwatch(peer) / per })
}

// pair runs two measures alternately. The first round warms caches and does not
// count.
func pair(b *testing.B, unit string, rounds int, ours, peer func() float64) {
	b.Helper()
	r := newResults("ours", unit, "%s", strings.TrimPrefix(b.Name(), "Benchmark"))
	for i := range rounds + 1 {
		x, y := ours(), peer()
		if i > 0 {
			r.add("ours", x)
			r.add("peer", y)
		}
	}
	r.metrics(b)
}

// stopwatch is how long f takes, in milliseconds.
func stopwatch(f func()) float64 {
	begin := time.Now()
	f()
	return milliseconds(time.Since(begin))
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// at returns a quantile of the sample.
func at(sample []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(sample))
	return s[int(q*float64(len(s)-1)+0.5)]
}

// size is how much is done, smaller by environment for a quick run.
func size(b *testing.B, variable string, otherwise int) int {
	b.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q is no number", variable, text)
	}
	return n
}
