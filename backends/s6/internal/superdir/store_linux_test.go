package superdir

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Real s6-svstat reads every field as it was meant, and so do we.
func TestStatus(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	if got := d.LastStatus(); got != (supervise.Status{}) {
		t.Errorf("without a record: %+v", got)
	}
	now := time.Now().UTC()
	stamps := supervise.Status{Stamp: now.Add(-time.Hour), ReadyStamp: now.Add(-time.Minute)}
	with := func(change func(*supervise.Status)) supervise.Status {
		s := stamps
		change(&s)
		return s
	}
	// s6-svstat calls nothing ready that is down.
	const fields = "pid,wantedup,ready,paused,exitcode,signum,updownfor,readyfor"
	for _, tc := range []struct {
		status supervise.Status
		want   string
	}{
		{with(func(s *supervise.Status) { s.PID, s.WantUp, s.Ready = 4711, true, true }), "4711 true true false -1 -1 3600 60"},
		{with(func(s *supervise.Status) { s.PID, s.Paused = 1<<31-1, true }), "2147483647 false false true -1 -1 3600 60"},
		{with(func(s *supervise.Status) { s.Ready, s.Wait = true, supervise.Exited(3).Wait }), "-1 false false false 3 -1 3600 60"},
		{with(func(s *supervise.Status) { s.Ready, s.WantUp, s.Wait = true, true, supervise.Killed(9).Wait }), "-1 true false false -1 9 3600 60"},
	} {
		must(t, d.WriteStatus(tc.status))
		got := strings.Fields(wantTool(t, 0, "s6-svstat", "-o", fields, dir))
		want := strings.Fields(tc.want)
		if len(got) != len(want) {
			t.Fatalf("s6-svstat says %v", got)
		}
		for i := range want {
			// The two ages may be a second more by now.
			more := strings.Replace(strings.Replace(want[i], "3600", "3601", 1), "60", "61", 1)
			if got[i] != want[i] && (i < 6 || got[i] != more && got[i] != "3601") {
				t.Errorf("s6-svstat says %v, want %v", got, want)
				break
			}
		}
		if got := d.LastStatus(); got != tc.status {
			t.Errorf("read as %+v, want %+v", got, tc.status)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "supervise/status")); len(b) != 35 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	for _, spoilt := range [][]byte{nil, []byte("short"), bytes.Repeat([]byte{0xff}, 35), bytes.Repeat([]byte{0}, 64)} {
		must(t, os.WriteFile(filepath.Join(dir, "supervise/status"), spoilt, 0o644))
		if got := d.LastStatus(); got != (supervise.Status{}) {
			t.Errorf("%q is read as %+v", spoilt, got)
		}
	}
}

// Real s6-svdt reads the tally.
func TestTally(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	must(t, d.ClearDeaths())
	if out := wantTool(t, 0, "s6-svdt", dir); out != "" {
		t.Errorf("s6-svdt says %q", out)
	}
	die := func(keep int, exits ...supervise.Exit) {
		t.Helper()
		for _, e := range exits {
			must(t, d.AddDeath(supervise.Death{At: time.Now(), Exit: e}, keep))
		}
	}
	want := func(deaths ...string) {
		t.Helper()
		var got []string
		for line := range strings.Lines(wantTool(t, 0, "s6-svdt", "-s", dir)) {
			_, what, _ := strings.Cut(strings.TrimSpace(line), " ")
			got = append(got, what)
		}
		if fmt.Sprint(got) != fmt.Sprint(deaths) {
			t.Errorf("s6-svdt says %q, want %q", got, deaths)
		}
	}
	die(3, supervise.Exited(0), supervise.Exited(3), supervise.Killed(15), supervise.Exit{Unknown: true})
	want("exitcode 3", "signal 15", "exitcode 255")
	die(2, supervise.Exited(7)) // the limit was lowered
	want("exitcode 255", "exitcode 7")

	// What a client does to forget is honoured: by renaming an empty file into
	// place, by truncation, by removal.
	tally := filepath.Join(dir, "supervise/death_tally")
	for i, forget := range []func() error{
		func() error {
			must(t, os.WriteFile(tally+".empty", nil, 0o644))
			return os.Rename(tally+".empty", tally)
		},
		func() error { return os.Truncate(tally, 0) },
		func() error { return os.Remove(tally) },
		// Whatever is no tally counts as empty, as in s6.
		func() error { return os.Truncate(tally, 13) },
		func() error { return os.WriteFile(tally, make([]byte, 5000*14), 0o644) },
	} {
		must(t, forget())
		die(100, supervise.Exited(i))
		want(fmt.Sprint("exitcode ", i))
	}
	wantTool(t, 0, "s6-svdt-clear", dir)
	want()
	die(100, supervise.Exited(9))
	want("exitcode 9")
}

// The biggest tally that can be asked for is kept whole.
func TestBiggestTally(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	tally := filepath.Join(dir, "supervise/death_tally")
	must(t, os.WriteFile(tally, bytes.Repeat([]byte("01234567890123"), 4095), 0o644))
	for range 3 {
		must(t, d.AddDeath(supervise.Death{At: time.Now(), Exit: supervise.Exited(1)}, 4096))
	}
	b, err := os.ReadFile(tally)
	must(t, err)
	if len(b) != 4096*14 || !bytes.HasPrefix(b, []byte("01234567890123")) || b[len(b)-2] != 1 {
		t.Errorf("%d bytes", len(b))
	}
}

