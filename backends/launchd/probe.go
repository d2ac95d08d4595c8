package launchd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// The programs that make up launchd. On macOS launchd is always process 1, so
// their presence is enough; both are missing in a bare chroot.
const (
	daemonPath = "/sbin/launchd"
	clientPath = "/bin/launchctl"
)

// Probe answers FitNative on macOS where launchd and launchctl are present,
// else FitNone. It looks at files only and runs nothing.
func (b *backend) Probe(_ context.Context, opts servicemanager.Options) servicemanager.Probe {
	p := servicemanager.Probe{
		Detail:   "launchd",
		Evidence: []servicemanager.Evidence{{Name: "operating system", Value: b.system, OK: b.darwin}},
	}
	if !b.darwin {
		p.Reason = "launchd exists on macOS only, this is " + b.system
		return p
	}
	missing := ""
	for _, path := range []string{daemonPath, clientPath} {
		e := b.program(path)
		p.Evidence = append(p.Evidence, e)
		if !e.OK && missing == "" {
			missing = path + ": " + e.Value
		}
	}
	if missing != "" {
		p.Reason = "this macOS has no usable launchd: " + missing
		return p
	}
	p.Fit = servicemanager.FitNative
	p.Reason = "launchd supervises every macOS (" + opts.Scope.String() + " scope)"
	return p
}

// program looks at an executable file.
func (b *backend) program(path string) servicemanager.Evidence {
	info, err := os.Stat(filepath.Join(b.root, path))
	switch {
	case err != nil:
		return servicemanager.Evidence{Name: path, Value: reason(err)}
	case !info.Mode().IsRegular():
		return servicemanager.Evidence{Name: path, Value: "not a file"}
	default:
		return servicemanager.Evidence{Name: path, Value: "present", OK: true}
	}
}

// reason is the system's words without operation and path, which may lie below
// a test's root.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
