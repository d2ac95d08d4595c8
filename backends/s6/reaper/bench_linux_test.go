package reaper

import (
	"os"
	"testing"
)

// One after the other, to the end of each.
func BenchmarkStart(b *testing.B) {
	r := newReaper(b)
	exited, c := exits()
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { null.Close() })
	dir := openDir(b, "/")
	b.Run("reaper", func(b *testing.B) {
		fd := int(null.Fd())
		for b.Loop() {
			start(b, r, Spec{Path: "/bin/true", Args: []string{"true"}, Dir: dir, Files: []int{fd, fd, fd}, Exited: exited})
			<-c
		}
	})
	b.Run("os", func(b *testing.B) {
		for b.Loop() {
			p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{Dir: "/", Files: []*os.File{null, null, null}})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
