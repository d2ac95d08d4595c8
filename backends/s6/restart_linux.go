package s6

import (
	"context"
	"errors"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	treenote "github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Restart is down, gone, up. The supervisor is asked for all of it at once, so
// that it goes on even if we do not; what we add is a new "up" once the
// service is down, which undoes a give-up and skips the restart delay.
func (m *manager) Restart(ctx context.Context, name string, opts ...sm.ActOption) error {
	return m.onService(ctx, "restart", name, func(ctx context.Context, s *service) error {
		if err := s.m.mayWrite(false); err != nil {
			return err
		}
		return s.restart(ctx, sm.ResolveAct(opts...))
	})
}

func (s *service) restart(ctx context.Context, act sm.Act) error {
	if err := s.checkRun(); err != nil {
		return err
	}
	mo, err := s.monitor(ctx, s.ownSupervisor())
	if err != nil {
		return err
	}
	defer mo.close()
	for {
		if err := s.awaitSupervised(ctx, mo); err != nil {
			return err
		}
		err := s.restartNow(ctx, mo, act)
		if !errors.Is(err, control.ErrNobody) {
			return err
		}
		// The supervisor died before it could be asked. What there was under
		// it is no more what is to be restarted.
	}
}

func (s *service) restartNow(ctx context.Context, mo *monitor, act sm.Act) error {
	before, err := s.status(ctx)
	if err != nil {
		return err
	}
	if !before.Running() && before.State != sm.StateFinishing {
		return s.push(ctx, mo, before, act)
	}
	undo := s.askFor(before, act)
	limit := s.stopLimit(act)
	down := string(control.Down)
	if limit.ours {
		down = string([]byte{control.DownSignal, control.Continue})
	}
	if err := s.send(ctx, down+s.upCommand()); err != nil {
		undo()
		return err
	}
	if act.NoWait {
		return nil
	}
	return s.awaitAgain(ctx, mo, before, limit.patience)
}

// awaitAgain waits for another process, pushing the service up as soon as the
// old one is gone and killing the old one after limit.
func (s *service) awaitAgain(ctx context.Context, mo *monitor, before sm.Status, limit time.Duration) error {
	kill := time.NewTimer(limit)
	defer kill.Stop()
	late := time.NewTimer(startPatience) // runs once the old process is gone
	late.Stop()
	defer late.Stop()
	settled := false
	var was treenote.Note // when it was pushed
	up := newRise(before)
	for {
		st, err := s.status(ctx)
		switch {
		case err != nil:
			return err
		case up.look(st):
			s.settle(before)
			if st.State == sm.StateFailed {
				return failedFor(st)
			}
			return nil
		case !settled && !st.Running() && st.State != sm.StateFinishing && st.State != sm.StateUnknown:
			settled = true
			late.Reset(startPatience)
			s.forgetFailure()
			was = s.note()
			if err := s.command(ctx, mo, s.upCommand()); err != nil {
				return err
			}
		case settled:
			if err := s.triedInVain(was); err != nil {
				return err
			}
		}
		select {
		case n := <-mo.notes:
			up.hear(n)
			if n.gone {
				if err := s.lost(); err != nil {
					return err
				}
			}
		case <-kill.C:
			if now, err := s.status(ctx); err == nil && now.Running() && !another(now, before) {
				if err := ignoreNobody(s.send(ctx, string(control.Kill))); err != nil {
					return err
				}
			}
		case <-late.C:
			if !st.Running() && !st.WantUp {
				return overtaken("down")
			}
			if st.State == sm.StateStarting && !st.Running() {
				return s.notExecuted()
			}
			late.Reset(startPatience)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
