package pid1

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// settleWithin is far more than a thread needs to end the process.
const settleWithin = time.Second

// settle waits until no signal of before can end this process any more.
//
// A signal that comes before anybody takes it ends a Go program. As PID 1 it
// cannot be killed: the thread that got the signal yields six times and then
// exits with 2, and meanwhile the others go on, and would start the program. That
// thread is never asleep; so who is seen asleep now is not it, and takes signals
// as they are meant. Source: Go's runtime/signal_unix.go, dieFromSignal.
func settle() {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	end := time.Now().Add(settleWithin)
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil || tid == unix.Gettid() {
			continue
		}
		for runs(task.Name()) && time.Now().Before(end) {
			yield()
		}
	}
}

// runs says whether a thread is not asleep.
func runs(tid string) bool {
	st, err := readStat("/proc/self/task/" + tid + "/stat")
	return err == nil && st.state == 'R' // else it has ended
}

// yield lets others run on this processor.
func yield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
