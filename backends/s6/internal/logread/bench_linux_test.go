package logread

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// BenchmarkFollow is a writer and a follower on one machine, in pieces of 4 kB and
// with a rotation every megabyte.
func BenchmarkFollow(b *testing.B) {
	piece := bytes.Repeat([]byte(tl(1)), 4096/len(tl(1)))
	l := newTestLog(b)
	l.start()
	r := openLog(b, l.dir, Options{Follow: true})
	b.SetBytes(int64(len(piece)))
	b.ReportAllocs()
	go func() {
		for n := range b.N {
			if n%256 == 255 {
				hammerRotate(l)
			}
			l.f.Write(piece)
		}
	}()
	if _, err := io.CopyN(io.Discard, r, int64(b.N)*int64(len(piece))); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFollowLatency is the time from a write to the end of a waiting Read.
func BenchmarkFollowLatency(b *testing.B) {
	l := newTestLog(b)
	l.start()
	r := openLog(b, l.dir, Options{Follow: true})
	line := []byte(tl(1))
	next := make(chan bool)
	go func() {
		for range next {
			l.f.Write(line)
		}
	}()
	defer close(next)
	got := make([]byte, len(line))
	b.ReportAllocs()
	for b.Loop() {
		next <- true
		if _, err := io.ReadFull(r, got); err != nil {
			b.Fatal(err)
		}
	}
}

// bigLog makes a log of one file of 100 MB, a line every millisecond.
func bigLog(b *testing.B, stamped bool) (*testLog, int64) {
	l := newTestLog(b)
	f, err := os.Create(l.path(current))
	must(b, err)
	defer f.Close()
	var buf bytes.Buffer
	size := int64(0)
	for n := 0; size < 100<<20; n++ {
		if stamped {
			buf.WriteString(at(0).Add(time.Duration(n) * time.Millisecond).Local().Format(localLayout))
		}
		fmt.Fprintf(&buf, "line %d of a log whose lines have about a hundred bytes, as those of gateways do\n", n)
		if buf.Len() > 1<<20 {
			n, err := buf.WriteTo(f)
			must(b, err)
			size += n
		}
	}
	return l, size
}

func BenchmarkTail(b *testing.B) {
	l, _ := bigLog(b, true)
	for _, lines := range []int{10, 1000, 100000} {
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := Open(b.Context(), l.dir, Options{Lines: lines})
				must(b, err)
				n, err := io.Copy(io.Discard, r)
				must(b, err)
				b.SetBytes(n)
				r.Close()
			}
		})
	}
}

// BenchmarkSince looks for the last line of 100 MB.
func BenchmarkSince(b *testing.B) {
	for _, stamped := range []bool{true, false} {
		b.Run(map[bool]string{true: "stamped", false: "not stamped"}[stamped], func(b *testing.B) {
			l, size := bigLog(b, stamped)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := Open(b.Context(), l.dir, Options{Since: at(100 * 3600)})
				must(b, err)
				r.Close()
			}
		})
	}
}
