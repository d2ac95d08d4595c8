package logpool

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick fires after so many milliseconds: the test wants to see that nothing
// happens meanwhile.
func tick(ms int) <-chan time.Time { return time.After(time.Duration(ms) * time.Millisecond) }

// cpu is the processor time of a process in 1/100 s.
func cpu(t testing.TB, p *process) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	must(t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	user, err := strconv.Atoi(fields[11])
	must(t, err)
	system, err := strconv.Atoi(fields[12])
	must(t, err)
	return user + system
}

// numberedLine is line n of a stream: any 20 bytes of it tell where they are.
func numberedLine(dst []byte, n int) []byte {
	for range 7 {
		dst = fmt.Appendf(dst, "%09d ", n)
	}
	dst[len(dst)-1] = '\n'
	return dst
}

const numberedSize = 70

// numbered is the beginning of the stream from line n on, size bytes rounded down
// to lines.
func numbered(n, size int) string {
	var b []byte
	for len(b)+numberedSize <= size {
		b = numberedLine(b, n)
		n++
	}
	return string(b)
}
