package peerbench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
)

// logLines is how many lines a logger is given in a round.
const logLines = 1_000_000

// BenchmarkLogCPU: processor time of the logger for each line that it stamps
// and writes, beside s6-log; the unit is a thousandth of a millisecond. The
// service writes as programs with a buffered output do.
func BenchmarkLogCPU(b *testing.B) { benchmarkLog(b, 8<<10, "T") }

// BenchmarkLogCPULineByLine: the service writes each line by itself, so that the
// logger may have to be woken for each.
func BenchmarkLogCPULineByLine(b *testing.B) { benchmarkLog(b, 0, "T") }

// BenchmarkLogCPULabels is BenchmarkLogCPU with the other kind of stamp.
func BenchmarkLogCPULabels(b *testing.B) { benchmarkLog(b, 8<<10, "t") }

func benchmarkLog(b *testing.B, buffered int, stamp string) {
	bin, s6log := command(b), s6test.Tool(b, "s6-log")
	dir := b.TempDir()
	run := func(argv ...string) func() float64 {
		target := filepath.Join(dir, filepath.Base(argv[0]))
		argv = append(argv, "n5", "s1000000", stamp, target)
		return func() float64 {
			if err := os.RemoveAll(target); err != nil {
				b.Fatal(err)
			}
			return loggerTime(b, buffered, argv) * 1e3 / logLines
		}
	}
	pair(b, "us/line", 7, run(bin, "log"), run(s6log))
}

// loggerTime runs a logger on the output of this process and returns the
// processor time that it took, in milliseconds.
func loggerTime(b *testing.B, buffered int, argv []string) float64 {
	b.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stdin, cmd.Stderr = r, os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	r.Close()
	produce(b, w, buffered)
	w.Close()
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func produce(b *testing.B, w *os.File, buffered int) {
	b.Helper()
	out := bufio.NewWriterSize(w, max(buffered, 256))
	for i := range logLines {
		fmt.Fprintf(out, "line %07d of a log, as long as those that gateways write on an ordinary day\n", i)
		if buffered > 0 {
			continue
		}
		if err := out.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
}
