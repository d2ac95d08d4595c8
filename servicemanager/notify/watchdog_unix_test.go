//go:build unix

package notify

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestWatchdog(t *testing.T) {
	m := listen(t, "")
	n := &notifier{socket: m.name, beat: time.Millisecond}
	if err := n.sayStatus("busy"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sick atomic.Bool
	done := make(chan error, 1)
	go func() {
		done <- n.watch(ctx, func() error {
			if sick.Load() {
				return errors.New("queue\nfull")
			}
			return nil
		})
	}()
	m.want("STATUS=busy", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1")
	sick.Store(true)
	m.skip("WATCHDOG=1", "STATUS=unhealthy: queue full")
	m.want("STATUS=unhealthy: queue full")
	sick.Store(false)
	m.skip("STATUS=unhealthy: queue full", "WATCHDOG=1\nSTATUS=busy")
	m.want("WATCHDOG=1")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Watchdog: %v after the end of the context, want nil", err)
	}
}

// skip reads messages equal to old until one comes that must be new.
func (m *managerSocket) skip(old, new string) {
	m.t.Helper()
	for {
		switch got := m.next(); got {
		case old:
		case new:
			return
		default:
			m.t.Fatalf("message %q, want %q", got, new)
		}
	}
}

func TestWatchdogWithoutCheck(t *testing.T) {
	m := listen(t, "")
	n := &notifier{socket: m.name, beat: time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.watch(ctx, nil) }()
	m.want("WATCHDOG=1", "WATCHDOG=1")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWatchdogReportsLastingFailure(t *testing.T) {
	n := &notifier{socket: "/nonexistent/socket", beat: time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := n.watch(ctx, func() error {
		if calls++; calls == 3 {
			cancel()
		}
		return nil
	})
	if err == nil || calls < 3 {
		t.Errorf("Watchdog: %v after %d checks, want the sending error after 3 or more", err, calls)
	}
}

func TestWatchdogNotWanted(t *testing.T) {
	n := &notifier{}
	if err := n.watch(t.Context(), nil); err != nil {
		t.Errorf("Watchdog: %v, want nil at once", err)
	}
}

func TestWatchdogBeat(t *testing.T) {
	for _, tc := range []struct {
		name, usec, pid string
		want            time.Duration
		bad             bool
	}{
		{name: "unset"},
		{name: "set", usec: "3000000", want: 1500 * time.Millisecond},
		{name: "ours", usec: "2000", pid: "42", want: time.Millisecond},
		{name: "another's", usec: "2000", pid: "43"},
		{name: "shortest", usec: "1", want: 500 * time.Nanosecond},
		{name: "zero", usec: "0", bad: true},
		{name: "word", usec: "soon", bad: true},
		{name: "negative", usec: "-1", bad: true},
		{name: "too large", usec: "9223372036854775807", bad: true},
		{name: "another's nonsense", usec: "soon", pid: "43"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := watchdogBeat(tc.usec, tc.pid, 42)
			if got != tc.want || (err != nil) != tc.bad {
				t.Errorf("beat %v, %v; want %v, error %v", got, err, tc.want, tc.bad)
			}
		})
	}
}
