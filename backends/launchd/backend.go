package launchd

import (
	"context"
	"fmt"
	"runtime"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Option changes where the backend looks.
type Option func(*backend)

// WithRoot makes the probe look below dir as if it were "/". Tests use it.
func WithRoot(dir string) Option { return func(b *backend) { b.root = dir } }

// Backend returns the backend for launchd.
func Backend(opts ...Option) servicemanager.Backend {
	b := &backend{root: "/", darwin: onDarwin, system: runtime.GOOS}
	for _, o := range opts {
		o(b)
	}
	return b
}

type backend struct {
	root   string
	darwin bool
	system string // to word the reason
}

func (*backend) Kind() servicemanager.Kind { return servicemanager.KindLaunchd }

// Open answers ErrNotSupported: this version only detects.
func (*backend) Open(context.Context, servicemanager.Options) (servicemanager.ServiceManager, error) {
	return nil, &servicemanager.Error{Op: "open", Kind: servicemanager.KindLaunchd, Err: servicemanager.WithRemedy(
		fmt.Errorf("this version detects launchd but cannot manage services with it: %w", servicemanager.ErrNotSupported),
		"use launchctl with a plist of your own, or start s6-svscan on a scan directory of your own and name that directory (Options.ScanDir, SERVICE_SCANDIR)")}
}
