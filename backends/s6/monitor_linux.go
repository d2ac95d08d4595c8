package s6

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/dirwatch"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/life"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	treenote "github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// note is a reason to look at a service again.
type note struct {
	events []byte // of the supervisor, in order
	gone   bool   // the supervisor died
}

func (n note) has(event byte) bool { return bytes.IndexByte(n.events, event) >= 0 }

// monitor merges all that tells about changes of one service: the events of
// its supervisor, the supervisor's death, which has no event, and optionally
// new status files, for the changes that have no event either.
type monitor struct {
	notes  chan note
	cancel context.CancelFunc
	work   sync.WaitGroup

	sub       *fifodir.Sub
	event     *fsat.Dir
	supervise *fsat.Dir
	changes   []*dirwatch.Watch
	owned     *fsat.Dir     // closed with the monitor
	revived   chan struct{} // the supervisor said it is there
}

// probeEvery is how often a monitor looks where no event can tell.
const probeEvery = time.Second

// monitor subscribes; from its return on, nothing is missed. Read the status
// after it. withStatus adds the changes that have no event.
func (s *service) monitor(ctx context.Context, withStatus bool) (_ *monitor, err error) {
	mo := &monitor{notes: make(chan note), revived: make(chan struct{}, 1)}
	ctx, mo.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			mo.close()
		}
	}()
	if mo.event, err = s.dir.Sub("event"); err != nil {
		return nil, s.noEvents(err)
	}
	if mo.sub, err = fifodir.Subscribe(mo.event); err != nil {
		if same, serr := s.same(); serr == nil && !same {
			err = removedMeanwhile(err)
		}
		return nil, err
	}
	mo.work.Go(func() { mo.listen(ctx) })
	mo.work.Go(func() { mo.outlive(ctx, s) })
	if withStatus {
		mo.watchStatus(ctx, s)
	}
	return mo, nil
}

// noEvents explains why the event directory cannot be opened.
func (s *service) noEvents(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if held, herr := s.supervised(); herr != nil || !held {
		return fmt.Errorf("%s: no supervisor has been here yet: %w", s.dir.Path(), control.ErrNobody)
	}
	return sm.WithRemedy(fmt.Errorf("the supervisor's event directory is gone: %w", err), "make it again: mkdir -m 3730 "+s.dir.Path("event"))
}

func (mo *monitor) close() {
	mo.cancel()
	mo.work.Wait()
	for _, w := range mo.changes {
		w.Close()
	}
	if mo.sub != nil {
		_ = mo.sub.Close() // what stays is removed by the next event
	}
	for _, d := range []*fsat.Dir{mo.event, mo.supervise, mo.owned} {
		if d != nil {
			d.Close()
		}
	}
}

// next waits for the next reason to look.
func (mo *monitor) next(ctx context.Context) (note, error) {
	select {
	case n := <-mo.notes:
		return n, nil
	case <-ctx.Done():
		return note{}, context.Cause(ctx)
	}
}

func (mo *monitor) tell(ctx context.Context, n note) {
	select {
	case mo.notes <- n:
	case <-ctx.Done():
	}
}

func (mo *monitor) listen(ctx context.Context) {
	for {
		events, err := mo.sub.Next(ctx)
		if err != nil {
			return
		}
		if bytes.IndexByte(events, fifodir.Supervised) >= 0 {
			select {
			case mo.revived <- struct{}{}:
			default:
			}
		}
		mo.tell(ctx, note{events: events})
	}
}

// outlive tells of each death of a supervisor, and waits in between until one
// is there.
func (mo *monitor) outlive(ctx context.Context, s *service) {
	for ctx.Err() == nil {
		if !awaitSupervisorEnd(ctx, s.dir) {
			return
		}
		mo.tell(ctx, note{gone: true})
		mo.awaitRevival(ctx, s)
	}
}

// awaitRevival waits until a supervisor says that it is there. If the scanner
// dies before, none will come by itself, and that is told once.
func (mo *monitor) awaitRevival(ctx context.Context, s *service) {
	ctx, cancel := context.WithCancel(ctx)
	end := s.m.onScannerEnd(ctx, func() { mo.tell(ctx, note{gone: true}) })
	defer end()
	defer cancel()
	select {
	case <-mo.revived:
	case <-ctx.Done():
	}
}

// awaitSupervisorEnd returns true when no supervisor is there (any more). It
// prefers the write end of the control FIFO, then a pidfd of the holder of the
// lock, and probes once a second where it has the right to neither.
func awaitSupervisorEnd(ctx context.Context, dir *fsat.Dir) bool {
	st, err := dir.Stat(servicedir.ControlFile)
	if err == nil {
		f, err := control.Open(dir, servicedir.ControlFile, st.Uid)
		if errors.Is(err, control.ErrNobody) {
			return true
		}
		if err == nil {
			defer f.Close()
			return life.FIFO(ctx, f) == nil
		}
	}
	held, pid, err := lock.Holder(dir, servicedir.LockFile)
	if err == nil && !held {
		return true
	}
	if pid > 0 {
		if pidfd, err := life.OpenProcess(pid); err == nil {
			defer pidfd.Close()
			return life.Process(ctx, pidfd) == nil
		}
	}
	return probeSupervisorEnd(ctx, dir)
}

func probeSupervisorEnd(ctx context.Context, dir *fsat.Dir) bool {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if held, _, err := lock.Holder(dir, servicedir.LockFile); err == nil && !held {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// watchStatus reports new status files, and the notes of our own tree that come
// without one, by inotify where the directory may be read, else by looking once
// a second.
func (mo *monitor) watchStatus(ctx context.Context, s *service) {
	status, err := mo.watch(s, path.Base(servicedir.StatusFile))
	if err != nil {
		mo.work.Go(func() {
			tick := time.NewTicker(probeEvery)
			defer tick.Stop()
			forward(ctx, mo, tick.C, always)
		})
		return
	}
	mo.work.Go(func() { forward(ctx, mo, status, always) })
	if notes, err := mo.watch(s, path.Base(treenote.File)); err == nil {
		mo.work.Go(func() { forward(ctx, mo, notes, func() bool { return standsAlone(s.note()) }) })
	}
}

// watch tells when a file in supervise/ is replaced.
func (mo *monitor) watch(s *service, name string) (changes <-chan struct{}, err error) {
	hub := s.m.watchHub()
	if hub == nil {
		return nil, os.ErrInvalid
	}
	if mo.supervise == nil {
		if mo.supervise, err = s.dir.Sub("supervise"); err != nil {
			return nil, err
		}
	}
	w, err := hub.Add(mo.supervise, name)
	if err != nil {
		return nil, err
	}
	mo.changes = append(mo.changes, w)
	return w.C, nil
}

func always() bool { return true }

func forward[T any](ctx context.Context, mo *monitor, c <-chan T, matters func() bool) {
	for {
		select {
		case <-c:
			if matters() {
				mo.tell(ctx, note{})
			}
		case <-ctx.Done():
			return
		}
	}
}
