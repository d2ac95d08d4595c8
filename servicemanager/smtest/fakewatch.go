package smtest

import (
	"context"
	"fmt"
	"iter"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Wait waits for a condition.
func (f *Fake) Wait(ctx context.Context, name string, until servicemanager.Condition) (servicemanager.Status, error) {
	st := servicemanager.Status{Name: name}
	if err := f.enter(ctx, servicemanager.CapWait, "wait", name); err != nil {
		return st, err
	}
	if until < servicemanager.UntilUp || until > servicemanager.UntilFinished {
		return st, f.fail("wait", name, &servicemanager.SpecError{Field: "Condition", Value: fmt.Sprint(int(until)),
			Reason: "is none of UntilUp, UntilReady, UntilDown, UntilFinished"})
	}
	var s *service
	err := f.onService(name, func(found *service) error {
		s = found
		return nil
	})
	if err == nil {
		err = f.await(ctx, s, func() (bool, error) {
			if err := s.trouble(); err != nil {
				return false, err
			}
			st = s.statusLocked()
			return s.reachedLocked(st, until)
		})
	}
	return st, f.fail("wait", name, err)
}

// reachedLocked says whether a status fulfils a condition, or never can.
func (s *service) reachedLocked(st servicemanager.Status, until servicemanager.Condition) (bool, error) {
	switch until {
	case servicemanager.UntilUp, servicemanager.UntilReady:
		if st.State == servicemanager.StateFailed {
			return false, s.failed()
		}
		return st.Running() && (until == servicemanager.UntilUp || st.Ready), nil
	case servicemanager.UntilDown:
		return !st.Running(), nil
	default:
		return st.State == servicemanager.StateDown || st.State == servicemanager.StateFailed, nil
	}
}

// watcher is one running Watch. It gets every change; none is merged.
type watcher struct {
	seen []servicemanager.Status // not yet taken, guarded by the world's lock
	gone bool                    // the service was removed
	wake chan struct{}           // holds one element when there is something to take
}

func (w *watcher) tellLocked(s *service) {
	if s.removed {
		w.gone = true
	} else {
		w.seen = append(w.seen, s.statusLocked())
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Watch reports the changes of a service.
func (f *Fake) Watch(ctx context.Context, name string) iter.Seq2[servicemanager.Status, error] {
	return func(yield func(servicemanager.Status, error) bool) {
		if err := f.enter(ctx, servicemanager.CapWatch, "watch", name); err != nil {
			yield(servicemanager.Status{Name: name}, err)
			return
		}
		w := &watcher{wake: make(chan struct{}, 1)}
		var s *service
		err := f.onService(name, func(found *service) error {
			s = found
			s.watchers[w] = true
			w.tellLocked(s)
			return nil
		})
		if err != nil {
			yield(servicemanager.Status{Name: name}, f.fail("watch", name, err))
			return
		}
		defer func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(s.watchers, w)
		}()
		f.follow(ctx, w, func(st servicemanager.Status, gone bool) bool {
			if gone {
				return yield(servicemanager.Status{Name: name}, f.fail("watch", name, servicemanager.ErrNotRegistered))
			}
			return yield(st, nil)
		})
	}
}

// follow hands on what the watcher gets, without repetitions.
func (f *Fake) follow(ctx context.Context, w *watcher, report func(st servicemanager.Status, gone bool) bool) {
	var last servicemanager.Status
	begun := false
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return
		case <-f.closed:
			return
		}
		f.mu.Lock()
		seen, gone := w.seen, w.gone
		w.seen = nil
		f.mu.Unlock()
		for _, st := range seen {
			if begun && sameStatus(st, last) {
				continue
			}
			begun, last = true, st
			if ctx.Err() != nil || !report(st, false) {
				return
			}
		}
		if gone {
			report(servicemanager.Status{}, true)
			return
		}
	}
}

// sameStatus compares by value, also what pointers point to.
func sameStatus(a, b servicemanager.Status) bool {
	ea, eb := a.LastExit, b.LastExit
	a.LastExit, b.LastExit = nil, nil
	return a == b && (ea == nil) == (eb == nil) && (ea == nil || *ea == *eb)
}
