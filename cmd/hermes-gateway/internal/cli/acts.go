package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

const (
	// actTimeout is how long commands wait for a state by default.
	actTimeout = 30 * time.Second
	// stopMargin is added to a service's own stop timeout.
	stopMargin = 5 * time.Second
	// atOnce is how many services are acted on at the same time.
	atOnce = 64
	// alreadyGone is what was done to what did not exist.
	alreadyGone = "already gone"
	// lastLook is how long the look at a service takes that did not make it.
	lastLook = 2 * time.Second
)

// stopTimer is a manager that knows how long a service may take to stop.
type stopTimer interface {
	StopTimeout(ctx context.Context, name string) (time.Duration, error)
}

// verb is one thing that is done to services.
type verb struct {
	op   string // "stop", as in "could not stop web"
	none string // what there is to say about no services at all
	// wait is the default bound for one service; nil means actTimeout.
	wait func(context.Context, hermes.Target) time.Duration
	// do does it and says what was done: "stopped", "already down".
	do func(context.Context, hermes.Target) (string, error)
	// gone: there is no status to show afterwards.
	gone bool
	// forgive: a name that means nothing is as good as done.
	forgive bool
}

// outcome is what became of one service.
type outcome struct {
	target hermes.Target
	did    string
	status *servicemanager.Status // nil where it could not be had
	err    error
}

// run does a verb to the services that names mean, or to all, and reports.
func (a *app) run(ctx context.Context, v verb, names []string, all bool) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	if a.flags.timeoutSet { // then it bounds the whole command
		var cancel context.CancelFunc
		ctx, cancel, _ = a.within(ctx, 0)
		defer cancel()
	}
	if all {
		targets, err := a.all(ctx, s)
		if err != nil {
			return err
		}
		return a.report(s, v, a.each(ctx, s, v, targets), nil)
	}
	targets, failures, err := a.resolve(ctx, s, v.op, names)
	if err != nil {
		return err
	}
	var done []outcome
	if v.forgive {
		failures = slices.DeleteFunc(failures, func(f failure) bool {
			absent := errors.Is(f.err, servicemanager.ErrNotRegistered)
			if absent {
				done = append(done, outcome{target: hermes.Target{Typed: f.service, Service: hermes.Reported(f.service)}, did: alreadyGone})
			}
			return absent
		})
	}
	return a.report(s, v, append(done, a.each(ctx, s, v, targets)...), failures)
}

// each does the verb to all targets, some at a time, and returns the outcomes
// in the order of the targets. One that fails does not keep it from the others.
func (a *app) each(ctx context.Context, s *connection, v verb, targets []hermes.Target) []outcome {
	outcomes := make([]outcome, len(targets))
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for i, t := range targets {
		slots <- struct{}{}
		running.Add(1)
		go func() {
			defer func() { <-slots; running.Done() }()
			outcomes[i] = a.one(ctx, s, v, t)
		}()
	}
	running.Wait()
	return outcomes
}

func (a *app) one(ctx context.Context, s *connection, v verb, t hermes.Target) outcome {
	def := actTimeout
	if v.wait != nil {
		def = v.wait(ctx, t)
	}
	bounded, cancel, limit := a.within(ctx, def)
	defer cancel()
	did, err := v.do(bounded, t)
	out := outcome{target: t, did: did, err: err}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		out.err = a.lateness(ctx, s, t, "timed out after "+limit.String(), err)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		out.err = a.lateness(ctx, s, t, "interrupted", err)
	}
	if err == nil && !v.gone {
		out.status = a.look(ctx, s, t)
	}
	return out
}

// look returns the service's status, or nil.
func (a *app) look(ctx context.Context, s *connection, t hermes.Target) *servicemanager.Status {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	st, err := s.manager.Status(ctx, t.Service.String())
	if err != nil {
		return nil
	}
	return &st
}

// lateness says what the service has come to when the wait ended.
func (a *app) lateness(ctx context.Context, s *connection, t hermes.Target, what string, err error) error {
	if st := a.look(ctx, s, t); st != nil {
		what += "; " + t.String() + " is " + st.State.String() + pidOf(st)
	}
	return servicemanager.WithRemedy(&lateError{what: what, err: err}, "look again: "+a.commandOn(t, "status"))
}

// lateError is a wait that ended before what was waited for.
type lateError struct {
	what string
	err  error
}

func (e *lateError) Error() string { return e.what }
func (e *lateError) Unwrap() error { return e.err }

// report prints what became of the services and returns the error that ends
// the command, if any.
func (a *app) report(s *connection, v verb, outcomes []outcome, failures []failure) error {
	var good []outcome
	for _, o := range outcomes {
		if o.err == nil {
			good = append(good, o)
			continue
		}
		failures = append(failures, failure{op: v.op, name: o.target.String(), service: o.target.Service.String(), err: a.withNameRemedy(o.err)})
	}
	if a.wantsJSON() {
		if len(failures) > 0 {
			return a.fail(failures...)
		}
		return writeJSON(a.out, a.actDocument(s, v, good))
	}
	if len(good)+len(failures) == 0 {
		a.done("%s", v.none)
	}
	a.summarize(good, len(good)+len(failures))
	if len(failures) > 0 {
		return a.fail(failures...)
	}
	return nil
}

// summarize prints one line for all services to which the same was done.
func (a *app) summarize(good []outcome, total int) {
	var dids []string
	for _, o := range good {
		if !slices.Contains(dids, o.did) {
			dids = append(dids, o.did)
		}
	}
	for _, did := range dids {
		var names []string
		var last outcome
		for _, o := range good {
			if o.did == did {
				names = append(names, o.target.String())
				last = o
			}
		}
		switch {
		case total == 1:
			a.done("%s%s", sentence(did, names[0]), pidOf(last.status))
		case len(names) == total:
			a.done("%s %d: %s", did, total, strings.Join(names, ", "))
		default:
			a.done("%s %d of %d: %s", did, len(names), total, strings.Join(names, ", "))
		}
	}
}

func sentence(did, name string) string {
	if strings.HasPrefix(did, "already ") || strings.HasPrefix(did, "now ") {
		return name + " is " + did
	}
	return did + " " + name
}

// pidOf is what a line adds about a process, " (pid 12)" or nothing.
func pidOf(st *servicemanager.Status) string {
	if st == nil || st.PID <= 0 {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", st.PID)
}

func (a *app) actOptions() []servicemanager.ActOption {
	if a.flags.noWait {
		return []servicemanager.ActOption{servicemanager.NoWait()}
	}
	return nil
}

// stopWait is the default bound for commands that stop a service: its own stop
// timeout and a little, where the manager knows it.
func (a *app) stopWait(ctx context.Context, t hermes.Target) time.Duration {
	st, ok := servicemanager.As[stopTimer](a.conn.manager)
	if !ok {
		return actTimeout
	}
	d, err := st.StopTimeout(ctx, t.Service.String())
	if err != nil {
		return actTimeout
	}
	return d + stopMargin
}
