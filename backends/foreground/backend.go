package foreground

import (
	"context"
	"fmt"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Backend returns the foreground backend. It fits every machine, as the last
// resort: any other manager that runs is preferred.
func Backend() servicemanager.Backend { return backend{} }

type backend struct{}

func (backend) Kind() servicemanager.Kind { return servicemanager.KindForeground }

// Probe looks at nothing, as nothing is needed: it answers FitFallback always.
func (backend) Probe(context.Context, servicemanager.Options) servicemanager.Probe {
	return servicemanager.Probe{
		Fit:    servicemanager.FitFallback,
		Reason: "needs no supervisor and works anywhere; nothing restarts services once the program that started them has ended",
		Detail: "foreground (no supervisor)",
	}
}

// Open answers ErrNotSupported: this version only detects.
func (backend) Open(context.Context, servicemanager.Options) (servicemanager.ServiceManager, error) {
	return nil, &servicemanager.Error{Op: "open", Kind: servicemanager.KindForeground, Err: servicemanager.WithRemedy(
		fmt.Errorf("running services without a supervisor is not in this version: %w", servicemanager.ErrNotSupported),
		"start s6-svscan on a scan directory of your own and name that directory (Options.ScanDir, SERVICE_SCANDIR)")}
}
