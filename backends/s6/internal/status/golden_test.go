package status

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// goldenRecord is what a status file in testdata says. The stamps are what s6-tai64nlocal
// made of the file when it was recorded.
type goldenRecord struct {
	file                             string // in testdata, without .status
	stamp, readyStamp                string // RFC 3339
	pid                              int
	wait                             uint16
	paused, finishing, wantUp, ready bool
}

var goldenRecords = []goldenRecord{
	{file: "s6-2.11.3.2-down-never-started",
		stamp: "2026-11-24T11:44:26.004584948Z", readyStamp: "2026-11-24T11:44:26.004584948Z", ready: true},
	{file: "s6-2.11.3.2-down-never-started-command",
		stamp: "2026-11-24T11:44:26.004584948Z", readyStamp: "2026-11-24T11:44:26.004584948Z", ready: true},
	{file: "s6-2.11.3.2-down-never-started-want-up",
		stamp: "2026-11-24T11:44:26.546189937Z", readyStamp: "2026-11-24T11:44:26.546189937Z", wantUp: true, ready: true},
	{file: "s6-2.11.3.2-up",
		stamp: "2026-11-24T11:44:26.974265616Z", readyStamp: "2026-11-24T11:44:26.972840534Z", pid: 20966, wantUp: true},
	{file: "s6-2.11.3.2-paused",
		stamp: "2026-11-24T11:44:26.974265616Z", readyStamp: "2026-11-24T11:44:26.972840534Z", pid: 20966, paused: true, wantUp: true},
	{file: "s6-2.11.3.2-want-down-still-up",
		stamp: "2026-11-24T11:44:26.974265616Z", readyStamp: "2026-11-24T11:44:26.972840534Z", pid: 20966},
	{file: "s6-2.11.3.2-down-sigkill",
		stamp: "2026-11-24T11:44:27.027224388Z", readyStamp: "2026-11-24T11:44:27.027638926Z", wait: 0x0009, ready: true},
	{file: "s6-2.11.3.2-up-ready",
		stamp: "2026-11-24T11:44:27.162007490Z", readyStamp: "2026-11-24T11:44:27.163066009Z", pid: 21069, wantUp: true, ready: true},
	{file: "s6-2.11.3.2-ready-paused",
		stamp: "2026-11-24T11:44:27.162007490Z", readyStamp: "2026-11-24T11:44:27.163066009Z", pid: 21069, paused: true, wantUp: true, ready: true},
	{file: "s6-2.11.3.2-want-down-still-up-ready",
		stamp: "2026-11-24T11:44:27.162007490Z", readyStamp: "2026-11-24T11:44:27.163066009Z", pid: 21069, ready: true},
	{file: "s6-2.11.3.2-down-sigterm",
		stamp: "2026-11-24T11:44:27.326868936Z", readyStamp: "2026-11-24T11:44:27.327268058Z", wait: 0x000f, ready: true},
	{file: "s6-2.11.3.2-finishing",
		stamp: "2026-11-24T11:44:27.473417198Z", readyStamp: "2026-11-24T11:44:27.465139547Z", pid: 21187, wait: 0x000f, finishing: true},
	{file: "s6-2.11.3.2-finishing-want-up",
		stamp: "2026-11-24T11:44:30.603258328Z", readyStamp: "2026-11-24T11:44:30.595112833Z", pid: 21228, wait: 0x000f, finishing: true, wantUp: true},
	{file: "s6-2.11.3.2-down-exit3",
		stamp: "2026-11-24T11:44:33.625528639Z", readyStamp: "2026-11-24T11:44:33.626084848Z", wait: 0x0300, ready: true},
	{file: "s6-2.11.3.2-up-after-exit3",
		stamp: "2026-11-24T11:44:33.747651846Z", readyStamp: "2026-11-24T11:44:33.626084848Z", pid: 21284, wait: 0x0300, wantUp: true},
	{file: "s6-2.11.3.2-down-restart-delay",
		stamp: "2026-11-24T11:44:33.909661888Z", readyStamp: "2026-11-24T11:44:33.910071706Z", wait: 0x0300, wantUp: true, ready: true},
	{file: "s6-2.11.3.2-down-sigabrt-core",
		stamp: "2026-11-24T11:44:34.053243313Z", readyStamp: "2026-11-24T11:44:34.053819737Z", wait: 0x0086, ready: true},
	{file: "s6-2.13.2.0-down-never-started",
		stamp: "2026-11-24T11:44:42.353608797Z", readyStamp: "2026-11-24T11:44:42.353608797Z", paused: true, ready: true},
	{file: "s6-2.13.2.0-up",
		stamp: "2026-11-24T11:44:43.329722013Z", readyStamp: "2026-11-24T11:44:43.329510507Z", pid: 22014, wantUp: true},
	{file: "s6-2.13.2.0-finishing",
		stamp: "2026-11-24T11:44:43.821115698Z", readyStamp: "2026-11-24T11:44:43.812849427Z", pid: 22235, wait: 0x000f, finishing: true},
	{file: "s6-2.13.2.0-down-exit3",
		stamp: "2026-11-24T11:44:50.002880954Z", readyStamp: "2026-11-24T11:44:50.003304331Z", wait: 0x0300, ready: true},
	{file: "s6-2.13.2.0-up-after-exit3",
		stamp: "2026-11-24T11:44:50.135500882Z", readyStamp: "2026-11-24T11:44:50.003304331Z", pid: 23654, wait: 0x0300, wantUp: true},
	{file: "s6-2.15.1.0-down-never-started",
		stamp: "2026-11-24T11:44:34.184935000Z", readyStamp: "2026-11-24T11:44:34.184935000Z", paused: true, ready: true},
	{file: "s6-2.15.1.0-down-never-started-command",
		stamp: "2026-11-24T11:44:34.184935000Z", readyStamp: "2026-11-24T11:44:34.184935000Z", ready: true},
	{file: "s6-2.15.1.0-down-never-started-want-up",
		stamp: "2026-11-24T11:44:34.729973778Z", readyStamp: "2026-11-24T11:44:34.729973778Z", paused: true, wantUp: true, ready: true},
	{file: "s6-2.15.1.0-up",
		stamp: "2026-11-24T11:44:35.157215081Z", readyStamp: "2026-11-24T11:44:35.157025002Z", pid: 21490, wantUp: true},
	{file: "s6-2.15.1.0-paused",
		stamp: "2026-11-24T11:44:35.157215081Z", readyStamp: "2026-11-24T11:44:35.157025002Z", pid: 21490, paused: true, wantUp: true},
	{file: "s6-2.15.1.0-want-down-still-up",
		stamp: "2026-11-24T11:44:35.157215081Z", readyStamp: "2026-11-24T11:44:35.157025002Z", pid: 21490},
	{file: "s6-2.15.1.0-down-sigkill",
		stamp: "2026-11-24T11:44:35.206613570Z", readyStamp: "2026-11-24T11:44:35.206922463Z", wait: 0x0009, ready: true},
	{file: "s6-2.15.1.0-up-ready",
		stamp: "2026-11-24T11:44:35.340885564Z", readyStamp: "2026-11-24T11:44:35.342099529Z", pid: 21593, wantUp: true, ready: true},
	{file: "s6-2.15.1.0-ready-paused",
		stamp: "2026-11-24T11:44:35.340885564Z", readyStamp: "2026-11-24T11:44:35.342099529Z", pid: 21593, paused: true, wantUp: true, ready: true},
	{file: "s6-2.15.1.0-want-down-still-up-ready",
		stamp: "2026-11-24T11:44:35.340885564Z", readyStamp: "2026-11-24T11:44:35.342099529Z", pid: 21593, ready: true},
	{file: "s6-2.15.1.0-down-sigterm",
		stamp: "2026-11-24T11:44:35.502834988Z", readyStamp: "2026-11-24T11:44:35.503117286Z", wait: 0x000f, ready: true},
	{file: "s6-2.15.1.0-finishing",
		stamp: "2026-11-24T11:44:35.647887290Z", readyStamp: "2026-11-24T11:44:35.639989268Z", pid: 21711, wait: 0x000f, finishing: true},
	{file: "s6-2.15.1.0-finishing-want-up",
		stamp: "2026-11-24T11:44:38.775463218Z", readyStamp: "2026-11-24T11:44:38.767212158Z", pid: 21752, wait: 0x000f, finishing: true, wantUp: true},
	{file: "s6-2.15.1.0-down-exit3",
		stamp: "2026-11-24T11:44:41.796850507Z", readyStamp: "2026-11-24T11:44:41.797130372Z", wait: 0x0300, ready: true},
	{file: "s6-2.15.1.0-up-after-exit3",
		stamp: "2026-11-24T11:44:41.915958354Z", readyStamp: "2026-11-24T11:44:41.797130372Z", pid: 21809, wait: 0x0300, wantUp: true},
	{file: "s6-2.15.1.0-down-restart-delay",
		stamp: "2026-11-24T11:44:42.075191748Z", readyStamp: "2026-11-24T11:44:42.075366096Z", wait: 0x0300, wantUp: true, ready: true},
	{file: "s6-2.15.1.0-down-sigabrt-core",
		stamp: "2026-11-24T11:44:42.220969703Z", readyStamp: "2026-11-24T11:44:42.221233780Z", wait: 0x0086, ready: true},
}

