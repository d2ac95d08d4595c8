package supervise

import (
	"math"
	"strings"
	"testing"
)

func TestInstance(t *testing.T) {
	host := Host{BootID: "3fa85f64-5717-4562-b3fc-2c963f66afa6", PIDNS: "4026531836"}
	for _, tc := range []struct {
		name string
		in   Instance
		line string
	}{
		{"zero", Instance{}, "v1 none 0 0 - - down none\n"},
		{
			"starting",
			Instance{Stage: StageStarting, Host: host, WantUp: true, Ready: Unready},
			"v1 starting 0 0 3fa85f64-5717-4562-b3fc-2c963f66afa6 4026531836 up unready\n",
		},
		{
			"starting finish",
			Instance{Stage: StageStarting, PID: 12, Host: host, WantUp: true, Ending: true},
			"v1 starting 12 0 3fa85f64-5717-4562-b3fc-2c963f66afa6 4026531836 restart none\n",
		},
		{
			"run",
			Instance{Stage: StageRun, PID: math.MaxInt32, Ticks: math.MaxUint64, Host: host, WantUp: true, Ready: Ready},
			"v1 run 2147483647 18446744073709551615 3fa85f64-5717-4562-b3fc-2c963f66afa6 4026531836 up ready\n",
		},
		{
			"finish",
			Instance{Stage: StageFinish, PID: 1, Ticks: 2, Host: host, Ending: true},
			"v1 finish 1 2 3fa85f64-5717-4562-b3fc-2c963f66afa6 4026531836 stop none\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.in.String(); got != tc.line {
				t.Errorf("written as %q, want %q", got, tc.line)
			}
			got, err := ParseInstance(tc.line)
			if err != nil || got != tc.in {
				t.Errorf("read as %+v, %v; want %+v", got, err, tc.in)
			}
			if len(tc.line) > MaxInstance {
				t.Errorf("%d bytes", len(tc.line))
			}
		})
	}
}

// A word that would break the line is left out of it.
func TestInstanceHostWords(t *testing.T) {
	for _, word := range []string{"", "-", "a b", "a\n", "\x00", "ü", strings.Repeat("x", 65)} {
		line := Instance{Host: Host{BootID: word, PIDNS: word}}.String()
		if got, err := ParseInstance(line); err != nil || got.Host != (Host{}) {
			t.Errorf("%q: %q is read as %+v, %v", word, line, got, err)
		}
	}
	longest := Instance{
		Stage: StageStarting, PID: math.MaxInt32, Ticks: math.MaxUint64, WantUp: true, Ending: true, Ready: Unready,
		Host: Host{BootID: strings.Repeat("x", 64), PIDNS: strings.Repeat("y", 64)},
	}
	if n := len(longest.String()); n > MaxInstance {
		t.Errorf("the longest line has %d bytes, more than MaxInstance", n)
	}
}

func TestParseInstanceRefuses(t *testing.T) {
	const good = "v1 run 12 34 boot ns up ready\n"
	if _, err := ParseInstance(good); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"", "\n", "v1\n", good[:len(good)-1], good + good, good + "\n", " " + good,
		"v2 run 12 34 boot ns up ready\n",
		"v1 run 12 34 boot ns up ready more\n",
		"v1 run 12 34 boot ns up\n",
		"v1  run 12 34 boot ns up ready\n",
		"v1 walk 12 34 boot ns up ready\n",
		"v1 run -12 34 boot ns up ready\n",
		"v1 run +12 34 boot ns up ready\n",
		"v1 run 012 34 boot ns up ready\n",
		"v1 run 2147483648 34 boot ns up ready\n",
		"v1 run 0 34 boot ns up ready\n",
		"v1 finish 0 34 boot ns up ready\n",
		"v1 run 12 34x boot ns up ready\n",
		"v1 run 12 18446744073709551616 boot ns up ready\n",
		"v1 run 12 34 \x01 ns up ready\n",
		"v1 run 12 34 boot ns perhaps ready\n",
		"v1 run 12 34 boot ns up nearly\n",
		"v1 run 12 34 boot ns up ready\r\n",
		"v1 run 12 34 boot ns up \n",
	} {
		in, err := ParseInstance(line)
		if err == nil {
			t.Errorf("%q is read as %+v", line, in)
		} else if in != (Instance{}) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v with %q", line, in, err)
		}
	}
}

func FuzzParseInstance(f *testing.F) {
	f.Add("v1 run 12 34 boot ns up ready\n")
	f.Add("v1 starting 0 0 - - restart unready\n")
	f.Add("v1 none 0 0 - - down none\n")
	f.Fuzz(func(t *testing.T, line string) {
		in, err := ParseInstance(line)
		if err != nil {
			return
		}
		if got := in.String(); got != line {
			t.Errorf("%q is read, and written as %q", line, got)
		}
	})
}
