package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	treenote "github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// startPatience is how long a wanted service may have had no process at all
// before Start says so: a run that cannot be executed causes no event.
const startPatience = 10 * time.Second

// Start makes a service wanted up.
func (m *manager) Start(ctx context.Context, name string, opts ...sm.ActOption) error {
	return m.onService(ctx, "start", name, func(ctx context.Context, s *service) error {
		return s.start(ctx, sm.ResolveAct(opts...))
	})
}

func (s *service) start(ctx context.Context, act sm.Act) error {
	if err := s.m.mayWrite(false); err != nil {
		return err
	}
	if err := s.checkRun(); err != nil {
		return err
	}
	mo, err := s.monitor(ctx, s.ownSupervisor())
	if err != nil {
		return err
	}
	defer mo.close()
	if err := s.awaitSupervised(ctx, mo); err != nil {
		return err
	}
	before, err := s.status(ctx)
	if err != nil {
		return err
	}
	return s.push(ctx, mo, before, act)
}

// push makes a service wanted up, which ends every delay, and waits as Start
// does.
func (s *service) push(ctx context.Context, mo *monitor, before sm.Status, act sm.Act) error {
	if !before.Running() && before.State != sm.StateFinishing {
		s.forgive()
	}
	was := s.note()
	if err := s.command(ctx, mo, s.upCommand()); err != nil || act.NoWait {
		return err
	}
	if before.Running() && before.State != sm.StateStopping {
		return nil
	}
	return s.awaitUp(ctx, mo, before, was)
}

// awaitUp waits for a process other than the one before, if that had one. One
// that somebody wanted down and that does not end is up again once it is wanted.
// was is what our own tree said before it was asked.
func (s *service) awaitUp(ctx context.Context, mo *monitor, before sm.Status, was treenote.Note) error {
	stopping := before.State == sm.StateStopping
	patience := startPatience
	if stopping {
		patience = s.stopLimit(sm.Act{}).patience
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	up := newRise(before)
	for {
		var n note
		select {
		case n = <-mo.notes:
		case <-late.C:
			st, err := s.status(ctx)
			switch {
			case err != nil:
				return err
			case st.Running() && st.WantUp:
				return nil
			case stopping:
				stopping = false
				late.Reset(startPatience)
			case !st.Running() && !st.WantUp && st.State != sm.StateUnknown:
				return overtaken("down")
			case st.State == sm.StateStarting:
				return s.notExecuted()
			}
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		up.hear(n)
		if n.gone {
			if err := s.lost(); err != nil {
				return err
			}
			continue
		}
		if n.has(fifodir.Supervised) { // a new supervisor: what we asked of the old one is lost
			if err := s.command(ctx, mo, s.upCommand()); err != nil {
				return err
			}
		}
		st, err := s.status(ctx)
		switch {
		case err != nil:
			return err
		case up.look(st):
			if st.State == sm.StateFailed {
				return failedFor(st)
			}
			return nil
		case !st.Running() && s.triedInVain(was) != nil:
			return s.triedInVain(was)
		case n.has(fifodir.GivenUp): // about the life before ours, whose finish was still running
			s.forgetFailure()
			if err := s.command(ctx, mo, s.upCommand()); err != nil {
				return err
			}
		}
	}
}

func (s *service) notExecuted() error {
	if problem := s.note().Problem; problem != "" {
		return notStarted(s.dir.Path("run"), problem)
	}
	return sm.WithRemedy(fmt.Errorf("the supervisor has not managed to execute %s for %v", s.dir.Path("run"), startPatience),
		"see the supervisor's own output for the reason")
}

// overtaken is the error of a request whose opposite somebody else has asked
// for since.
func overtaken(wanted string) error {
	return sm.WithRemedy(fmt.Errorf("%w: somebody else wanted it %s meanwhile", sm.ErrFailed, wanted), "see its status, and ask again if you still mean it")
}

// another says whether st shows another process than before.
func another(st, before sm.Status) bool {
	return st.PID != before.PID || !st.Since.Equal(before.Since)
}

// checkRun finds out beforehand what the supervisor would tell nobody.
func (s *service) checkRun() error {
	st, err := s.dir.Stat("run")
	if err != nil {
		return sm.WithRemedy(fmt.Errorf("the servicedir has no run: %w", err), "register the service again, or write "+s.dir.Path("run"))
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o111 == 0 {
		return sm.WithRemedy(fmt.Errorf("%s is not executable", s.dir.Path("run")), "chmod +x "+s.dir.Path("run"))
	}
	return nil
}

// How long a supervisor may take to appear, and one that holds its lock to open
// its control FIFO.
const (
	revivePatience = 10 * time.Second
	openPatience   = time.Second
)

// awaitSupervised makes sure that somebody obeys. A supervisor that died is
// replaced by the scanner; a slot whose registrar died before the scanner
// looked is shown to it now.
func (s *service) awaitSupervised(ctx context.Context, mo *monitor) error {
	late := time.NewTimer(openPatience)
	defer late.Stop()
	asked := false
	for {
		nobody := s.listening()
		if nobody != nil && !errors.Is(nobody, control.ErrNobody) {
			return nobody
		}
		held, err := s.supervised()
		if err != nil || held && nobody == nil {
			return err
		}
		if !held && nobody != nil && !asked {
			asked = true
			late.Reset(revivePatience)
			// Who may not ask the scanner can only wait for what it does anyway.
			if err := s.m.sendScanner(ctx, string(control.Rescan)); err != nil && !errors.Is(err, fs.ErrPermission) {
				return err
			}
		}
		select {
		case n := <-mo.notes:
			if n.has(fifodir.Supervised) {
				return nil
			}
			if n.gone {
				if err := s.lost(); err != nil {
					return err
				}
			}
		case <-late.C:
			if nobody == nil {
				return s.unlocked()
			}
			return nobody
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// unlocked is the error where a supervisor reads its FIFO and holds no lock: not
// for the moment in which it dies, but for good.
func (s *service) unlocked() error {
	return sm.WithRemedy(fmt.Errorf("%w: somebody reads the control FIFO, but nobody holds %s", sm.ErrNotSupervised, s.dir.Path(servicedir.LockFile)),
		"end that supervisor and the scanner starts another; see its number with: fuser "+s.dir.Path(servicedir.ControlFile))
}

// command sends commands to a supervisor that was there a moment ago. If it has
// died since, its successor gets them.
func (s *service) command(ctx context.Context, mo *monitor, cmds string) error {
	err := s.send(ctx, cmds)
	for errors.Is(err, control.ErrNobody) {
		if err := s.awaitSupervised(ctx, mo); err != nil {
			return err
		}
		err = s.send(ctx, cmds)
	}
	return err
}

// upCommand also keeps the down file in step for services we registered, as
// commandDown does; of others, somebody else keeps the truth. Up may be said
// twice, for a supervisor before 2.11.2.
func (s *service) upCommand() string {
	if s.registered() {
		return string([]byte{control.UpAndFile, control.Up})
	}
	return string([]byte{control.Up})
}
