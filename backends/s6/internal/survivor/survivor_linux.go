// Package survivor finds what an earlier supervisor of a service left running
// when it was killed, by the record supervise/instance, and tells it for certain:
// where it cannot be told nothing is concluded.
package survivor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Finder is supervise.Survivors for one directory. The caller holds its lock.
type Finder struct {
	Dir    *superdir.Dir
	Host   supervise.Host
	Reaper *reaper.Reaper
}

// ThisHost says where process ids have the meaning that they have here. Where
// the system does not tell, the error says so and the result is partly empty.
func ThisHost() (supervise.Host, error) {
	var h supervise.Host
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return h, err
	}
	h.BootID = strings.TrimSpace(string(id))
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return h, &os.PathError{Op: "stat", Path: "/proc/self/ns/pid", Err: err}
	}
	h.PIDNS = fmt.Sprint(st.Ino)
	return h, nil
}

// Find returns the process that the record tells of, or nil where it is certain
// that there is none. One whose start was under way is ended first.
func (f *Finder) Find(ctx context.Context) (*supervise.Survivor, error) {
	in, present, err := f.Dir.Instance()
	switch {
	case err != nil:
		return nil, f.unsure(err)
	case !present || in.Stage == supervise.StageNone:
		return nil, nil
	}
	here, known := sameHost(f.Host, in.Host)
	switch {
	case !known:
		return nil, f.unsure(errors.New("the kernel does not say, or did not, which boot and which pid namespace this is (is /proc mounted?)"))
	case !here:
		return nil, f.forget() // what was alive then and there is not alive here
	case in.Stage == supervise.StageStarting && beforeAll(in):
		return nil, f.forget()
	case in.Stage == supervise.StageStarting:
		if err := f.endUnborn(ctx, in); err != nil {
			return nil, f.unsure(err)
		}
		return nil, f.forget()
	}
	child, err := procs.Adopt(f.Reaper, in.PID, in.Ticks)
	if errors.Is(err, reaper.ErrGone) {
		return nil, f.forget()
	}
	if err != nil {
		return nil, f.unsure(err)
	}
	if waitsForParent(in.PID) {
		// Else it would be shown as alive until its parent, or patience, comes
		// to an end.
		child.Release()
		return nil, f.forget()
	}
	return &supervise.Survivor{Instance: in, Child: child, Last: f.Dir.LastStatus()}, nil
}

// MayLive says whether the process that a record tells of could still be there:
// where it cannot be told it could.
func MayLive(in supervise.Instance, here supervise.Host) bool {
	if in.Stage == supervise.StageNone {
		return false
	}
	same, known := sameHost(here, in.Host)
	if !known || !same {
		return !known
	}
	if in.Stage == supervise.StageStarting {
		return !beforeAll(in)
	}
	ticks, err := reaper.Ticks(in.PID)
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ESRCH)
	}
	return ticks == in.Ticks
}

// beforeAll says whether a start was recorded before the first process of this pid
// namespace began. The number of a namespace is given out again when it is gone, at
// once even: then the record is of another one, of which nothing is left.
func beforeAll(in supervise.Instance) bool {
	first, err := reaper.Ticks(1)
	return err == nil && in.Ticks != 0 && in.Ticks < first
}

// sameHost says whether a record was made where we are. One word that differs
// is enough to know.
func sameHost(here, then supervise.Host) (same, known bool) {
	same, known = true, true
	for _, w := range [][2]string{{here.BootID, then.BootID}, {here.PIDNS, then.PIDNS}} {
		if w[0] == "" || w[1] == "" {
			known = false
		} else if w[0] != w[1] {
			same = false
		}
	}
	return same, known || !same
}

// unsure adds what a person can do who knows better.
func (f *Finder) unsure(err error) error {
	return fmt.Errorf("%w; if no process of the service is alive, remove %s and give the command u", err, f.Dir.Dir().Path(superdir.InstanceFile))
}

func (f *Finder) forget() error {
	return f.Dir.WriteInstance(supervise.Instance{Host: f.Host})
}

// endUnborn ends what was being started when the supervisor was killed, and
// waits until it is gone. It may have started more meanwhile, so it looks until
// there is nothing.
func (f *Finder) endUnborn(ctx context.Context, in supervise.Instance) error {
	s, err := newSearch(f.Dir.Dir(), in.Ticks, f.others)
	if err != nil {
		return err
	}
	wait := firstLook
	for {
		found, err := s.look()
		if errors.Is(err, errHidden) && wait <= lastLook {
			if err := pause(ctx, wait); err != nil {
				return err
			}
			wait *= 2
			continue
		}
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return nil
		}
		for _, p := range found {
			if err := f.end(ctx, p); err != nil {
				return err
			}
		}
	}
}

// The pauses before another look at what is hidden: with each it doubles.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 640 * time.Millisecond
)

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// others says whether a child of ours is another service's. One of this service
// has been let go of before anybody looks for it.
func (f *Finder) others(p process) bool {
	handle, err := f.Reaper.Adopt(p.pid, p.started, nil)
	if err == nil {
		handle.Release()
	}
	return err != nil // it is watched, or gone
}

// end kills a process and its group, and waits until it is gone.
func (f *Finder) end(ctx context.Context, p process) error {
	gone := make(chan struct{})
	handle, err := f.Reaper.Adopt(p.pid, p.started, func(reaper.Exit) { close(gone) })
	if errors.Is(err, reaper.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer handle.Release()
	_ = handle.SignalGroup(syscall.SIGKILL)
	if err := handle.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("process %d, which an earlier supervisor was starting, cannot be ended: %w", p.pid, err)
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
