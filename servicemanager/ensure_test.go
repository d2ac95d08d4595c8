package servicemanager_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

func eachFake(t *testing.T, test func(t *testing.T, f *smtest.Fake, add, remove string)) {
	t.Helper()
	t.Run("registrar", func(t *testing.T) { test(t, smtest.NewFake(), "register", "unregister") })
	t.Run("installer", func(t *testing.T) { test(t, smtest.NewFake(smtest.FakeInstaller()), "install", "uninstall") })
}

func TestEnsure(t *testing.T) {
	eachFake(t, func(t *testing.T, f *smtest.Fake, add, remove string) {
		ctx := t.Context()
		spec := plain(t)
		other := spec
		other.Env = map[string]string{"A": "1"}
		down := other
		down.Down = true
		for _, step := range []struct {
			name  string
			spec  servicemanager.Spec
			want  servicemanager.Change
			calls []string
			state servicemanager.State
		}{
			{"absent", spec, servicemanager.ChangeCreated, []string{add + " web"}, servicemanager.StateUp},
			{"the same", spec, servicemanager.ChangeNone, []string{add + " web", "start web"}, servicemanager.StateUp},
			{"other content", other, servicemanager.ChangeUpdated, []string{add + " web", remove + " web", add + " web"}, servicemanager.StateUp},
			{"the same, to be down", down, servicemanager.ChangeNone, []string{add + " web"}, servicemanager.StateUp},
		} {
			before := len(f.Calls())
			change, err := servicemanager.Ensure(ctx, f, step.spec)
			if err != nil || change != step.want {
				t.Errorf("%s: %v, %v; want %v", step.name, change, err, step.want)
			}
			if calls := f.Calls()[before:]; !slices.Equal(calls, step.calls) {
				t.Errorf("%s: calls %q, want %q", step.name, calls, step.calls)
			}
			if st, err := f.Status(ctx, "web"); err != nil || st.State != step.state {
				t.Errorf("%s: state %v, %v; want %v", step.name, st.State, err, step.state)
			}
		}
	})
}

func TestEnsureFails(t *testing.T) {
	eachFake(t, func(t *testing.T, f *smtest.Fake, add, remove string) {
		ctx := t.Context()
		spec := plain(t)
		if _, err := servicemanager.Ensure(ctx, f, spec); err != nil {
			t.Fatal(err)
		}
		other := spec
		other.Description = "other"
		for _, tc := range []struct {
			op   string
			spec servicemanager.Spec
		}{
			{add, spec}, {"start", spec}, {remove, other},
		} {
			f.Fail(tc.op, "web", servicemanager.ErrPermission)
			change, err := servicemanager.Ensure(ctx, f, tc.spec)
			if change != servicemanager.ChangeNone || !errors.Is(err, servicemanager.ErrPermission) {
				t.Errorf("when %s fails: %v, %v", tc.op, change, err)
			}
			f.Fail(tc.op, "web", nil)
			if st, err := f.Status(ctx, "web"); err != nil || st.State != servicemanager.StateUp {
				t.Errorf("when %s failed the service is %v, %v", tc.op, st.State, err)
			}
		}
		bad := servicemanager.Spec{Name: "web"}
		var specErr *servicemanager.SpecError
		if _, err := servicemanager.Ensure(ctx, f, bad); !errors.As(err, &specErr) {
			t.Errorf("an invalid spec: %v", err)
		}
	})
}

// between lets a test act after the old service was removed.
type between struct {
	*smtest.Fake
	removed func()
}

func (b between) Unregister(ctx context.Context, name string) error {
	err := b.Fake.Unregister(ctx, name)
	b.removed()
	return err
}

func TestEnsureWhenAddingAgainFails(t *testing.T) {
	f := smtest.NewFake()
	m := between{f, func() { f.Fail("register", "web", servicemanager.ErrNotSupervised) }}
	if _, err := servicemanager.Ensure(t.Context(), m, plain(t)); err != nil {
		t.Fatal(err)
	}
	other := plain(t)
	other.Description = "other"
	change, err := servicemanager.Ensure(t.Context(), m, other)
	if change != servicemanager.ChangeNone || !errors.Is(err, servicemanager.ErrNotSupervised) {
		t.Errorf("Ensure: %v, %v", change, err)
	}
	if _, err := f.Status(t.Context(), "web"); !errors.Is(err, servicemanager.ErrNotRegistered) {
		t.Errorf("the service is there: %v", err)
	}
}

// Somebody else removes the old service first: that is all right.
func TestEnsureWhenRemovedMeanwhile(t *testing.T) {
	f := smtest.NewFake()
	m := between{f, func() {}}
	if _, err := servicemanager.Ensure(t.Context(), m, plain(t)); err != nil {
		t.Fatal(err)
	}
	twice := removesTwice{f}
	other := plain(t)
	other.Description = "other"
	if change, err := servicemanager.Ensure(t.Context(), twice, other); err != nil || change != servicemanager.ChangeUpdated {
		t.Errorf("Ensure: %v, %v", change, err)
	}
}

type removesTwice struct{ *smtest.Fake }

func (r removesTwice) Unregister(ctx context.Context, name string) error {
	if err := r.Fake.Unregister(ctx, name); err != nil {
		return err
	}
	return r.Fake.Unregister(ctx, name)
}

// ensuring is a manager that knows better.
type ensuring struct{ *smtest.Fake }

func (ensuring) Ensure(context.Context, servicemanager.Spec) (servicemanager.Change, error) {
	return servicemanager.ChangeRestartNeeded, nil
}

func TestEnsurePrefersEnsurer(t *testing.T) {
	f := smtest.NewFake()
	change, err := servicemanager.Ensure(t.Context(), wrapped(ensuring{f}), plain(t))
	if err != nil || change != servicemanager.ChangeRestartNeeded || len(f.Calls()) != 0 {
		t.Errorf("Ensure: %v, %v, calls %q", change, err, f.Calls())
	}
}

func TestEnsureThroughWrapper(t *testing.T) {
	f := smtest.NewFake(smtest.FakeInstaller())
	if change, err := servicemanager.Ensure(t.Context(), wrapped(f), plain(t)); err != nil || change != servicemanager.ChangeCreated {
		t.Errorf("Ensure: %v, %v", change, err)
	}
	names, err := servicemanager.Names(t.Context(), wrapped(f))
	if err != nil || !slices.Equal(names, []string{"web"}) {
		t.Errorf("Names: %q, %v", names, err)
	}
	if err := servicemanager.Remove(t.Context(), wrapped(f), "web"); err != nil {
		t.Errorf("Remove: %v", err)
	}
}

func TestRemove(t *testing.T) {
	eachFake(t, func(t *testing.T, f *smtest.Fake, _, remove string) {
		if _, err := servicemanager.Ensure(t.Context(), f, plain(t)); err != nil {
			t.Fatal(err)
		}
		f.Fail(remove, "web", servicemanager.ErrPermission)
		if err := servicemanager.Remove(t.Context(), f, "web"); !errors.Is(err, servicemanager.ErrPermission) {
			t.Errorf("Remove without a right: %v", err)
		}
		f.Fail(remove, "web", nil)
		for range 2 {
			if err := servicemanager.Remove(t.Context(), f, "web"); err != nil {
				t.Errorf("Remove: %v", err)
			}
		}
	})
}
