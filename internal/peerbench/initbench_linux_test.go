package peerbench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// bare is no init at all: the program is the first process. It is what the start
// of a program costs anyway.
const bare = "no init"

// BenchmarkInit: from the exec of an init to the first instruction of its main
// program; from TERM to the init's end, with a program that ends at once; and
// from the program's own end to the init's.
func BenchmarkInit(b *testing.B) {
	rounds := 8 * size(b, "BENCH_ROUNDS", 5)
	start := newResults(ours, "ms", "Init, exec to the first instruction of the program")
	stop := newResults(ours, "ms", "Init, TERM to its end")
	end := newResults(ours, "ms", "Init, end of the program to its end")
	bs := newBoxes(b)
	found := append(measured(b, inits(command(b)), start, stop, end), &first{name: bare})
	for i := range rounds + 1 {
		for _, f := range found {
			box, started := bs.started(f, bs.program)
			ended := stopwatch(func() { bs.order('x'); box.wait(0) })
			var stopped float64
			if f.name != bare { // which would not take it
				box, _ := bs.started(f, bs.program)
				stopped = stopwatch(func() { box.terminate(); box.wait(box.told) })
			}
			if i == 0 {
				continue
			}
			start.add(f.name, started)
			end.add(f.name, ended)
			if f.name != bare {
				stop.add(f.name, stopped)
			}
		}
	}
	b.Run("Start", start.metrics)
	b.Run("Stop", stop.metrics)
	b.Run("End", end.metrics)
}

// BenchmarkInitMemory is that of the init alone, one second after its program
// has started.
func BenchmarkInitMemory(b *testing.B) {
	r := newResults(ours, "MiB", "Memory of an init")
	bs := newBoxes(b)
	found := measured(b, inits(command(b)), r)
	for range min(size(b, "BENCH_ROUNDS", 5), 3) { // it hardly varies
		for _, f := range found {
			box, _ := bs.started(f, bs.program)
			pause(settle)
			r.add(f.name, box.memory())
			box.terminate()
			box.wait(box.told)
		}
	}
	r.metrics(b)
}

// BenchmarkInitOrphan: processor time of the first process for each orphan that
// it reaps: orphans that die one after the other, as fast as they can be made,
// and many that die at once.
func BenchmarkInitOrphan(b *testing.B) {
	rounds := 2 * size(b, "BENCH_ROUNDS", 5)
	single := newResults(ours, "us", "Processor time for an orphan, one after the other")
	together := newResults(ours, "us", "Processor time for an orphan, %d at once", orphans)
	bs := newBoxes(b)
	bin := command(b)
	for i := range rounds + 1 {
		for _, f := range measured(b, inits(bin), single, together) {
			bs.orphans(f, bs.program, i > 0, single, together)
		}
		for _, f := range measured(b, scanners(bin)[1:], single, together) {
			bs.orphans(f, bs.scan(), i > 0, single, together)
		}
	}
	b.Run("OneByOne", single.metrics)
	b.Run("AtOnce", together.metrics)
}

func (bs *boxes) orphans(f *first, word string, counts bool, single, together *results) {
	bs.t.Helper()
	box, _ := bs.started(f, word)
	own := len(box.children())
	cost := func(order byte) float64 {
		before := box.processorTime()
		bs.order(order)
		box.time()
		box.awaitChildren(own)
		return (box.processorTime() - before) / orphans
	}
	x, y := cost('o'), cost('m')
	if counts {
		single.add(f.name, x)
		together.add(f.name, y)
	}
	box.terminate()
	box.wait(box.told)
}

// BenchmarkInitService is a container with one supervised service and no main
// program, where s6-svscan is the first process: from its exec to the first
// instruction of the service, memory of all but the service, and from TERM to
// its end.
func BenchmarkInitService(b *testing.B) {
	rounds := 4 * size(b, "BENCH_ROUNDS", 5)
	start := newResults(ours, "ms", "Container with a service, exec of its first process to the first instruction of the service")
	stop := newResults(ours, "ms", "Container with a service, TERM to its end")
	memory := newResults(ours, "MiB", "Container with a service, memory of supervision")
	bs := newBoxes(b)
	found := measured(b, scanners(command(b)), start, stop, memory)
	for i := range rounds + 1 {
		for _, f := range found {
			box, started := bs.started(f, bs.scan())
			if i < 3 {
				pause(settle)
				memory.add(f.name, box.memory())
			}
			stopped := stopwatch(func() { box.terminate(); box.wait(box.told) })
			if i > 0 {
				start.add(f.name, started)
				stop.add(f.name, stopped)
			}
		}
	}
	b.Run("Start", start.metrics)
	b.Run("Stop", stop.metrics)
	b.Run("Memory", memory.metrics)
}

// started starts a box and waits for its program. It returns the milliseconds
// that this took.
func (bs *boxes) started(f *first, word string) (*box, float64) {
	bs.t.Helper()
	b := bs.start(f, word)
	return b, milliseconds(time.Duration(b.time() - b.began))
}

// order tells the program of the box that runs what to do.
func (bs *boxes) order(what byte) {
	bs.t.Helper()
	_, err := bs.orders.Write([]byte{what})
	bs.must(err)
}

// memory is that of everybody in the box but the program.
func (b *box) memory() float64 {
	b.t.Helper()
	pids, err := family(b.cmd.Process.Pid)
	if err != nil {
		b.t.Fatal(err)
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return filepath.Base(exe) == "run" || filepath.Base(exe) == "program"
	})
	mib, err := setSize(pids)
	if err != nil {
		b.t.Fatal(err)
	}
	return mib
}

func (b *box) processorTime() float64 {
	b.t.Helper()
	us, err := processorTime(b.cmd.Process.Pid)
	if err != nil {
		b.t.Fatal(err)
	}
	return us
}

// children are those of the first process.
func (b *box) children() []string {
	b.t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", b.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		b.t.Fatalf("%s: no lists of children: %v", b.name, err)
	}
	var pids []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil { // else the thread has ended
			pids = append(pids, strings.Fields(string(text))...)
		}
	}
	return pids
}

// awaitChildren waits until so many children are left. It looks again and again:
// that somebody else's child is reaped has no event.
func (b *box) awaitChildren(n int) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); len(b.children()) > n; <-tick.C {
		if time.Now().After(end) {
			b.t.Fatalf("%s: children %v are left", b.name, b.children())
		}
	}
}
