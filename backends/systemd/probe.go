package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

const (
	process1     = "/proc/1/comm"
	bootedDir    = "/run/systemd/system"
	systemBus    = "/run/dbus/system_bus_socket"
	systemSocket = "/run/systemd/private" // root only
	kernelName   = "/proc/sys/kernel/osrelease"
	runtimeDirs  = "/run/user"
)

// programs are the places where the manager itself is installed.
func programs() []string { return []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"} }

// Probe answers FitNative where systemd is process 1 and has set up its
// runtime directory, both, whatever else the machine is: a container that
// systemd runs in counts, a machine that merely has it installed does not.
// What cannot be read counts as absent. How the manager of the scope can be
// reached is reported but does not change the fit: a user's manager may come
// with the next login. It looks at files only and runs and connects to
// nothing.
func (b *backend) Probe(_ context.Context, opts servicemanager.Options) servicemanager.Probe {
	p := servicemanager.Probe{Detail: "systemd (" + opts.Scope.String() + ")"}
	name := b.firstProcess()
	booted := b.directory(bootedDir)
	p.Evidence = append(p.Evidence, name, booted)
	if !name.OK || !booted.OK {
		hints := b.hints()
		p.Evidence = append(p.Evidence, hints...)
		p.Reason = absence(name, booted, hints)
		return p
	}
	p.Fit = servicemanager.FitNative
	sockets, reach := b.system, "the system manager"
	if opts.Scope == servicemanager.ScopeUser {
		sockets, reach = b.user, "the manager of uid "+fmt.Sprint(b.uid)
	}
	seen, reachable := sockets()
	p.Evidence = append(p.Evidence, seen...)
	p.Reason = "systemd is process 1 and " + reach + " has its sockets"
	if !reachable {
		p.Reason = "systemd is process 1, but no socket of " + reach + " was found" + unreachable(opts.Scope)
	}
	return p
}

func unreachable(scope servicemanager.Scope) string {
	if scope == servicemanager.ScopeUser {
		return " (it runs while the user is logged in, or always after: loginctl enable-linger)"
	}
	return " (is dbus running?)"
}

// absence words why systemd does not run here.
func absence(name, booted servicemanager.Evidence, hints []servicemanager.Evidence) string {
	var why []string
	for _, e := range []servicemanager.Evidence{name, booted} {
		if !e.OK {
			why = append(why, e.Name+": "+e.Value)
		}
	}
	looked := strings.Join(why, ", ")
	installed, wsl := false, false
	for _, h := range hints {
		installed = installed || h.Name != kernelName
		wsl = wsl || h.Name == kernelName
	}
	switch {
	case wsl:
		return "systemd does not run in this WSL: " + looked + " (systemd=true below [boot] in /etc/wsl.conf switches it on)"
	case installed:
		return "systemd is installed but does not run: " + looked
	default:
		return "systemd does not run here: " + looked
	}
}

// firstProcess reads the name of process 1, which every user may. Its
// executable is not looked at: only root may read that link.
func (b *backend) firstProcess() servicemanager.Evidence {
	e := servicemanager.Evidence{Name: process1}
	text, err := os.ReadFile(filepath.Join(b.root, process1))
	if err != nil {
		e.Value = reason(err)
		return e
	}
	e.Value = strings.TrimSuffix(string(text), "\n")
	e.OK = e.Value == "systemd"
	return e
}

func (b *backend) directory(path string) servicemanager.Evidence {
	e := servicemanager.Evidence{Name: path}
	info, err := os.Lstat(filepath.Join(b.root, path))
	switch {
	case err != nil:
		e.Value = reason(err)
	case !info.IsDir():
		e.Value = "not a directory"
	default:
		e.Value, e.OK = "directory", true
	}
	return e
}

func (b *backend) socket(path string) servicemanager.Evidence {
	e := servicemanager.Evidence{Name: path}
	info, err := os.Lstat(filepath.Join(b.root, path))
	switch {
	case err != nil:
		e.Value = reason(err)
	case info.Mode().Type() != fs.ModeSocket:
		e.Value = "not a socket"
	default:
		e.Value, e.OK = "socket", true
	}
	return e
}

// hints looks for what explains that systemd does not run; only what was found
// is reported, and nothing of it speaks for systemd.
func (b *backend) hints() []servicemanager.Evidence {
	var found []servicemanager.Evidence
	for _, path := range programs() {
		if info, err := os.Stat(filepath.Join(b.root, path)); err == nil && info.Mode().IsRegular() {
			found = append(found, servicemanager.Evidence{Name: path, Value: "installed"})
			break
		}
	}
	text, err := os.ReadFile(filepath.Join(b.root, kernelName))
	if err == nil && strings.Contains(strings.ToLower(string(text)), "microsoft") {
		found = append(found, servicemanager.Evidence{Name: kernelName, Value: strings.TrimSpace(string(text))})
	}
	return found
}

// system looks at the sockets of the machine's manager.
func (b *backend) system() (seen []servicemanager.Evidence, reachable bool) {
	bus, private := b.socket(systemBus), b.socket(systemSocket)
	return []servicemanager.Evidence{bus, private}, bus.OK || private.OK
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
