package logread

import (
	"os"
	"path/filepath"
	"testing"
)

// lineIn makes a log directory with one line.
func lineIn(tb testing.TB, dir, line string) {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, current), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line); err != nil {
		tb.Fatal(err)
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func TestFollowPath(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, above, dir string, r testReader)
	}{
		{name: "directory appears", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, dir, "a\n")
			r.want("a\n")
		}},
		{name: "and is replaced", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, dir, "a\n")
			r.want("a\n")
			lineIn(t, dir, "b\n")
			must(t, os.RemoveAll(dir))
			lineIn(t, dir, "c\n")
			r.want("b\nc\n")
			lineIn(t, dir, "d\n")
			r.want("d\n")
		}},
		{name: "and is moved away, then back", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, dir, "a\n")
			r.want("a\n")
			must(t, os.Rename(dir, dir+".old"))
			lineIn(t, dir+".old", "b\n")
			r.want("b\n")
			must(t, os.Rename(dir+".old", dir))
			lineIn(t, dir, "c\n")
			r.want("c\n")
		}},
		{name: "and is moved away, and another comes", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, dir, "a\n")
			r.want("a\n")
			must(t, os.Rename(dir, dir+".old"))
			lineIn(t, dir+".old", "b\n")
			lineIn(t, dir, "c\n")
			r.want("b\nc\n")
		}},
		{name: "and the one above is removed", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, dir, "a\n")
			r.want("a\n")
			must(t, os.RemoveAll(filepath.Join(above, "x")))
			lineIn(t, dir, "b\n")
			r.want("b\n")
		}},
		{name: "and a link comes instead", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, dir, "a\n")
			r.want("a\n")
			must(t, os.Rename(dir, dir+".old"))
			must(t, os.Symlink("/etc", dir))
			r.wantError(nil, "is a symbolic link")
		}},
		{name: "a link comes first", do: func(t *testing.T, above, dir string, r testReader) {
			must(t, os.MkdirAll(filepath.Dir(dir), 0o700))
			must(t, os.Symlink("/etc", dir))
			r.wantError(nil, "is a symbolic link")
		}},
		{name: "other things appear first", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, filepath.Join(above, "other"), "x\n")
			must(t, os.MkdirAll(filepath.Dir(dir), 0o700))
			must(t, os.RemoveAll(filepath.Join(above, "x")))
			lineIn(t, filepath.Join(filepath.Dir(dir), "other"), "x\n")
			lineIn(t, dir, "a\n")
			r.want("a\n")
		}},
		{name: "the way is moved into place", do: func(t *testing.T, above, dir string, r testReader) {
			lineIn(t, filepath.Join(above, "aside", "y", "z"), "a\n")
			must(t, os.Rename(filepath.Join(above, "aside"), filepath.Join(above, "x")))
			r.want("a\n")
		}},
	}
	for _, tc := range tests {
		for _, reading := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				above := t.TempDir()
				dir := filepath.Join(above, "x", "y", "z")
				r := openLog(t, dir, Options{Follow: true})
				if !reading {
					tc.do(t, above, dir, r)
					return
				}
				tc.do(t, above, dir, readAhead(t, r))
			})
		}
	}
}
