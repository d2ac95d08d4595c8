package status

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

var (
	at0 = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	at1 = time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)
)

// raw43 builds a record as s6 2.13 does, from its layout and not by this package. The stamps
// are at0 and at1.
func raw43(pid, pgid uint64, wait uint16, flags byte) []byte {
	stamp := func(at time.Time) []byte {
		b := binary.BigEndian.AppendUint64(nil, 1<<62+37+uint64(at.Unix()))
		return binary.BigEndian.AppendUint32(b, uint32(at.Nanosecond()))
	}
	b := append(stamp(at0), stamp(at1)...)
	b = binary.BigEndian.AppendUint64(b, pid)
	b = binary.BigEndian.AppendUint64(b, pgid)
	b = binary.BigEndian.AppendUint16(b, wait)
	return append(b, flags)
}

// raw35 builds a record as other versions of s6 do.
func raw35(pid uint64, wait uint16, flags byte) []byte {
	return dropPGID(raw43(pid, 0, wait, flags))
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name string
		raw  []byte
		want Record // without the stamps
	}{
		{name: "35 bytes, nothing set", raw: raw35(0, 0, 0), want: Record{}},
		{name: "35 bytes, group is pid", raw: raw35(77, 0, 0x04), want: Record{PID: 77, PGID: 77, WantUp: true}},
		{name: "35 bytes, largest pid", raw: raw35(math.MaxInt32, 0, 0), want: Record{PID: math.MaxInt32, PGID: math.MaxInt32}},
		{name: "35 bytes, unknown flags ignored", raw: raw35(0, 0, 0xf0), want: Record{}},
		{name: "35 bytes, all flags", raw: raw35(0, 0xffff, 0xff), want: Record{Wait: 0xffff, Paused: true, Finishing: true, WantUp: true, Ready: true}},
		{name: "43 bytes, up", raw: raw43(77, 77, 0x0300, 0x0c), want: Record{PID: 77, PGID: 77, Wait: 0x0300, WantUp: true, Ready: true}},
		{name: "43 bytes, other group", raw: raw43(77, 78, 0, 0x05), want: Record{PID: 77, PGID: 78, Paused: true, WantUp: true}},
		{name: "43 bytes, down", raw: raw43(0, 0, 0x0009, 0x08), want: Record{Wait: 9, Ready: true}},
		{name: "43 bytes, finishing", raw: raw43(9, 9, 0x000f, 0x06), want: Record{PID: 9, PGID: 9, Wait: 15, Finishing: true, WantUp: true}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Decode(tc.raw)
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Stamp, tc.want.ReadyStamp = at0, at1
			if got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestDecodeFormatError(t *testing.T) {
	long := make([]byte, MaxRead)
	for _, size := range []int{0, 1, 34, 36, 42, 44, MaxRead} {
		got, err := Decode(long[:size])
		var format *FormatError
		if !errors.As(err, &format) || format.Size != size {
			t.Errorf("%d bytes: error %v, want a *FormatError of that size", size, err)
		}
		if got != (Record{}) {
			t.Errorf("%d bytes: %+v beside an error", size, got)
		}
	}
	const want = "unknown status format: 44 bytes, know 35 and 43"
	if _, err := Decode(long[:44]); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q, want it to begin %q", err, want)
	}
}

// A pid that becomes negative as a C pid_t must not reach a kill call.
func TestDecodeImpossibleProcess(t *testing.T) {
	tests := []struct {
		name string
		raw  []byte
	}{
		{name: "35 bytes, pid -1", raw: raw35(math.MaxUint64, 0, 0)},
		{name: "35 bytes, pid 2^31", raw: raw35(1<<31, 0, 0)},
		{name: "43 bytes, pid -1", raw: raw43(math.MaxUint64, 7, 0, 0)},
		{name: "43 bytes, group -1", raw: raw43(7, math.MaxUint64, 0, 0)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Decode(tc.raw)
			var format *FormatError
			if err == nil || errors.As(err, &format) {
				t.Errorf("error %v, want one that is no *FormatError", err)
			}
			if got != (Record{}) {
				t.Errorf("%+v beside an error", got)
			}
		})
	}
}