func (g goldenRecord) record(t *testing.T) Record {
	t.Helper()
	return Record{
		Stamp:      mustTime(t, g.stamp),
		ReadyStamp: mustTime(t, g.readyStamp),
		PID:        g.pid,
		PGID:       g.pid,
		Wait:       g.wait,
		Paused:     g.paused,
		Finishing:  g.finishing,
		WantUp:     g.wantUp,
		Ready:      g.ready,
	}
}

func TestDecodeGolden(t *testing.T) {
	for _, tc := range goldenRecords {
		t.Run(tc.file, func(t *testing.T) {
			raw := readGolden(t, tc.file+".status")
			got, err := Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if want := tc.record(t); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if len(raw) != Size {
				raw = dropPGID(raw)
			}
			if back := got.Append(nil); !bytes.Equal(back, raw) {
				t.Errorf("encoded again %x\nrecorded      %x", back, raw)
			}
		})
	}
}

// TestGoldenComplete fails for a file in testdata that no table mentions.
func TestGoldenComplete(t *testing.T) {
	known := make(map[string]bool)
	for _, tc := range goldenRecords {
		known[tc.file+".status"] = true
	}
	for _, tc := range goldenTallies {
		known[tc.file+".death_tally"] = true
	}
	for _, path := range goldenFiles(t, "s6-*") {
		if !known[filepath.Base(path)] {
			t.Errorf("%s is in no table", path)
		}
	}
}

