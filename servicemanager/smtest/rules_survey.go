package smtest

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func surveyRules() []rule {
	return []rule{
		{name: "StatusAll reports every service as Status does", check: func(s *suite) {
			s.sweep(func() iter.Seq2[servicemanager.Status, error] { return servicemanager.StatusAll(s.ctx(), s.m) })
		}},
		{name: "the Surveyor reports every service as Status does", needs: []servicemanager.Capability{servicemanager.CapSurvey}, check: func(s *suite) {
			v, ok := servicemanager.As[servicemanager.Surveyor](s.m)
			if !ok {
				s.t.Fatal("CapSurvey is supported, but there is no Surveyor")
			}
			s.sweep(func() iter.Seq2[servicemanager.Status, error] { return v.StatusAll(s.ctx()) })
		}},
		{name: "a sweep can be left", check: func(s *suite) {
			s.up()
			n := 0
			for _, err := range servicemanager.StatusAll(s.ctx(), s.m) {
				s.must(err)
				n++
				break
			}
			if n != 1 {
				s.t.Errorf("%d elements, want 1", n)
			}
		}},
		{name: "a sweep whose context has ended ends", check: func(s *suite) {
			s.up()
			ctx, cancel := context.WithCancel(s.ctx())
			cancel()
			for st, err := range servicemanager.StatusAll(ctx, s.m) {
				if err != nil && !errors.Is(err, context.Canceled) {
					s.t.Errorf("%s: %v", st.Name, err)
				}
			}
		}},
		{name: "Names knows what was added", check: func(s *suite) {
			spec := s.up()
			names, err := servicemanager.Names(s.ctx(), s.m)
			s.must(err)
			if !slices.Contains(names, spec.Name) || !slices.IsSorted(names) {
				s.t.Errorf("names %q; want them sorted, %s among them", names, spec.Name)
			}
		}},
	}
}

// sweep adds services in several states and compares what all yields with what
// Status says.
func (s *suite) sweep(all func() iter.Seq2[servicemanager.Status, error]) {
	s.t.Helper()
	for i := range 4 {
		spec := s.spec()
		spec.Down = i%2 == 1
		s.add(spec)
	}
	mine := map[string]servicemanager.Status{}
	var order []string
	for st, err := range all() {
		if slices.Contains(s.added, st.Name) {
			s.must(err)
			mine[st.Name] = st
		}
		order = append(order, st.Name)
	}
	if !slices.IsSorted(order) {
		s.t.Errorf("the order is %q, want that of the names", order)
	}
	for _, name := range s.added {
		swept, ok := mine[name]
		if !ok {
			s.t.Errorf("%s is missing", name)
			continue
		}
		if st := s.status(name); !sameStatus(swept, st) {
			s.t.Errorf("%s: the sweep says %s, Status says %s", name, describe(swept), describe(st))
		}
	}
}
