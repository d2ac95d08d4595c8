package notify

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Watchdog proves to a supervisor that wants it (systemd's WatchdogSec=) that
// the program is alive, twice per interval, until ctx ends. Without one it
// returns nil at once, so it can always be started as `go notify.Watchdog(ctx,
// check)`.
//
// Before every sign of life healthy is called, in Watchdog's goroutine; nil
// means always healthy. While it returns an error, or does not return, no sign
// is given, the error is shown as the status, and the supervisor kills the
// service once the interval is over. When it recovers in time, the last text
// given to Status is shown again.
//
// A sign that cannot be sent is tried again half an interval later. Errors: a
// WATCHDOG_USEC that is no number, and the sending error that lasted when ctx
// ended; the end of ctx itself is nil.
func Watchdog(ctx context.Context, healthy func() error) error {
	return current().watch(ctx, healthy)
}

func (n *notifier) watch(ctx context.Context, healthy func() error) error {
	if n.beat == 0 || ctx.Err() != nil {
		return n.beatErr
	}
	if healthy == nil {
		healthy = func() error { return nil }
	}
	ticker := time.NewTicker(n.beat)
	defer ticker.Stop()
	sick := false
	for {
		var sent error
		if illness := healthy(); illness != nil {
			sick = true
			sent = n.sayUnhealthy(illness)
		} else {
			sent = n.sayAlive(sick)
			sick = sick && sent != nil
		}
		select {
		case <-ctx.Done():
			return sent
		case <-ticker.C:
		}
	}
}

func (n *notifier) sayAlive(recovered bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	message := "WATCHDOG=1"
	if recovered {
		message += "\nSTATUS=" + n.status
	}
	return n.send(message)
}

func (n *notifier) sayUnhealthy(illness error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.send("STATUS=unhealthy: " + oneLine(illness.Error()))
}

// watchdogBeat is half of WATCHDOG_USEC, and 0 where that is unset or meant
// for another process.
func watchdogBeat(usec, pid string, self int) (time.Duration, error) {
	if usec == "" || pid != "" && pid != strconv.Itoa(self) {
		return 0, nil
	}
	d, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || d <= 0 || d > math.MaxInt64/int64(time.Microsecond) {
		return 0, fmt.Errorf("notify: WATCHDOG_USEC %q is not a number of microseconds; no sign of life is given", usec)
	}
	return time.Duration(d) * time.Microsecond / 2, nil
}
