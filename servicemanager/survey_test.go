package servicemanager_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
	"github.com/hermes-gateway/hermes-gateway/servicemanager/smtest"
)

func addAll(t *testing.T, f *smtest.Fake, names ...string) {
	t.Helper()
	for _, name := range names {
		spec := plain(t)
		spec.Name = name
		if _, err := servicemanager.Ensure(t.Context(), f, spec); err != nil {
			t.Fatal(err)
		}
	}
}

// With and without a Surveyor the answer is the same.
func TestStatusAll(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts []smtest.FakeOption
	}{
		{"in one sweep", nil},
		{"one by one", []smtest.FakeOption{smtest.FakeWithout(servicemanager.CapSurvey)}},
		{"one by one, installed", []smtest.FakeOption{smtest.FakeWithout(servicemanager.CapSurvey), smtest.FakeInstaller()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, ctx := smtest.NewFake(tc.opts...), t.Context()
			addAll(t, f, "c", "a", "b")
			f.Fail("status", "b", servicemanager.ErrPermission)
			var seen []string
			for st, err := range servicemanager.StatusAll(ctx, f) {
				seen = append(seen, st.Name)
				if want := st.Name == "b"; errors.Is(err, servicemanager.ErrPermission) != want || (err != nil) != want {
					t.Errorf("%s: %v", st.Name, err)
				}
				if err == nil && st.State != servicemanager.StateUp {
					t.Errorf("%s is %v", st.Name, st.State)
				}
			}
			if !slices.Equal(seen, []string{"a", "b", "c"}) {
				t.Errorf("seen %q", seen)
			}
			for range servicemanager.StatusAll(ctx, f) {
				break // must not go on
			}
		})
	}
}

func TestStatusAllOfAnUnreadableManager(t *testing.T) {
	f := smtest.NewFake(smtest.FakeWithout(servicemanager.CapSurvey))
	addAll(t, f, "a")
	f.Fail("list", "", servicemanager.ErrPermission)
	n := 0
	for st, err := range servicemanager.StatusAll(t.Context(), f) {
		n++
		if st != (servicemanager.Status{}) || !errors.Is(err, servicemanager.ErrPermission) {
			t.Errorf("%+v, %v", st, err)
		}
	}
	if n != 1 {
		t.Errorf("%d elements, want 1", n)
	}
}

func TestNames(t *testing.T) {
	eachFake(t, func(t *testing.T, f *smtest.Fake, _, _ string) {
		addAll(t, f, "c", "a", "b")
		names, err := servicemanager.Names(t.Context(), f)
		if err != nil || !slices.Equal(names, []string{"a", "b", "c"}) {
			t.Errorf("Names: %q, %v", names, err)
		}
	})
}

func TestNamesOfAManagerWithNeither(t *testing.T) {
	f := smtest.NewFake(smtest.FakeWithout(servicemanager.CapRegister))
	if _, err := servicemanager.Names(t.Context(), f); !errors.Is(err, servicemanager.ErrNotSupported) {
		t.Errorf("Names: %v", err)
	}
}
