package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/life"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// lateStart is how long a wanted service may have no process before that is
// called a problem. The supervisor's own delay is one second.
const lateStart = 3 * time.Second

// Status reports one service.
func (m *manager) Status(ctx context.Context, name string) (sm.Status, error) {
	st := sm.Status{Name: name}
	err := m.onService(ctx, "status", name, func(ctx context.Context, s *service) (err error) {
		st, err = s.status(ctx)
		return err
	})
	return st, err
}

// status reads what the supervisor has written and what the directory says. The
// down file comes last: whoever makes or removes it does so before the
// supervisor reports what that led to.
func (s *service) status(ctx context.Context) (sm.Status, error) {
	st, err := s.reported(ctx)
	if err != nil {
		return st, err
	}
	down, err := s.dir.Exists(servicedir.DownFile)
	if err != nil {
		return sm.Status{Name: s.name}, err
	}
	st.Enabled = !down
	return st, nil
}

// reported reads the supervisor's record. One without a supervisor behind it is
// a story of the past and not told.
func (s *service) reported(ctx context.Context) (sm.Status, error) {
	st := sm.Status{Name: s.name}
	holder, err := lock.Query(s.dir, servicedir.LockFile)
	if err != nil {
		return s.unreadable(st, err)
	}
	if !holder.Held {
		st.Problem = "no supervisor"
		return st, nil
	}
	if holder.Silent {
		return s.unreadable(st, fs.ErrNotExist)
	}
	v, err := s.look(holder)
	for try := 0; err == nil && s.passing(v) && try < reportTries; try++ {
		if err := pause(ctx); err != nil {
			return st, err
		}
		v, err = s.look(holder)
	}
	if err != nil {
		return s.unreadable(st, err)
	}
	if stale(v.Record, holder.PID) {
		return s.unreadable(st, fs.ErrNotExist)
	}
	if vanished(v.Record, holder.PID) || holder.OpenFile && s.gone(v.Record) {
		st.Problem = "the supervisor's status names a process that is gone, and is not renewed: is the disk full?"
		return st, nil
	}
	s.interpret(&st, v)
	return st, nil
}

// stale says whether a record is not the living supervisor's but what one
// before it left behind: a new supervisor takes the lock a moment before it
// writes its first status. Such a record names a process that is not its child,
// or none. Only a process that is older than the supervisor, as its number
// tells, is worth the question.
func stale(rec status.Record, supervisor int) bool {
	if rec.PID == 0 || supervisor == 0 || rec.PID > supervisor {
		return false
	}
	if errors.Is(unix.Kill(rec.PID, 0), unix.ESRCH) {
		return true
	}
	parent, err := life.Parent(rec.PID)
	return err == nil && parent != supervisor // without a readable /proc the benefit of the doubt
}

// vanished says whether the process that a record names is gone although its
// supervisor, older than it, is there: for an instant after each death, and
// for good where the supervisor can no longer write, on a full disk.
func vanished(rec status.Record, supervisor int) bool {
	return supervisor != 0 && rec.PID > supervisor && errors.Is(unix.Kill(rec.PID, 0), unix.ESRCH)
}

// reportTries is how many milliseconds a supervisor gets to report a death.
const reportTries = 200

// unreadable turns what makes a status unknown into a problem; a missing right
// stays an error.
func (s *service) unreadable(st sm.Status, err error) (sm.Status, error) {
	var format *status.FormatError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return st, err
	case errors.Is(err, fs.ErrNotExist):
		st.Problem = "the supervisor has not written a status yet"
	case errors.As(err, &format):
		st.Problem = err.Error()
	default:
		st.Problem = "status cannot be read: " + err.Error()
	}
	return st, nil
}

func (s *service) record() (status.Record, error) {
	buf := make([]byte, status.MaxRead)
	n, err := s.dir.ReadRecord(servicedir.StatusFile, buf)
	if err != nil {
		return status.Record{}, err
	}
	return status.Decode(buf[:n])
}

// interpret says what a record of a living supervisor means, and what our own
// tree adds to it; the first match wins.
func (s *service) interpret(st *sm.Status, v sight) {
	rec := v.Record
	st.WantUp = rec.WantUp
	st.Since = rec.Stamp
	st.Restarts = s.deaths()
	alive := rec.PID != 0 && !rec.Finishing
	if alive {
		st.PID = rec.PID
		st.Paused = rec.Paused
		st.Ready = rec.Ready
		if rec.Ready {
			st.ReadySince = rec.ReadyStamp
		}
	}
	s.lastExit(st, rec)
	switch {
	case rec.Finishing:
		st.State = sm.StateFinishing
	case alive && !rec.WantUp:
		st.State = sm.StateStopping
	case alive && !rec.Ready && s.announces():
		st.State = sm.StateStarting
	case alive:
		st.State = sm.StateUp
		if !rec.Ready {
			st.Ready, st.ReadySince = true, rec.Stamp
		}
	case rec.WantUp:
		st.State = sm.StateStarting
		if idle := s.idle(); idle > lateStart && !v.holder.OpenFile { // our own tree says more
			st.Problem = "no process for " + idle.Truncate(time.Second).String() + ": run cannot be executed or is being retried"
		}
	default:
		st.State, st.Problem = s.downOrFailed(st)
	}
	if v.holder.OpenFile {
		s.ownState(st, v)
	}
	if rec.ExitUnknown() && !alive {
		st.Problem = orText(st.Problem, unknownExit)
	}
}

