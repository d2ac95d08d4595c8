package smtest

import (
	"context"
	"slices"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func upward() []servicemanager.Condition {
	return []servicemanager.Condition{servicemanager.UntilUp, servicemanager.UntilReady}
}

func downward() []servicemanager.Condition {
	return []servicemanager.Condition{servicemanager.UntilDown, servicemanager.UntilFinished}
}

func waitRules() []rule {
	rules := []rule{
		{name: "up and ready that are there already", check: alreadyUp},
		{name: "down and finished that are there already", check: alreadyDown},
		{name: "a wait for a service to fail ends at once for a failed one", check: waitForFailed},
		{name: "a wait for readiness ends when the service fails", check: waitForFailing},
		{name: "a wait for a service to be up goes on in backoff", check: waitInBackoff},
		{name: "a wait ends when the service is removed", check: waitForRemoved},
		{name: "waiting for an absent service is ErrNotRegistered", check: waitForAbsent},
		{name: "an unknown condition is refused", check: unknownCondition},
		{name: "an expired context gives its error and the last status", check: func(s *suite) {
			spec := s.up()
			for _, until := range downward() {
				s.expires(spec.Name, until)
			}
		}},
		{name: "a cancelled context gives its error", check: waitCancelled},
		{name: "finished means that nothing is about to start", check: waitForFinished},
	}
	for _, until := range append(upward(), downward()...) {
		rules = append(rules, rule{name: "until " + until.String() + " ends when it comes true", check: func(s *suite) {
			s.comesTrue(until, slices.Contains(downward(), until))
		}})
	}
	for i := range rules {
		rules[i].needs = []servicemanager.Capability{servicemanager.CapWait}
	}
	return rules
}

func alreadyUp(s *suite) {
	spec := s.up()
	for _, until := range upward() {
		st := s.waited(spec.Name, until)
		if st.PID != s.pid(spec.Name) || !st.Ready {
			s.t.Errorf("wait until %v: %s", until, describe(st))
		}
	}
}

func alreadyDown(s *suite) {
	spec := s.spec()
	spec.Down = true
	s.add(spec)
	for _, until := range downward() {
		s.wantState(s.waited(spec.Name, until), servicemanager.StateDown)
	}
}

func waitForFailed(s *suite) {
	spec := s.failed()
	for _, until := range upward() {
		st, err := s.waiter().Wait(s.ctx(), spec.Name, until)
		s.refused(err, "wait", spec.Name, servicemanager.ErrFailed)
		s.wantState(st, servicemanager.StateFailed)
	}
	for _, until := range downward() {
		s.wantState(s.waited(spec.Name, until), servicemanager.StateFailed)
	}
}

func waitForFailing(s *suite) {
	spec := s.spec(On(sigTell, 78))
	spec.Ready = servicemanager.ReadyNotify
	spec.FatalExitCodes = []int{78}
	s.addWith("Ready", spec)
	s.settled(spec.Name)
	ctx := s.ctx()
	w := s.waiter()
	waiting := s.beside(func() (servicemanager.Status, error) {
		return w.Wait(ctx, spec.Name, servicemanager.UntilReady)
	})
	s.signal(spec.Name, sigTell)
	s.refused(s.receive(waiting, "the wait").err, "wait", spec.Name, servicemanager.ErrFailed)
}

func waitInBackoff(s *suite) {
	spec := s.backingOff()
	s.waited(spec.Name, servicemanager.UntilDown)
	for _, until := range append(upward(), servicemanager.UntilFinished) {
		_, err := s.waiter().Wait(s.within(50*time.Millisecond), spec.Name, until)
		s.refused(err, "wait", spec.Name, context.DeadlineExceeded)
	}
}

func waitForRemoved(s *suite) {
	spec := s.spec()
	spec.Down = true
	s.add(spec)
	ctx := s.ctx()
	w := s.waiter()
	waiting := s.beside(func() (servicemanager.Status, error) {
		return w.Wait(ctx, spec.Name, servicemanager.UntilUp)
	})
	s.must(s.door.remove(s.ctx(), spec.Name))
	s.refused(s.receive(waiting, "the wait").err, "wait", spec.Name,
		servicemanager.ErrNotRegistered, servicemanager.ErrNotSupervised)
}

func waitForAbsent(s *suite) {
	name := s.newName()
	for _, until := range append(upward(), downward()...) {
		_, err := s.waiter().Wait(s.ctx(), name, until)
		s.refused(err, "wait", name, servicemanager.ErrNotRegistered)
	}
}

func unknownCondition(s *suite) {
	spec := s.up()
	for _, until := range []servicemanager.Condition{0, -1, 99} {
		if _, err := s.waiter().Wait(s.ctx(), spec.Name, until); err == nil {
			s.t.Errorf("a wait for condition %d succeeded", until)
		}
	}
}

func waitCancelled(s *suite) {
	spec := s.up()
	ctx, cancel := context.WithCancel(s.ctx())
	w := s.waiter()
	waiting := s.beside(func() (servicemanager.Status, error) {
		return w.Wait(ctx, spec.Name, servicemanager.UntilDown)
	})
	cancel()
	s.refused(s.receive(waiting, "the wait").err, "wait", spec.Name, context.Canceled)
}

func waitForFinished(s *suite) {
	spec := s.up(On(sigTell, 1))
	ctx := s.ctx()
	w := s.waiter()
	waiting := s.beside(func() (servicemanager.Status, error) {
		return w.Wait(ctx, spec.Name, servicemanager.UntilFinished)
	})
	s.awaitAnother(spec.Name, s.signal(spec.Name, sigTell)) // down in between, but to be restarted
	select {
	case o := <-waiting:
		s.t.Fatalf("the wait ended with %s, %v while a restart was due", describe(o.st), o.err)
	default:
	}
	s.must(s.m.Stop(s.ctx(), spec.Name))
	o := s.receive(waiting, "the wait")
	s.must(o.err)
	s.wantState(o.st, servicemanager.StateDown)
}

func (s *suite) waiter() servicemanager.Waiter {
	s.t.Helper()
	w, ok := servicemanager.As[servicemanager.Waiter](s.m)
	if !ok {
		s.t.Fatal("CapWait is supported, but there is no Waiter")
	}
	return w
}

// expires waits for what does not come. On a machine under load the time may be
// over before the wait has seen anything: then it gets more.
func (s *suite) expires(name string, until servicemanager.Condition) {
	s.t.Helper()
	var st servicemanager.Status
	for d := 50 * time.Millisecond; d < s.Patience; d *= 4 {
		var err error
		st, err = s.waiter().Wait(s.within(d), name, until)
		s.refused(err, "wait", name, context.DeadlineExceeded)
		if st.Name == name && st.State == servicemanager.StateUp {
			return
		}
	}
	s.t.Errorf("the last status of %s is %q %s; want it up", name, st.Name, describe(st))
}

// waited waits for what must come true.
func (s *suite) waited(name string, until servicemanager.Condition) servicemanager.Status {
	s.t.Helper()
	st, err := s.waiter().Wait(s.ctx(), name, until)
	if err != nil {
		s.t.Fatalf("wait until %v: %v", until, err)
	}
	if st.Name != name {
		s.t.Errorf("the status is of %q, want %s", st.Name, name)
	}
	return st
}

// comesTrue waits while the service gets into the state.
func (s *suite) comesTrue(until servicemanager.Condition, down bool) {
	spec := s.spec()
	spec.Down = !down
	s.add(spec)
	ctx := s.ctx()
	w := s.waiter()
	waiting := s.beside(func() (servicemanager.Status, error) { return w.Wait(ctx, spec.Name, until) })
	if down {
		s.settled(spec.Name)
		s.must(s.m.Stop(s.ctx(), spec.Name))
	} else {
		s.must(s.m.Start(s.ctx(), spec.Name))
	}
	o := s.receive(waiting, "the wait")
	s.must(o.err)
	if o.st.Running() == down {
		s.t.Errorf("the wait until %v ended with %s", until, describe(o.st))
	}
}
