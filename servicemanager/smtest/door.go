package smtest

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// door is how services come to a manager and leave it: by registration or by
// installation.
type door struct {
	add                     func(context.Context, servicemanager.Spec) error
	remove                  func(context.Context, string) error
	list                    func(context.Context) ([]string, error)
	addOp, removeOp, listOp string // Op of their errors
	needs                   servicemanager.Capability
}

func doorOf(m servicemanager.ServiceManager) door {
	if in, ok := servicemanager.As[servicemanager.Installer](m); ok && m.Supports(servicemanager.CapInstall) {
		return door{
			add: in.Install, remove: in.Uninstall, list: in.Installed,
			addOp: "install", removeOp: "uninstall", listOp: "installed",
			needs: servicemanager.CapInstall,
		}
	}
	return door{
		add: m.Register, remove: m.Unregister, list: m.List,
		addOp: "register", removeOp: "unregister", listOp: "list",
		needs: servicemanager.CapRegister,
	}
}

// changes is Watch where there is one, else a look every now and then.
func (s *suite) changes(ctx context.Context, name string) iter.Seq2[servicemanager.Status, error] {
	if w, ok := servicemanager.As[servicemanager.Watcher](s.m); ok && s.m.Supports(servicemanager.CapWatch) {
		return w.Watch(ctx, name)
	}
	return func(yield func(servicemanager.Status, error) bool) {
		const pause = 10 * time.Millisecond // nothing tells of changes here
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			st, err := s.m.Status(ctx, name)
			if ctx.Err() != nil || !yield(st, err) || err != nil {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// describe is a status in one line, without what is not set.
func describe(st servicemanager.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v pid %d", st.State, st.PID)
	for _, w := range []struct {
		is   bool
		word string
	}{{st.WantUp, "wanted"}, {st.Ready, "ready"}, {st.Enabled, "enabled"}, {st.Paused, "paused"}, {st.Adopted, "adopted"}} {
		if w.is {
			b.WriteString(" " + w.word)
		}
	}
	fmt.Fprintf(&b, " restarts %d", st.Restarts)
	if st.LastExit != nil {
		fmt.Fprintf(&b, " last exit %v", st.LastExit)
	}
	if st.Problem != "" {
		fmt.Fprintf(&b, " problem %q", st.Problem)
	}
	return b.String()
}
