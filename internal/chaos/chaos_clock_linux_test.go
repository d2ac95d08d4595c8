package chaos

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mayStepClock says whether the clock of the system is ours to set: root says so
// on a machine that nobody else uses.
func mayStepClock() bool { return os.Getenv("CHAOS_CLOCK") != "" && os.Geteuid() == 0 }

// mostStep is how far the clock is set at most, either way.
const mostStep = 45 * time.Second

// systemClock is how far the clock is from where it would be.
type systemClock struct {
	off   time.Duration
	steps int
}

// stepClock sets the clock to a time within mostStep of the right one.
func (w *world) stepClock() {
	to := time.Duration(w.rand.Int64N(int64(2*mostStep))) - mostStep
	w.setClock(to)
	w.clock.steps++
}

// setClock puts the clock off by so much. What it is off already, and no more,
// is taken back, so that it goes on as if nobody had touched it.
func (w *world) setClock(off time.Duration) {
	var now unix.Timespec
	must(w.t, unix.ClockGettime(unix.CLOCK_REALTIME, &now))
	to := unix.NsecToTimespec(now.Nano() + int64(off-w.clock.off))
	must(w.t, settime(&to))
	w.clock.off = off
}

// settime is clock_settime(2), which package unix does not have.
func settime(to *unix.Timespec) error {
	_, _, errno := unix.Syscall(unix.SYS_CLOCK_SETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(to)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