func TestDecodeBadStamp(t *testing.T) {
	zero := make([]byte, Size)
	binary.BigEndian.PutUint64(zero[24:], 77)
	got, err := Decode(zero)
	if want := (Record{PID: 77, PGID: 77}); err != nil || got != want {
		t.Errorf("zero stamps: %+v, %v; want %+v", got, err, want)
	}
	if back := got.Append(nil); !bytes.Equal(back, zero) {
		t.Errorf("zero stamps encoded again: %x", back)
	}

	raw := raw35(77, 0, 0)
	raw[8] = 0xff // more than 10^9 ns
	got, err = Decode(raw)
	if err != nil || !got.Stamp.IsZero() || !got.ReadyStamp.Equal(at1) || got.PID != 77 {
		t.Errorf("one bad stamp: %+v, %v; want only Stamp zero", got, err)
	}
}

func TestRecordAppend(t *testing.T) {
	prefix := []byte("before")
	r := Record{Stamp: at0, ReadyStamp: at1, PID: 77, PGID: 78, Wait: 0x0300, WantUp: true, Ready: true}
	if got, want := r.Append(prefix), append([]byte("before"), raw35(77, 0x0300, 0x0c)...); !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	r.Stamp = at0.In(time.FixedZone("", 3600))
	if got, want := r.Append(nil), raw35(77, 0x0300, 0x0c); !bytes.Equal(got, want) {
		t.Errorf("with a zone: got %x, want %x", got, want)
	}
	for _, pid := range []int{-1, math.MinInt32} {
		r.PID = pid
		if got, want := r.Append(nil), raw35(0, 0x0300, 0x0c); !bytes.Equal(got, want) {
			t.Errorf("pid %d: got %x, want %x", pid, got, want)
		}
	}
}

func TestExit(t *testing.T) {
	tests := []struct {
		name      string
		wait      uint16
		code, sig int
	}{
		{name: "exit 0", wait: 0x0000},
		{name: "exit 3", wait: 0x0300, code: 3},
		{name: "exit 255", wait: 0xff00, code: 255},
		{name: "SIGTERM", wait: 0x000f, sig: 15},
		{name: "SIGKILL", wait: 0x0009, sig: 9},
		{name: "SIGABRT, core dumped", wait: 0x0086, sig: 6},
		{name: "last real-time signal", wait: 0x0040, sig: 64},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if code, sig := (Record{Wait: tc.wait}).Exit(); code != tc.code || sig != tc.sig {
				t.Errorf("got code %d, signal %d; want %d, %d", code, sig, tc.code, tc.sig)
			}
		})
	}
}

func TestNeverStarted(t *testing.T) {
	tests := []struct {
		name string
		r    Record
		want bool
	}{
		{name: "want down", r: Record{Paused: true, Ready: true}, want: true},
		{name: "want up", r: Record{Paused: true, Ready: true, WantUp: true}, want: true},
		{name: "before 2.13.2, or after any write", r: Record{Ready: true}},
		{name: "up and paused", r: Record{PID: 7, Paused: true}},
		{name: "finishing", r: Record{Paused: true, Finishing: true}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.r.NeverStarted(); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, path := range goldenFiles(f, "*.status") {
		f.Add(mustRead(f, path))
	}
	f.Add([]byte(nil))
	f.Add(make([]byte, Size))
	f.Add(raw43(7, 8, 9, 0xff))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Decode(raw)
		if err != nil {
			if r != (Record{}) {
				t.Fatalf("%+v beside error %v", r, err)
			}
			return
		}
		r.Exit()
		r.NeverStarted()
		back := r.Append(nil)
		if len(back) != Size {
			t.Fatalf("%d bytes written", len(back))
		}
		again, err := Decode(back)
		r.PGID = r.PID // not in 35 bytes
		if err != nil || again != r {
			t.Fatalf("%x\nread  %+v\nagain %+v, %v", raw, r, again, err)
		}
		if len(raw) != Size {
			raw = dropPGID(raw)
		}
		want := append(canonicalStamp(raw, back), canonicalStamp(raw[12:], back[12:])...)
		want = append(want, raw[24:]...)
		want[34] &= 0x0f
		if !bytes.Equal(back, want) {
			t.Fatalf("written %x\nwant    %x", back, want)
		}
	})
}
