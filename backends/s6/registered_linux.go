package s6

import (
	"context"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// StopTimeout is how long Stop lets a service's process live before it is
// killed.
func (m *manager) StopTimeout(ctx context.Context, name string) (time.Duration, error) {
	var limit time.Duration
	err := m.onService(ctx, "stop timeout", name, func(_ context.Context, s *service) error {
		limit = s.stopLimit(sm.Act{}).patience
		return nil
	})
	return limit, err
}

// Registered returns the names of the services that Register made, sorted.
// List also returns those that others put into the scan directory.
func (m *manager) Registered(ctx context.Context) ([]string, error) {
	_, leave, err := m.enter(ctx)
	if err != nil {
		return nil, m.fail("list", "", err)
	}
	defer leave()
	all, err := m.list()
	if err != nil {
		return nil, m.fail("list", "", err)
	}
	var names []string
	for _, name := range all {
		s, err := m.service(name)
		if err != nil {
			continue // removed meanwhile, or not ours to look into
		}
		if s.registered() {
			names = append(names, name)
		}
		s.close()
	}
	return names, nil
}
