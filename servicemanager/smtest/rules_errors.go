package smtest

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// call is one method of a manager, on one service.
type call struct {
	op   string // Op of its errors
	name string // Service of its errors
	do   func(context.Context) error
}

// calls are all methods that the manager supports.
func (s *suite) calls(m servicemanager.ServiceManager, spec servicemanager.Spec) []call {
	name := spec.Name
	d := doorOf(m)
	all := []call{
		{"start", name, func(ctx context.Context) error { return m.Start(ctx, name) }},
		{"stop", name, func(ctx context.Context) error { return m.Stop(ctx, name) }},
		{"restart", name, func(ctx context.Context) error { return m.Restart(ctx, name) }},
		{"status", name, func(ctx context.Context) error { _, err := m.Status(ctx, name); return err }},
		{d.removeOp, name, func(ctx context.Context) error { return d.remove(ctx, name) }},
		{d.addOp, name, func(ctx context.Context) error { return d.add(ctx, spec) }},
		{d.listOp, "", func(ctx context.Context) error { _, err := d.list(ctx); return err }},
	}
	if w, ok := servicemanager.As[servicemanager.Waiter](m); ok && m.Supports(servicemanager.CapWait) {
		all = append(all, call{"wait", name, func(ctx context.Context) error {
			_, err := w.Wait(ctx, name, servicemanager.UntilUp)
			return err
		}})
	}
	if w, ok := servicemanager.As[servicemanager.Watcher](m); ok && m.Supports(servicemanager.CapWatch) {
		all = append(all, call{"watch", name, func(ctx context.Context) (last error) {
			for _, err := range w.Watch(ctx, name) {
				last = err
				break
			}
			return last
		}})
	}
	if l, ok := servicemanager.As[servicemanager.LogReader](m); ok && m.Supports(servicemanager.CapLogs) {
		all = append(all, call{"logs", name, func(ctx context.Context) error {
			r, err := l.Logs(ctx, name, servicemanager.LogOptions{})
			if err == nil {
				err = r.Close()
			}
			return err
		}})
	}
	if g, ok := servicemanager.As[servicemanager.Signaler](m); ok && m.Supports(servicemanager.CapSignal) {
		all = append(all, call{"signal", name, func(ctx context.Context) error { return g.Signal(ctx, name, syscall.SIGHUP) }})
	}
	if v, ok := servicemanager.As[servicemanager.Surveyor](m); ok && m.Supports(servicemanager.CapSurvey) {
		all = append(all, call{"status", "", func(ctx context.Context) (last error) {
			for _, err := range v.StatusAll(ctx) {
				last = err
				break
			}
			return last
		}})
	}
	return all
}

func errorRules() []rule {
	return []rule{
		{name: "every call on an absent service says so, in full", check: func(s *suite) {
			spec := s.spec()
			for _, c := range s.calls(s.m, spec) {
				if c.op == s.door.addOp || c.op == s.door.listOp || c.name == "" {
					continue
				}
				err := c.do(s.ctx())
				s.refused(err, c.op, c.name, servicemanager.ErrNotRegistered)
				if err == nil {
					continue
				}
				for _, part := range []string{string(s.m.Kind()), c.op, spec.Name} {
					if !strings.Contains(err.Error(), part) {
						s.t.Errorf("%q does not name %q", err, part)
					}
				}
				if strings.Contains(err.Error(), "\n") {
					s.t.Errorf("%q has more than one line", err)
				}
			}
		}},
		{name: "names that none can have are refused and harm nobody", check: func(s *suite) {
			spec := s.up()
			pid := s.pid(spec.Name)
			for _, name := range []string{"", ".", "..", "../" + spec.Name, "./" + spec.Name, spec.Name + "/", spec.Name + "\x00", "/", "-a", "a\nb"} {
				bad := spec
				bad.Name = name
				for _, c := range s.calls(s.m, bad) {
					if c.op == s.door.listOp || c.name == "" && c.op == "status" && name != "" {
						continue
					}
					s.refusesName(c, name)
				}
			}
			if now := s.pid(spec.Name); now != pid {
				s.t.Errorf("process %d has become %d", pid, now)
			}
		}},
	}
}

func (s *suite) refusesName(c call, name string) {
	s.t.Helper()
	err := c.do(s.ctx())
	if c.op == "status" && c.name == "" && err == nil {
		return // the sweep
	}
	var bad *servicemanager.SpecError
	if !errors.Is(err, servicemanager.ErrNotRegistered) && !errors.As(err, &bad) {
		s.t.Errorf("%s of %q: %v; want ErrNotRegistered or a *SpecError", c.op, name, err)
		return
	}
	s.proper(err, c.op, name)
}
