package supervise

import (
	"context"
	"fmt"
	"time"
)

// engine is one Run of a service: its state, and what is held for it.
type engine struct {
	*Config
	settings settings
	mail     *mailbox
	state    state

	child Child       // the process; nil when there is none
	exit  <-chan Exit // its death
	ready <-chan bool // its readiness; nil once that is settled

	timer *time.Timer // nil unless it runs
	armed bool        // what happens at due
	what  eventKind
	due   time.Time

	written Instance // what the record says
	shown   Note     // what the note says, once noted
	noted   bool
	unsure  error // why it cannot be told whether something survives
	left    bool
}

// run is the loop. Each turn handles one event with all that follows from it.
func (e *engine) run(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	for !e.left {
		if ctx.Err() != nil {
			e.handle(ctx, event{kind: supQUIT})
			return context.Cause(ctx)
		}
		if e.poll(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-e.mail.wake:
		case exit := <-e.exit:
			e.died(ctx, exit)
		case line := <-e.ready:
			e.announced(ctx, line)
		case <-e.alarm():
			e.timer = nil
		}
	}
	return nil
}

// begin is the first turn.
func (e *engine) begin(ctx context.Context) error {
	isDown, err := e.Files.Exists("down")
	if err != nil {
		return fmt.Errorf("cannot tell whether the file down exists: %w", err)
	}
	problem := e.Problem
	found, err := e.Survivors.Find(ctx)
	switch {
	case err != nil:
		e.unsure, problem = err, unsureText(err)
		e.warnf("%s", problem)
	case found == nil:
		e.forgetDeaths()
	default:
		e.adopt(found)
	}
	var actions []action
	e.state, actions = begin(time.Now(), !isDown && !e.Down, e.Hold, found, problem)
	e.state.once = e.Once
	e.perform(ctx, actions)
	return nil
}

// poll handles one event that has come already, if there is one: what the
// process wrote before its death, signals before a death, a death before
// commands, commands before timers (s6 src/supervision/s6-supervise.c, main).
func (e *engine) poll(ctx context.Context) bool {
	select {
	case line := <-e.ready:
		e.announced(ctx, line)
		return true
	default:
	}
	if kind, ok := e.mail.takeSignal(); ok {
		e.handle(ctx, event{kind: kind})
		return true
	}
	select {
	case exit := <-e.exit:
		e.died(ctx, exit)
		return true
	default:
	}
	if bytes := e.mail.takeCommands(); len(bytes) > 0 {
		for _, b := range bytes {
			if kind, ok := commandEvent(b); ok {
				e.handle(ctx, event{kind: kind})
			}
		}
		return true
	}
	if e.armed && !time.Now().Before(e.due) {
		e.disarm()
		e.handle(ctx, event{kind: e.what})
		return true
	}
	return false
}

// handle makes one event happen, and those that answer its actions.
func (e *engine) handle(ctx context.Context, next event) {
	for again := true; again; {
		next.at = time.Now()
		var actions []action
		e.state, actions = step(e.state, next)
		next, again = e.perform(ctx, actions)
	}
}

// died is the death of the process. What it had said before is heard first.
func (e *engine) died(ctx context.Context, exit Exit) {
	if e.ready != nil {
		e.child.CloseReady()
		select {
		case line := <-e.ready:
			e.announced(ctx, line)
		default:
		}
	}
	e.release()
	if e.state.phase == phaseUp || e.state.phase == phaseLastUp {
		e.handle(ctx, event{kind: runDied, exit: exit})
		return
	}
	e.handle(ctx, event{kind: finishDied, exit: exit, pace: e.settings.pace()})
}

// announced is the first newline of run, or the end of its pipe.
func (e *engine) announced(ctx context.Context, line bool) {
	e.ready = nil
	e.child.CloseReady()
	kind := readyEOF
	if line {
		kind = readyLine
	}
	e.handle(ctx, event{kind: kind})
}

// hold takes a process to watch.
func (e *engine) hold(c Child) {
	if e.child != nil {
		panic(fmt.Sprintf("process %d is to be held while %d is", c.PID(), e.child.PID()))
	}
	e.child, e.exit, e.ready = c, c.Exit(), c.Ready()
}

// release lets go of the process, dead or alive.
func (e *engine) release() {
	if e.child != nil {
		c := e.child
		e.child, e.exit, e.ready = nil, nil, nil
		c.Release()
	}
}

// end lets go of everything.
func (e *engine) end() {
	e.disarm()
	e.release()
}

// arm makes one event due; whatever was due before no longer is.
func (e *engine) arm(what eventKind, due time.Time) {
	e.disarm()
	e.armed, e.what, e.due = true, what, due
}

func (e *engine) disarm() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.armed = false
}

// alarm tells when to look again. Only a service that has something to wait for
// has a timer, and only while it waits.
func (e *engine) alarm() <-chan time.Time {
	if !e.armed {
		return nil
	}
	if e.timer == nil {
		e.timer = time.NewTimer(time.Until(e.due))
	}
	return e.timer.C
}

func (e *engine) warnf(format string, args ...any) {
	if e.Log != nil {
		e.Log.Warn(fmt.Sprintf(format, args...))
	}
}
