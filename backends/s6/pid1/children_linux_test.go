package pid1

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asOwnerOfWait makes this program one that waits for all its children, which
// the tests themselves are not.
const asOwnerOfWait = "PID1_TEST_OWNER_OF_WAIT"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(asOwnerOfWait)); err == nil {
		if err := manyStatuses(n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestRow28OneOwnerOfWait(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	if err != nil || strings.Contains("\n"+string(out), "\nos/exec\n") {
		t.Errorf("package os/exec waits for children itself: %v\n%s", err, out)
	}
}

func TestRow30EveryStatusIsRight(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asOwnerOfWait+"=10000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// manyStatuses starts children that end at once, each with an exit code of its
// own, four at a time, while orphans die all the time.
func manyStatuses(n int) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	c := newChildren(nil)
	reaped := make(chan struct{})
	go func() { defer close(reaped); c.reap() }()
	const atATime = 4
	want := map[int][]int{} // a number may come again
	var mu sync.Mutex
	var got int
	var wrong error
	room := make(chan struct{}, atATime)
	all := make(chan struct{})
	go func() {
		defer close(all)
		for d := range c.deaths {
			<-room
			mu.Lock()
			got++
			codes := want[d.pid]
			found := false
			for i, code := range codes {
				if code == d.status.ExitStatus() {
					want[d.pid], found = append(codes[:i:i], codes[i+1:]...), true
					break
				}
			}
			if !found {
				// It may have died before its number was noted.
				want[d.pid] = append(codes, -1-d.status.ExitStatus())
			}
			done := got == n
			mu.Unlock()
			if done {
				return
			}
		}
	}()
	var work sync.WaitGroup
	for w := range atATime {
		work.Go(func() {
			for i := w; i < n; i += atATime {
				room <- struct{}{}
				code := i % 251
				script := fmt.Sprintf("exit %d", code)
				if i%10 == 0 {
					script = "(true &); " + script
				}
				pid, err := c.start(func() (int, int, error) {
					fd := -1
					pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{PidFD: &fd}})
					return pid, fd, err
				})
				mu.Lock()
				if err != nil {
					wrong = err
				}
				codes, found := want[pid], false
				for k, have := range codes {
					if have == -1-code {
						want[pid], found = append(codes[:k:k], codes[k+1:]...), true
						break
					}
				}
				if !found {
					want[pid] = append(codes, code)
				}
				mu.Unlock()
			}
		})
	}
	work.Wait()
	select {
	case <-all:
	case <-time.After(time.Minute):
		return fmt.Errorf("%d of %d deaths are known", got, n)
	}
	for pid, codes := range want {
		if len(codes) > 0 {
			return fmt.Errorf("process %d: exit codes %v do not match (negative: told and not expected)", pid, codes)
		}
	}
	close(c.stop)
	<-reaped
	return wrong
}
