package logread

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

// writeOurs writes numbered lines with our own writer, in pieces that end
// anywhere, with rotations on request among those that the size asks for.
func writeOurs(dir string, lines int, directives ...string) error {
	script, err := logdir.Parse(append(directives, dir))
	if err != nil {
		return err
	}
	l, err := logdir.Open(script, logdir.Options{Eager: true})
	if err != nil {
		return err
	}
	defer l.Abandon()
	rnd := rand.New(rand.NewPCG(5, 6))
	var piece []byte
	for n := range lines {
		piece = fmt.Appendf(piece, "line %d\n", n)
		if n%100 != 0 {
			continue
		}
		cut := rnd.IntN(len(piece))
		if err := l.Write(piece[:cut]); err != nil {
			return err
		}
		piece = append(piece[:0], piece[cut:]...)
		if n%1000 == 0 {
			if err := l.Rotate(); err != nil {
				return err
			}
		}
	}
	if err := l.Write(piece); err != nil {
		return err
	}
	return l.Close()
}

// What our own writer writes is followed across rotations without a loss, and
// read afterwards.
func TestFollowOurWriter(t *testing.T) {
	const lines = 30000
	for _, directives := range [][]string{{"n20000", "s4096"}, {"n20000", "s4096", "T"}, {"n20000", "s4096", "t"}} {
		t.Run(fmt.Sprint(directives), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			r := openLog(t, dir, Options{Follow: true}) // before there is one
			begin := time.Now()
			written := make(chan error, 1)
			go func() { written <- writeOurs(dir, lines, directives...) }()
			wantLines(t, bufio.NewScanner(r), 0, lines)
			must(t, <-written)
			if n := countArchives(t, dir, ".s"); n < 20 {
				t.Errorf("%d rotations", n)
			}
			wantLines(t, bufio.NewScanner(openLog(t, dir, Options{})), 0, lines)
			wantLines(t, bufio.NewScanner(openLog(t, dir, Options{Lines: 1234})), lines-1234, lines)
			if len(directives) > 2 {
				wantLines(t, bufio.NewScanner(openLog(t, dir, Options{Since: begin})), 0, lines)
				sinceEachLine(t, dir, lines)
			}
		})
	}
}
