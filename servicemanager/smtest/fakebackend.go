package smtest

import (
	"context"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// FakeBackend returns a backend whose probe answers fit and whose Open returns
// another manager, of that kind, on the services of fake: closing it leaves
// fake as it is. Fail with the operation "open" makes Open fail.
func FakeBackend(kind servicemanager.Kind, fit servicemanager.Fit, fake *Fake) servicemanager.Backend {
	return fakeBackend{kind, fit, fake}
}

type fakeBackend struct {
	kind servicemanager.Kind
	fit  servicemanager.Fit
	fake *Fake
}

func (b fakeBackend) Kind() servicemanager.Kind { return b.kind }

// Probe answers the fit it was made with.
func (b fakeBackend) Probe(_ context.Context, opts servicemanager.Options) servicemanager.Probe {
	return servicemanager.Probe{
		Fit:      b.fit,
		Reason:   "the test says " + b.fit.String(),
		Evidence: []servicemanager.Evidence{{Name: "test", Value: b.fit.String(), OK: b.fit > servicemanager.FitNone}},
		Detail:   string(b.kind) + " (fake)",
		ScanDir:  opts.ScanDir,
	}
}

// Open returns another manager on the fake's services.
func (b fakeBackend) Open(ctx context.Context, _ servicemanager.Options) (servicemanager.ServiceManager, error) {
	m := b.fake.reopenAs(b.kind)
	if err := m.enter(ctx, 0, "open", ""); err != nil {
		return nil, err
	}
	return m, nil
}
