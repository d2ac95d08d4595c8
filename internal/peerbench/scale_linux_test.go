package peerbench

import (
	"testing"
	"time"
)

// settle is the age at which the memory of a tree is measured: this long after
// its last service has started.
const settle = time.Second

// pause lets time pass where that is what is to be measured.
func pause(d time.Duration) { <-time.After(d) }

// BenchmarkServices runs a tree of many services: from the exec of the scanner
// to the last one running, then its memory, then from the signal to the
// scanner's and everybody's end.
func BenchmarkServices(b *testing.B) {
	n, rounds := size(b, "BENCH_SERVICES", 1000), size(b, "BENCH_ROUNDS", 5)
	start := newResults(ours, "ms", "Cold start of %d services", n)
	memory := newResults(ours, "MiB", "Memory of supervision, %d services", n)
	stop := newResults(ours, "ms", "Stop of %d services", n)
	found := present(peers(b), start, memory, stop)
	k := kind{program: program(b, 0, 0)}
	for round := range rounds + 1 {
		for _, p := range found {
			t := newTree(b, p, n, k)
			started := stopwatch(func() {
				t.start()
				t.await(n)
			})
			pause(settle)
			mib, ended := t.memory(), milliseconds(t.stop())
			if round > 0 { // the first warms caches
				start.add(p.name, started)
				memory.add(p.name, mib)
				stop.add(p.name, ended)
			}
		}
	}
	b.Run("ColdStart", start.metrics)
	b.Run("Memory", memory.metrics)
	b.Run("Stop", stop.metrics)
}

// BenchmarkMemory is that of the scanner, the supervisors and the loggers; the
// services' own does not count.
func BenchmarkMemory(b *testing.B) {
	all, service := peers(b), program(b, 0, 0)
	measure := func(name string, n int, logged bool, title string) {
		b.Run(name, func(b *testing.B) {
			r := newResults(ours, "MiB", "Memory of supervision, %s", title)
			found := present(all, r)
			for range min(size(b, "BENCH_ROUNDS", 5), 3) { // it hardly varies
				for _, p := range found {
					t := up(b, p, n, kind{program: service, logged: logged})
					pause(settle)
					r.add(p.name, t.memory())
					t.stop()
				}
			}
			r.metrics(b)
		})
	}
	measure("1", 1, false, "1 service")
	measure("100", 100, false, "100 services")
	measure("100Logged", 100, true, "100 services with loggers")
}
