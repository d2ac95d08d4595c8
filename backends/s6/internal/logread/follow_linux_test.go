package logread

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFollowRotation(t *testing.T) {
	tests := []struct {
		name string
		do   func(l *testLog, r testReader)
	}{
		{name: "partial lines", do: func(l *testLog, r testReader) {
			for _, s := range []string{"b", "c", "\n", "d\ne"} {
				l.write(s)
				r.want(s)
			}
		}},
		{name: "once", do: func(l *testLog, r testReader) {
			l.rotate()
			l.write("b\n")
			r.want("b\n")
		}},
		{name: "with lines unread", do: func(l *testLog, r testReader) {
			l.write("b\n")
			l.rotate()
			l.write("c\n")
			r.want("b\nc\n")
		}},
		{name: "twice", do: func(l *testLog, r testReader) {
			l.write("b\n")
			l.rotate()
			l.write("c\n")
			l.rotate()
			l.write("d\n")
			r.want("b\nc\nd\n")
		}},
		{name: "many times", do: func(l *testLog, r testReader) {
			var all strings.Builder
			for i := range 50 {
				line := strconv.Itoa(i) + "\n"
				l.write(line)
				l.rotate()
				all.WriteString(line)
			}
			r.want(all.String())
		}},
		{name: "between the steps", do: func(l *testLog, r testReader) {
			for range 3 {
				l.write("b\n")
				r.want("b\n")
				l.rename()
				l.write("c\n") // the logger still has the old file
				r.want("c\n")
				l.reopen()
				l.write("d\n")
				r.want("d\n")
				l.link(previous, ".s")
				l.write("e\n")
				r.want("e\n")
				l.unlink(previous)
				l.write("f\n")
				r.want("f\n")
			}
		}},
		{name: "previous not yet read", do: func(l *testLog, r testReader) {
			l.write("b\n")
			l.rotate()
			l.write("c\n")
			l.rename()
			l.reopen()
			l.write("d\n")
			r.want("b\nc\nd\n")
			l.link(previous, ".s")
			l.unlink(previous)
			l.rotate()
			l.write("e\n")
			r.want("e\n")
		}},
		{name: "empty files", do: func(l *testLog, r testReader) {
			l.rotate()
			l.rotate()
			l.write("b\n")
			r.want("b\n")
			l.rotate()
			l.rotate()
			l.rotate()
			l.write("c\n")
			r.want("c\n")
		}},
		{name: "empty file after previous", do: func(l *testLog, r testReader) {
			l.rename()
			l.reopen()
			l.write("b\n")
			r.want("b\n")
			l.link(previous, ".s")
			l.unlink(previous)
			l.rename()
			l.reopen()
			l.write("c\n")
			r.want("c\n")
			l.link(previous, ".s")
			l.unlink(previous)
			l.rotate()
			l.rotate()
			l.write("d\n")
			l.rotate()
			r.want("d\n")
		}},
		{name: "left behind by a killed logger", do: func(l *testLog, r testReader) {
			l.write("b\n")
			l.link(current, ".u")
			l.unlink(current)
			l.reopen()
			l.write("c\n")
			r.want("b\nc\n")
		}},
		{name: "killed between rename and reopen", do: func(l *testLog, r testReader) {
			l.write("b\n")
			l.rename()
			r.want("b\n")
			l.link(previous, ".u")
			r2 := openLog(l.tb, l.dir, Options{Follow: true})
			r2.want("a\nb\n")
			l.unlink(previous)
			l.reopen()
			l.write("c\n")
			r.want("c\n")
			r2.want("c\n")
		}},
		{name: "trimmed while reading", do: func(l *testLog, r testReader) {
			for _, line := range []string{"b\n", "c\n", "d\n"} {
				l.write(line)
				l.rotate()
			}
			l.write("e\n")
			l.trim(1)
			r.want("b\nd\ne\n") // b was in the file that was open
		}},
		{name: "clock set back", do: func(l *testLog, r testReader) {
			l.rotate()
			l.write("b\n")
			r.want("b\n")
			l.clock = l.clock.Add(-time.Hour)
			l.rotate()
			l.write("c\n")
			r.want("c\n")
			l.rotate()
			l.write("d\n")
			r.want("d\n")
		}},
		{name: "emptied in place", do: func(l *testLog, r testReader) {
			l.write("b\n")
			r.want("b\n")
			l.check(os.Truncate(l.path(current), 0))
			l.write("c\n")
			r.want("c\n")
		}},
		{name: "current removed by hand", do: func(l *testLog, r testReader) {
			l.unlink(current)
			l.write("b\n")
			r.want("b\n")
			l.reopen()
			l.write("c\n")
			r.want("c\n")
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := newTestLog(t)
			l.write("a\n")
			r := openLog(t, l.dir, Options{Follow: true})
			r.want("a\n")
			tc.do(l, r)
			l.rotate()
			l.write("end\n")
			r.want("end\n")
		})
	}
}

