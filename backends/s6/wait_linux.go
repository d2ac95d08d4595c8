package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Wait waits for a condition.
func (m *manager) Wait(ctx context.Context, name string, until sm.Condition) (sm.Status, error) {
	st := sm.Status{Name: name}
	err := m.onService(ctx, "wait", name, func(ctx context.Context, s *service) (err error) {
		mo, err := s.monitor(ctx, true)
		if err != nil {
			return err
		}
		defer mo.close()
		revived := time.NewTimer(revivePatience) // runs while there is no supervisor
		revived.Stop()
		defer revived.Stop()
		for {
			if st, err = s.status(ctx); err != nil {
				return err
			}
			if done, err := reached(st, until); done || err != nil {
				return err
			}
			select {
			case n := <-mo.notes:
				if n.has(fifodir.Supervised) {
					revived.Stop()
				}
				if !n.gone {
					continue
				}
				if err := s.lost(); err != nil {
					st = sm.Status{Name: name, Problem: "no supervisor"}
					return err
				}
				revived.Reset(revivePatience)
			case <-revived.C:
				if held, err := s.supervised(); err != nil || !held {
					return errors.Join(control.ErrNobody, err)
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	return st, err
}

// reached decides whether a status fulfils a condition, or never can.
func reached(st sm.Status, until sm.Condition) (bool, error) {
	if st.State == sm.StateUnknown {
		return false, nil
	}
	switch until {
	case sm.UntilUp, sm.UntilReady:
		if st.State == sm.StateFailed && !st.Running() {
			return false, failedFor(st)
		}
		return st.Running() && (until == sm.UntilUp || st.Ready), nil
	case sm.UntilDown:
		return !st.Running(), nil
	case sm.UntilFinished:
		return atRest(st), nil
	default:
		return false, &sm.SpecError{Field: "Condition", Value: fmt.Sprint(int(until)), Reason: "is not one of UntilUp, UntilReady, UntilDown, UntilFinished"}
	}
}

// atRest says whether nothing is there and nothing is about to start. A service
// that nobody supervises for the moment has failed and may be there.
func atRest(st sm.Status) bool {
	return (st.State == sm.StateDown || st.State == sm.StateFailed) && !st.Running()
}

func failedFor(st sm.Status) error {
	return sm.WithRemedy(fmt.Errorf("%w: %s", sm.ErrFailed, st.Problem), "see its log, mend the cause, then start it")
}

// lost decides what the death of a supervisor means: nothing while the scanner
// lives and will replace it, the end of waiting otherwise. A lock that is still
// held says nothing of a service that was removed: a supervisor that ends
// closes its FIFO before it gives up the lock.
func (s *service) lost() error {
	same, err := s.same()
	gone := err == nil && !same
	if held, err := s.supervised(); !gone && (err != nil || held) {
		return err
	}
	if err := s.m.scannerAlive(); errors.Is(err, control.ErrNobody) {
		return err
	}
	if gone {
		return fmt.Errorf("%w any more: it was removed", sm.ErrNotRegistered)
	}
	return nil // a scanner we may not ask counts as alive
}

// Watch reports the changes of a service.
func (m *manager) Watch(ctx context.Context, name string) iter.Seq2[sm.Status, error] {
	return func(yield func(sm.Status, error) bool) {
		ctx, leave, err := m.enter(ctx)
		if err != nil {
			yield(sm.Status{Name: name}, m.fail("watch", name, err))
			return
		}
		defer leave()
		w := watcher{m: m, name: name, yield: yield}
		for {
			again, err := w.one(ctx)
			if again {
				continue
			}
			if err != nil && ctx.Err() == nil {
				yield(sm.Status{Name: name}, m.fail("watch", name, err))
			}
			return
		}
	}
}

// watcher carries what was last reported from one servicedir of a name to the
// next.
type watcher struct {
	m     *manager
	name  string
	yield func(sm.Status, error) bool
	last  sm.Status
	begun bool
}

// one watches the servicedir that has the name now. It returns true when the
// name has come to mean another one.
func (w *watcher) one(ctx context.Context) (again bool, err error) {
	s, err := w.m.service(w.name)
	if err != nil {
		return false, err
	}
	defer s.close()
	mo, err := s.monitor(ctx, true)
	if err != nil {
		return false, err
	}
	defer mo.close()
	for {
		st, err := s.status(ctx)
		if err != nil && !removed(err) {
			return false, err
		}
		if err == nil && !w.report(st) {
			return false, nil
		}
		n, err := mo.next(ctx)
		if err != nil {
			return false, nil //nolint:nilerr // the end that was asked for
		}
		if n.gone || st.State == sm.StateUnknown { // it may have been removed
			if same, err := s.same(); err != nil || !same {
				return err == nil, err
			}
		}
	}
}

func removed(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESTALE) }

// report yields a status that differs from the last one; false ends the watch.
func (w *watcher) report(st sm.Status) bool {
	if w.begun && equalStatus(st, w.last) {
		return true
	}
	w.begun, w.last = true, st
	return w.yield(st, nil)
}

func equalStatus(a, b sm.Status) bool {
	ea, eb := a.LastExit, b.LastExit
	a.LastExit, b.LastExit = nil, nil
	return a == b && (ea == nil) == (eb == nil) && (ea == nil || *ea == *eb)
}
