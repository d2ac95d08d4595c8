package servicemanager

import (
	"context"
	"iter"
)

// Names returns the sorted names of the services the manager knows: by List,
// or by Installed where there is no runtime registration.
func Names(ctx context.Context, m ServiceManager) ([]string, error) {
	if !m.Supports(CapRegister) {
		if in, ok := As[Installer](m); ok {
			return in.Installed(ctx)
		}
	}
	return m.List(ctx)
}

// StatusAll reports every service of the manager, in the order of names: in
// one sweep where it is a Surveyor, else one by one. A service that cannot be
// read yields its name with the error and the sweep goes on; a manager that
// cannot be read at all yields one error with an empty Status.
func StatusAll(ctx context.Context, m ServiceManager) iter.Seq2[Status, error] {
	if s, ok := As[Surveyor](m); ok && m.Supports(CapSurvey) {
		return s.StatusAll(ctx)
	}
	return func(yield func(Status, error) bool) {
		names, err := Names(ctx, m)
		if err != nil {
			yield(Status{}, err)
			return
		}
		for _, name := range names {
			st, err := m.Status(ctx, name)
			st.Name = name
			if !yield(st, err) {
				return
			}
		}
	}
}