// idle is how long the supervisor has had nothing to report. The stamps in the
// record do not tell: they are not renewed when the wanted state changes.
func (s *service) idle() time.Duration {
	st, err := s.dir.Stat(servicedir.StatusFile)
	if err != nil {
		return 0
	}
	return time.Since(time.Unix(st.Mtim.Unix()))
}

func (s *service) announces() bool {
	n, ok := s.number("notification-fd")
	return ok && n > 0
}

// deaths counts the records of the death tally without reading it.
func (s *service) deaths() int {
	st, err := s.dir.Stat(servicedir.TallyFile)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return 0
	}
	return int(st.Size) / status.DeathSize
}

// lastExit fills in how the last process ended, if anybody knows. A record of a service that
// never ran has the same bytes as one that exited 0, but for its two stamps,
// which are equal, and the empty tally.
func (s *service) lastExit(st *sm.Status, rec status.Record) {
	if rec.NeverStarted() || rec.ExitUnknown() {
		return
	}
	alive := rec.PID != 0 && !rec.Finishing
	if rec.Wait == 0 && st.Restarts == 0 && (alive || rec.Stamp.Equal(rec.ReadyStamp)) {
		return
	}
	code, sig := rec.Exit()
	exit := &sm.Exit{Code: code, Signal: syscall.Signal(sig), At: rec.Stamp}
	if alive {
		exit.At = s.lastDeath()
	}
	st.LastExit = exit
}

// lastDeath is the time of the newest death the supervisor remembers.
func (s *service) lastDeath() time.Time {
	tally, err := s.tally()
	if err != nil || len(tally) == 0 {
		return time.Time{}
	}
	return tally[len(tally)-1].At
}

// maxTally is the size of the longest tally a supervisor keeps: 4096 records.
const maxTally = 4096 * status.DeathSize

func (s *service) tally() ([]status.Death, error) {
	b, err := s.dir.ReadFile(servicedir.TallyFile, maxTally)
	if err != nil {
		return nil, err
	}
	return status.DecodeTally(b)
}

// downOrFailed tells a service that is meant to be down from one that was
// given up. An exit that was asked for is fatal with no code.
func (s *service) downOrFailed(st *sm.Status) (sm.State, string) {
	b, err := s.dir.ReadFile(servicedir.ParkedFile, 4096)
	if err == nil && s.registered() {
		why, _, _ := strings.Cut(string(b), "\n")
		return sm.StateFailed, strings.ToValidUTF8(why, "?")
	}
	e := st.LastExit
	if e == nil || e.Signal != 0 || e.Code == 0 || !slices.Contains(s.mark().Fatal, e.Code) {
		return sm.StateDown, ""
	}
	if s.wasAsked() {
		return sm.StateDown, ""
	}
	return sm.StateFailed, fmt.Sprintf("exit code %d is fatal", e.Code)
}

// StatusAll reports every service of the scan directory.
func (m *manager) StatusAll(ctx context.Context) iter.Seq2[sm.Status, error] {
	return func(yield func(sm.Status, error) bool) {
		ctx, leave, err := m.enter(ctx)
		if err != nil {
			yield(sm.Status{}, m.fail("status", "", err))
			return
		}
		defer leave()
		names, err := m.list()
		if err != nil {
			yield(sm.Status{}, m.fail("status", "", err))
			return
		}
		for batch := range slices.Chunk(names, sweepBatch) {
			for _, r := range m.sweep(ctx, batch) {
				if err := ctx.Err(); err != nil {
					r = result{sm.Status{Name: r.st.Name}, m.fail("status", r.st.Name, err)}
				}
				if errors.Is(r.err, sm.ErrNotRegistered) {
					continue // it was removed since it was listed
				}
				if !yield(r.st, r.err) {
					return
				}
			}
		}
	}
}

// sweepBatch is how many services are read before the first is reported.
const sweepBatch = 512

type result struct {
	st  sm.Status
	err error
}

// sweep reads services side by side: each costs a dozen system calls that
// wait for nothing but the kernel.
func (m *manager) sweep(ctx context.Context, names []string) []result {
	results := make([]result, len(names))
	workers := min(runtime.GOMAXPROCS(0), 4, 1+len(names)/64)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(names); i += workers {
				results[i] = m.read(ctx, names[i])
			}
		})
	}
	wg.Wait()
	return results
}

func (m *manager) read(ctx context.Context, name string) result {
	s, err := m.service(name)
	if err != nil {
		return result{sm.Status{Name: name}, m.fail("status", name, err)}
	}
	defer s.close()
	st, err := s.status(ctx)
	return result{st, m.fail("status", name, err)}
}