type goldenDeath struct {
	at     string // RFC 3339
	code   int
	signal int
}

var goldenTallies = []struct {
	file string // in testdata, without .death_tally
	want []goldenDeath
}{
	{file: "s6-2.11.3.2-sigkill", want: []goldenDeath{
		{at: "2026-11-24T11:44:27.027224388Z", signal: 9},
	}},
	{file: "s6-2.11.3.2-sigterm", want: []goldenDeath{
		{at: "2026-11-24T11:44:27.326868936Z", signal: 15},
	}},
	{file: "s6-2.11.3.2-exit3", want: []goldenDeath{
		{at: "2026-11-24T11:44:33.625528639Z", code: 3},
	}},
	{file: "s6-2.11.3.2-exit3-sigkill-sigterm", want: []goldenDeath{
		{at: "2026-11-24T11:44:33.625528639Z", code: 3},
		{at: "2026-11-24T11:44:33.773014695Z", signal: 9},
		{at: "2026-11-24T11:44:33.786285653Z", signal: 15},
	}},
	{file: "s6-2.15.1.0-sigkill", want: []goldenDeath{
		{at: "2026-11-24T11:44:35.206613570Z", signal: 9},
	}},
	{file: "s6-2.15.1.0-sigterm", want: []goldenDeath{
		{at: "2026-11-24T11:44:35.502834988Z", signal: 15},
	}},
	{file: "s6-2.15.1.0-exit3", want: []goldenDeath{
		{at: "2026-11-24T11:44:41.796850507Z", code: 3},
	}},
	{file: "s6-2.15.1.0-exit3-sigkill-sigterm", want: []goldenDeath{
		{at: "2026-11-24T11:44:41.796850507Z", code: 3},
		{at: "2026-11-24T11:44:41.937314768Z", signal: 9},
		{at: "2026-11-24T11:44:41.948733114Z", signal: 15},
	}},
}

func TestDecodeTallyGolden(t *testing.T) {
	for _, tc := range goldenTallies {
		t.Run(tc.file, func(t *testing.T) {
			raw := readGolden(t, tc.file+".death_tally")
			got, err := DecodeTally(raw)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %d records, want %d", len(got), len(tc.want))
			}
			var back []byte
			for i, w := range tc.want {
				if want := (Death{At: mustTime(t, w.at), Code: w.code, Signal: w.signal}); got[i] != want {
					t.Errorf("record %d: got %+v, want %+v", i, got[i], want)
				}
				back = got[i].Append(back)
			}
			if !bytes.Equal(back, raw) {
				t.Errorf("encoded again %x\nrecorded      %x", back, raw)
			}
		})
	}
}

func readGolden(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// goldenFiles returns the paths of the files in testdata whose name matches pattern.
func goldenFiles(tb testing.TB, pattern string) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil {
		tb.Fatal(err)
	}
	if len(paths) == 0 {
		tb.Fatalf("no file testdata/%s", pattern)
	}
	return paths
}

// dropPGID makes the record of 35 bytes of one of 43.
func dropPGID(raw []byte) []byte {
	return append(bytes.Clone(raw[:32]), raw[40:]...)
}

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}