func TestInstance(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	if in, present, err := d.Instance(); in != (supervise.Instance{}) || present || err != nil {
		t.Errorf("without a record: %+v, %v, %v", in, present, err)
	}
	before, err := reaper.Now()
	must(t, err)
	host := supervise.Host{BootID: "boot", PIDNS: "4026531836"}
	for _, in := range []supervise.Instance{
		{Stage: supervise.StageRun, PID: 4711, Ticks: 1 << 60, Host: host, WantUp: true, Ready: supervise.Ready},
		{Stage: supervise.StageStarting, Host: host, WantUp: true, Ready: supervise.Unready},
		{Stage: supervise.StageStarting, PID: 4711, Host: host},
		{},
	} {
		must(t, d.WriteInstance(in))
		got, present, err := d.Instance()
		if in.Stage == supervise.StageStarting {
			if got.Ticks < before || got.Ticks > before+100*60 {
				t.Errorf("%d ticks, it was %d before", got.Ticks, before)
			}
			got.Ticks = 0
		}
		if got != in || !present || err != nil {
			t.Errorf("%+v is read as %+v, %v, %v", in, got, present, err)
		}
	}
	path := filepath.Join(dir, InstanceFile)
	for _, spoilt := range []string{"", "v2 none 0 0 - - up none\n", strings.Repeat("x", 300)} {
		must(t, os.WriteFile(path, []byte(spoilt), 0o644))
		if _, present, err := d.Instance(); err == nil || !present || !strings.Contains(err.Error(), path) {
			t.Errorf("%.10q: %v, %v", spoilt, present, err)
		}
	}
	must(t, os.Remove(path))
	must(t, os.Symlink("lock", path))
	if _, present, err := d.Instance(); err == nil || !present {
		t.Errorf("a link: %v, %v", present, err)
	}
	must(t, d.WriteInstance(supervise.Instance{}))
	if b, _ := os.ReadFile(filepath.Join(dir, "supervise/lock")); len(b) != 0 {
		t.Error("the link was followed")
	}
}

func TestNote(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	path := filepath.Join(dir, note.File)
	must(t, d.WriteNote(supervise.Note{})) // no file, and none is made
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the zero note: %v", err)
	}
	next := time.Unix(1772366400, 42).UTC()
	must(t, d.WriteNote(supervise.Note{Adopted: true, Backoff: true, Failed: true, NextStart: next, Problem: "two\nlines"}))
	b, err := os.ReadFile(path)
	must(t, err)
	got, err := note.Decode(b)
	must(t, err)
	if want := (note.Note{Adopted: true, Backoff: true, Failed: true, NextStart: next, Problem: "two lines"}); got != want {
		t.Errorf("read as %+v, want %+v", got, want)
	}
	must(t, d.WriteNote(supervise.Note{}))
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the zero note: %v", err)
	}
}

func TestSetDown(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	path := filepath.Join(dir, "down")
	check := func(want bool) {
		t.Helper()
		if got, err := d.Exists("down"); got != want || err != nil {
			t.Errorf("exists: %v, %v", got, err)
		}
	}
	for _, down := range []bool{true, true, false, false, true} {
		must(t, d.SetDown(down))
		check(down)
	}
	// Of whatever type, nothing is followed and nothing is waited for.
	outside := filepath.Join(filepath.Dir(dir), "precious")
	must(t, os.WriteFile(outside, []byte("kept"), 0o644))
	for _, put := range []func() error{
		func() error { return os.Symlink(outside, path) },
		func() error { return os.Symlink("dangling", path) },
		func() error { return unix.Mkfifo(path, 0o600) },
	} {
		must(t, d.SetDown(false))
		must(t, put())
		must(t, d.SetDown(true))
		check(true)
	}
	must(t, d.SetDown(false))
	check(false)
	if b, _ := os.ReadFile(outside); string(b) != "kept" {
		t.Errorf("the file behind the link holds %q", b)
	}
}

// Only regular files are read, and nothing is waited for.
func TestRead(t *testing.T) {
	dir := service(t)
	d := open(t, dir)
	put := func(name, content string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)) }
	put("empty", "")
	put("number", "5000\n")
	put("long", strings.Repeat("x", 5000))
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must(t, os.Symlink("number", filepath.Join(dir, "link")))
	must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	must(t, os.Symlink("sub", filepath.Join(dir, "subway")))
	put("sub/number", "7")
	for _, tc := range []struct{ name, want, err string }{
		{"empty", "", ""},
		{"number", "5000\n", ""},
		{"sub/number", "7", ""},
		{"long", strings.Repeat("x", 4096), ""},
		{"fifo", "", "not a regular file"},
		{"link", "", "symbolic link"},
		{"subway/number", "", "symbolic link"},
		{"sub", "", "not a regular file"},
		{"absent", "", "no such file"},
	} {
		got, err := d.Read(tc.name)
		if string(got) != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s is read as %q, %v; want %q, %q", tc.name, got, err, tc.want, tc.err)
		}
		there, err := d.Exists(tc.name)
		if want := tc.name != "absent"; tc.name != "subway/number" && (there != want || err != nil) {
			t.Errorf("%s exists: %v, %v", tc.name, there, err)
		}
	}
	if _, err := d.Read("absent"); !os.IsNotExist(err) {
		t.Errorf("absent: %v", err)
	}
}

// BenchmarkStart is what a start writes.
func BenchmarkStart(b *testing.B) {
	d := open(b, service(b))
	in := supervise.Instance{Stage: supervise.StageStarting, WantUp: true}
	s := supervise.Status{Stamp: time.Now(), ReadyStamp: time.Now(), WantUp: true}
	b.ReportAllocs()
	for b.Loop() {
		in.Stage = supervise.StageStarting
		must(b, d.WriteInstance(in))
		in.Stage = supervise.StageRun
		must(b, d.WriteInstance(in))
		must(b, d.WriteStatus(s))
		d.Notify("u")
	}
}