// An archive processor makes other files of what was read. Its output is not read
// as if it was new.
func TestFollowProcessor(t *testing.T) {
	l := newTestLog(t)
	l.write("a\n")
	r := openLog(t, l.dir, Options{Follow: true})
	r.want("a\n")
	l.process(strings.ToUpper)
	l.write("b\n")
	r.want("b\n")
	l.process(strings.ToUpper)
	l.write("c\n")
	l.process(strings.ToUpper)
	l.write("d\n")
	r.want("C\nd\n") // c was processed before it could be read
	l.rename()
	l.reopen()
	l.write("e\n")
	r.want("e\n") // while the processor is at work
	l.unlink(previous)
	l.check(os.WriteFile(l.path(processed), []byte("D\n"), 0o600))
	l.link(processed, ".s")
	l.unlink(processed)
	l.process(strings.ToUpper)
	l.write("f\n")
	r.want("f\n")
}

func TestFollowFromEmpty(t *testing.T) {
	l := newTestLog(t)
	r := openLog(t, l.dir, Options{Follow: true, Lines: 1})
	l.write("a\n")
	l.rotate()
	l.write("b\n")
	r.want("a\nb\n") // the last line counts back from what was stored
}

func TestFollowFromArchives(t *testing.T) {
	l := newTestLog(t)
	l.write("a\nb\n")
	l.rename()
	l.link(previous, ".s")
	l.unlink(previous)
	r := openLog(t, l.dir, Options{Follow: true, Lines: 1})
	r.want("b\n")
	l.reopen()
	l.write("c\n")
	r.want("c\n")
}

func TestFollowSince(t *testing.T) {
	tests := []struct {
		name   string
		stored string
		then   []string
		want   string
	}{
		{name: "in what is stored", stored: tl(4) + tl(6), then: []string{"x\n"}, want: tl(6) + "x\n"},
		{name: "in what comes", stored: tl(3), then: []string{tl(4), "x\n", tl(6), "y\n", tl(3)}, want: tl(6) + "y\n" + tl(3)},
		{name: "stamp in pieces", stored: tl(3) + tl(6)[:9], then: []string{tl(6)[9:11], tl(6)[11:27], tl(6)[27:]}, want: tl(6)},
		{name: "rest of an old line", stored: tl(3)[:28], then: []string{tl(3)[28:], ll(6)}, want: ll(6)},
		{name: "from empty", then: []string{tl(4), tl(6)}, want: tl(6)},
		{name: "no stamps", then: []string{"x\n"}, want: "x\n"},
		{name: "much that is old", stored: strings.Repeat(tl(3), 10000), then: []string{strings.Repeat(tl(4), 10000), tl(5)}, want: tl(5)},
	}
	for _, tc := range tests {
		for _, rotate := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				l := newTestLog(t)
				l.write(tc.stored)
				r := openLog(t, l.dir, Options{Follow: true, Since: at(5)})
				for _, text := range tc.then {
					if rotate && (tc.stored == "" || strings.HasSuffix(tc.stored, "\n")) {
						l.rotate()
					}
					l.write(text)
				}
				r.want(tc.want)
			})
		}
	}
}

// When events are lost, the directory is looked at again.
func TestFollowOverflow(t *testing.T) {
	raw, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skip("no limit of inotify events to exceed: ", err)
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || most > 1<<20 {
		t.Skipf("limit of %q inotify events cannot be exceeded", raw)
	}
	l := newTestLog(t)
	l.write("a\n")
	r := openLog(t, l.dir, Options{Follow: true})
	r.want("a\n")
	other, err := os.Create(l.path("state"))
	l.check(err)
	defer other.Close()
	for range most/2 + 10 { // by turns, as equal events are merged
		l.write("x")
		other.WriteString("x")
	}
	l.rotate()
	l.write("b\n")
	r.want(strings.Repeat("x", most/2+10) + "b\n")
	l.rotate()
	l.write("c\n")
	r.want("c\n")
}
