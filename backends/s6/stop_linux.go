package s6

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Stop makes a service wanted down.
func (m *manager) Stop(ctx context.Context, name string, opts ...sm.ActOption) error {
	return m.onService(ctx, "stop", name, func(ctx context.Context, s *service) error {
		if err := s.m.mayWrite(false); err != nil {
			return err
		}
		return s.stop(ctx, sm.ResolveAct(opts...))
	})
}

func (s *service) stop(ctx context.Context, act sm.Act) error {
	mo, err := s.monitor(ctx, true)
	if err != nil {
		return err
	}
	defer mo.close()
	if err := s.awaitSupervised(ctx, mo); err != nil {
		return err
	}
	asked := s.supervisor()
	before, err := s.status(ctx)
	if err != nil {
		return err
	}
	undo := s.askFor(before, act)
	limit := s.stopLimit(act)
	if err := s.commandDown(ctx, mo, limit); err != nil {
		undo()
		return err
	}
	if act.NoWait {
		return nil
	}
	if err := s.awaitDown(ctx, mo, asked, limit.patience); err != nil {
		return err
	}
	s.settle(before)
	return nil
}

// hearPatience is more than a supervisor needs to do what it has read, also where it
// shares a busy machine with many others: to give up early would be a wrong answer, to
// give up late is only a late one.
const hearPatience = 3 * time.Second

// awaitDown waits until neither process nor finish is there and none is
// wanted, and kills the process after limit. It gives way to somebody who wants
// the service up meanwhile; asked is the supervisor that got the request.
func (s *service) awaitDown(ctx context.Context, mo *monitor, asked int, limit time.Duration) error {
	kill := time.NewTimer(limit)
	defer kill.Stop()
	heard := time.NewTimer(hearPatience) // runs after a note, until what it told of has settled
	defer heard.Stop()
	settling, died, late := true, false, false
	for {
		st, err := s.status(ctx)
		switch {
		case err != nil:
			return err
		case late && st.Running() && !st.WantUp: // one that is wanted is another's
			late = false
			if err := ignoreNobody(s.send(ctx, string(control.Kill))); err != nil {
				return err
			}
		case !st.WantUp && atRest(st):
			return nil
		case died && st.State == sm.StateUnknown:
			return nil // the supervisor says so by event and cannot by status: a full disk
		}
		select {
		case n := <-mo.notes:
			died = died || n.has(fifodir.Down)
			if !settling {
				settling = true
				heard.Reset(hearPatience)
			}
			if n.gone {
				if err := s.lost(); err != nil {
					return err
				}
			}
			if n.has(fifodir.Supervised) {
				asked = s.supervisor()
				if err := s.commandDown(ctx, mo, stopLimit{}); err != nil {
					return err
				}
				settling = true
				heard.Reset(hearPatience)
				kill.Reset(limit)
				late = false
			}
		case <-heard.C:
			settling = false
			if s.wantedUpAgain(ctx, asked) {
				return overtaken("up")
			}
		case <-kill.C:
			late = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// wantedUpAgain says whether somebody wanted the service up right behind our
// request for the opposite. What a supervisor has read it has done, so if it has
// nothing left to read and wants the service up, that was not the last word. It
// is true by chance for the instant in which it does what it has just read:
// callers give it time. A new supervisor that starts the service is nobody's
// word.
func (s *service) wantedUpAgain(ctx context.Context, asked int) bool {
	if unread, err := s.unread(); err != nil || unread > 0 || s.supervisor() != asked {
		return false
	}
	st, err := s.status(ctx)
	return err == nil && st.WantUp
}

// commandDown asks for the end of the process, once: each "down" sends the
// signal, and many programs take a second one as an order to leave at once.
func (s *service) commandDown(ctx context.Context, mo *monitor, limit stopLimit) error {
	cmds := []byte{control.Down}
	if s.registered() {
		cmds = []byte{control.DownAndFile}
	}
	if limit.ours {
		cmds = []byte{control.OnceAtMost, control.DownSignal, control.Continue}
		if s.registered() {
			// Q would do this, but s6-supervise 2.15.1 ignores it.
			if err := s.dir.Create(servicedir.DownFile, nil, 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	}
	return s.command(ctx, mo, string(cmds))
}

// stopLimit is how long a process may take to end, and who sees to it.
type stopLimit struct {
	patience time.Duration // after which we kill
	ours     bool          // the supervisor must not kill before: the caller asked for more
}

// supervisorMargin keeps our kill away from the supervisor's own: coming just
// after it, ours could hit the next process.
const supervisorMargin = time.Second

func (s *service) stopLimit(act sm.Act) stopLimit {
	b, err := s.dir.ReadFile("timeout-kill", 4096)
	var own time.Duration
	if err == nil {
		own, _ = servicedir.ParseMillis(string(b))
	}
	switch {
	case act.StopWithin > 0:
		return stopLimit{patience: act.StopWithin, ours: own > 0 && act.StopWithin > own}
	case own > 0:
		return stopLimit{patience: own + supervisorMargin}
	default:
		return stopLimit{patience: sm.DefaultStopTimeout}
	}
}
