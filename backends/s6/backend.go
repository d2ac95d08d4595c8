package s6

import (
	"context"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Option configures the backend.
type Option func(*config)

type config struct {
	root         string // prefix of the paths that probes look at
	scanDir      string
	helper       string
	controlGroup int // -1: none
}

// WithScanDir sets the scan directory for managers that are opened without
// Options.ScanDir.
func WithScanDir(dir string) Option { return func(c *config) { c.scanDir = dir } }

// WithHelper names the hermes-gateway program, absolute, that rendered scripts
// execute where they must change the user and where s6-log is not installed.
// Default: the one in PATH.
func WithHelper(path string) Option { return func(c *config) { c.helper = path } }

// WithControlGroup lets the members of a group control, read and await the
// services that root registers on a tree of its own: supervise 0710, control
// 0620, event 03730. They can start and stop them, never change what is run.
func WithControlGroup(gid int) Option { return func(c *config) { c.controlGroup = gid } }

// WithRoot prefixes the paths outside the scan directory that detection looks
// at (/proc, /run, /dev/shm), for tests.
func WithRoot(dir string) Option { return func(c *config) { c.root = dir } }

// Backend returns the s6 backend, for servicemanager.Options.Backends or
// servicemanager.RegisterBackend.
func Backend(opts ...Option) sm.Backend {
	c := config{controlGroup: -1}
	for _, o := range opts {
		o(&c)
	}
	return backend{c}
}

type backend struct{ cfg config }

func (backend) Kind() sm.Kind { return sm.KindS6 }

func (b backend) Probe(ctx context.Context, opts sm.Options) sm.Probe { return b.probe(ctx, opts) }

func (b backend) Open(ctx context.Context, opts sm.Options) (sm.ServiceManager, error) {
	m, err := b.open(ctx, opts)
	if err != nil {
		return nil, &sm.Error{Op: "open", Kind: sm.KindS6, Err: err}
	}
	return m, nil
}
