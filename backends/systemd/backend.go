package systemd

import (
	"context"
	"fmt"
	"os"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Option changes where the backend looks.
type Option func(*backend)

// WithRoot makes the probe look below dir as if it were "/". Tests use it.
func WithRoot(dir string) Option { return func(b *backend) { b.root = dir } }

// Backend returns the backend for systemd. Options.Scope chooses between the
// user's manager and the machine's.
func Backend(opts ...Option) servicemanager.Backend {
	b := &backend{root: "/", uid: os.Geteuid(), getenv: os.Getenv}
	for _, o := range opts {
		o(b)
	}
	return b
}

type backend struct {
	root   string
	uid    int
	getenv func(string) string
}

func (*backend) Kind() servicemanager.Kind { return servicemanager.KindSystemd }

// Open answers ErrNotSupported: this version only detects.
func (*backend) Open(context.Context, servicemanager.Options) (servicemanager.ServiceManager, error) {
	return nil, &servicemanager.Error{Op: "open", Kind: servicemanager.KindSystemd, Err: servicemanager.WithRemedy(
		fmt.Errorf("this version detects systemd but cannot manage services with it: %w", servicemanager.ErrNotSupported),
		"use systemctl with a unit of your own, or start s6-svscan on a scan directory of your own and name that directory (Options.ScanDir, SERVICE_SCANDIR)")}
}
