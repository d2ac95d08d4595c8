package servicemanager

import "context"

// NoRegistrar answers the Registrar part of ServiceManager for managers that
// have no runtime registration. Embed it.
type NoRegistrar struct{ Manager Kind }

// Register answers ErrNotSupported.
func (n NoRegistrar) Register(_ context.Context, spec Spec) error {
	return n.refuse("register", spec.Name)
}

// Unregister answers ErrNotSupported.
func (n NoRegistrar) Unregister(_ context.Context, name string) error {
	return n.refuse("unregister", name)
}

// List answers ErrNotSupported; Installed lists what the Installer made.
func (n NoRegistrar) List(context.Context) ([]string, error) {
	return nil, n.refuse("list", "")
}

func (n NoRegistrar) refuse(op, name string) error {
	return &Error{Op: op, Service: name, Kind: n.Manager, Err: WithRemedy(ErrNotSupported,
		"registration at run time exists under s6 only; install the service instead")}
}
