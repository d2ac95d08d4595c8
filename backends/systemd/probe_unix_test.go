//go:build unix

package systemd

import (
	"errors"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// machine is what a fake root holds. %u in a path is our uid.
type machine struct {
	files   map[string]string
	dirs    []string
	sockets []string
	links   map[string]string
}

func (m machine) build(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "sd") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	place := func(path string) string {
		path = filepath.Join(root, withUID(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, text := range m.files {
		if err := os.WriteFile(place(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range m.dirs {
		if err := os.MkdirAll(place(path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, target := range m.links {
		if err := os.Symlink(target, place(path)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range m.sockets {
		l, err := net.Listen("unix", place(path))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	return root
}

func withUID(s string) string { return strings.ReplaceAll(s, "%u", strconv.Itoa(os.Geteuid())) }

func booted(more map[string]string) map[string]string {
	files := map[string]string{process1: "systemd\n", programs()[0]: ""}
	maps.Copy(files, more)
	return files
}

func TestProbe(t *testing.T) {
	const wslKernel = "5.15.153.1-microsoft-standard-WSL2\n"
	for _, tc := range []struct {
		name     string
		machine  machine
		scope    servicemanager.Scope
		xdg      string
		fit      servicemanager.Fit
		reason   string
		evidence []string // "+name" where OK, "-name" where not
	}{
		{
			name: "booted, user logged in",
			machine: machine{
				files: booted(nil), dirs: []string{bootedDir},
				sockets: []string{"/run/user/%u/bus", "/run/user/%u/systemd/private"},
			},
			xdg: "/run/user/%u", fit: servicemanager.FitNative, reason: "has its sockets",
			evidence: []string{"+" + process1, "+" + bootedDir, "+XDG_RUNTIME_DIR", "+/run/user/%u/bus", "+/run/user/%u/systemd/private"},
		},
		{
			name: "booted, headless with linger: no variable, no bus daemon",
			machine: machine{
				files: booted(nil), dirs: []string{bootedDir},
				sockets: []string{"/run/user/%u/systemd/private"},
			},
			fit: servicemanager.FitNative, reason: "has its sockets",
			evidence: []string{"+" + process1, "+" + bootedDir, "-XDG_RUNTIME_DIR", "+/run/user/%u", "-/run/user/%u/bus", "+/run/user/%u/systemd/private"},
		},
		{
			name:    "booted, user without session",
			machine: machine{files: booted(nil), dirs: []string{bootedDir}},
			fit:     servicemanager.FitNative, reason: "enable-linger",
			evidence: []string{"+" + process1, "+" + bootedDir, "-XDG_RUNTIME_DIR", "-/run/user/%u"},
		},
		{
			name: "booted, variable left over from another place",
			machine: machine{
				files: booted(nil), dirs: []string{bootedDir},
				sockets: []string{"/run/user/%u/bus"},
			},
			xdg: "/run/user/4294967", fit: servicemanager.FitNative, reason: "has its sockets",
			evidence: []string{"+" + process1, "+" + bootedDir, "-XDG_RUNTIME_DIR", "+/run/user/%u", "+/run/user/%u/bus", "-/run/user/%u/systemd/private"},
		},
		{
			name:    "booted, variable is a relative path",
			machine: machine{files: booted(nil), dirs: []string{bootedDir}},
			xdg:     "run", fit: servicemanager.FitNative, reason: "no socket",
			evidence: []string{"+" + process1, "+" + bootedDir, "-XDG_RUNTIME_DIR", "-/run/user/%u"},
		},
		{
			name: "booted, system",
			machine: machine{
				files: booted(nil), dirs: []string{bootedDir},
				sockets: []string{systemBus, systemSocket},
			},
			scope: servicemanager.ScopeSystem, fit: servicemanager.FitNative, reason: "the system manager has its sockets",
			evidence: []string{"+" + process1, "+" + bootedDir, "+" + systemBus, "+" + systemSocket},
		},
		{
			name: "booted, system bus is a plain file",
			machine: machine{
				files: booted(map[string]string{systemBus: ""}),
				dirs:  []string{bootedDir},
			},
			scope: servicemanager.ScopeSystem, fit: servicemanager.FitNative, reason: "is dbus running?",
			evidence: []string{"+" + process1, "+" + bootedDir, "-" + systemBus, "-" + systemSocket},
		},
		{
			name: "R8 systemd as process 1 in a container, all container marks present",
			machine: machine{
				files:   booted(map[string]string{"/.dockerenv": "", "/run/.containerenv": "", "/run/systemd/container": "docker\n", "/proc/1/cgroup": "0::/\n"}),
				dirs:    []string{bootedDir},
				sockets: []string{systemBus},
			},
			scope: servicemanager.ScopeSystem, fit: servicemanager.FitNative, reason: "systemd is process 1",
			evidence: []string{"+" + process1, "+" + bootedDir, "+" + systemBus, "-" + systemSocket},
		},
		{
			name: "WSL with systemd",
			machine: machine{
				files:   booted(map[string]string{kernelName: wslKernel, "/run/systemd/container": "wsl\n"}),
				dirs:    []string{bootedDir},
				sockets: []string{systemBus},
			},
			scope: servicemanager.ScopeSystem, fit: servicemanager.FitNative, reason: "systemd is process 1",
			evidence: []string{"+" + process1, "+" + bootedDir, "+" + systemBus, "-" + systemSocket},
		},
		{
			name:    "WSL without systemd",
			machine: machine{files: map[string]string{process1: "init(Ubuntu)\n", kernelName: wslKernel, programs()[0]: ""}},
			reason:  "/etc/wsl.conf",
			evidence: []string{
				"-" + process1, "-" + bootedDir, "-" + programs()[0],
				"-" + kernelName,
			},
		},
		{
			name:     "installed but not booted: container with bash",
			machine:  machine{files: map[string]string{process1: "bash\n", programs()[1]: ""}},
			reason:   `systemd is installed but does not run: /proc/1/comm: bash, /run/systemd/system: no such file or directory`,
			evidence: []string{"-" + process1, "-" + bootedDir, "-" + programs()[1]},
		},
		{
			name:     "s6 container",
			machine:  machine{files: map[string]string{process1: "s6-svscan\n"}, dirs: []string{"/run/s6/basedir"}},
			reason:   `systemd does not run here: /proc/1/comm: s6-svscan`,
			evidence: []string{"-" + process1, "-" + bootedDir},
		},
		{
			name:     "runtime directory of the host mounted into a container",
			machine:  machine{files: map[string]string{process1: "sh\n"}, dirs: []string{bootedDir}, sockets: []string{systemBus}},
			reason:   `systemd does not run here: /proc/1/comm: sh`,
			evidence: []string{"-" + process1, "+" + bootedDir},
		},
		{
			name:     "process 1 of the host seen from a container",
			machine:  machine{files: map[string]string{process1: "systemd\n"}},
			reason:   bootedDir + ": no such file or directory",
			evidence: []string{"+" + process1, "-" + bootedDir},
		},
		{
			name:     "runtime directory is a link",
			machine:  machine{files: booted(nil), dirs: []string{"/elsewhere"}, links: map[string]string{bootedDir: "/elsewhere"}},
			reason:   bootedDir + ": not a directory",
			evidence: []string{"+" + process1, "-" + bootedDir, "-" + programs()[0]},
		},
		{
			name:     "R5 process 1 cannot be read",
			machine:  machine{dirs: []string{bootedDir, process1}},
			reason:   `/proc/1/comm: is a directory`,
			evidence: []string{"-" + process1, "+" + bootedDir},
		},
		{
			name:     "name that only begins with systemd",
			machine:  machine{files: map[string]string{process1: "systemd-nspawn\n"}, dirs: []string{bootedDir}},
			reason:   `/proc/1/comm: systemd-nspawn`,
			evidence: []string{"-" + process1, "+" + bootedDir},
		},
		{
			name:     "empty root",
			reason:   "systemd does not run here",
			evidence: []string{"-" + process1, "-" + bootedDir},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := tc.machine.build(t)
			b := &backend{root: root, uid: os.Geteuid(), getenv: func(name string) string {
				if name == "XDG_RUNTIME_DIR" {
					return withUID(tc.xdg)
				}
				return ""
			}}
			before := listing(t, root)
			p := b.Probe(t.Context(), servicemanager.Options{Scope: tc.scope})
			checkProbe(t, p, root, tc.scope)
			if p.Fit != tc.fit || !strings.Contains(p.Reason, tc.reason) {
				t.Errorf("probe %v %q, want %v and %q", p.Fit, p.Reason, tc.fit, tc.reason)
			}
			if got, want := marks(p.Evidence), withUID(strings.Join(tc.evidence, " ")); got != want {
				t.Errorf("evidence %s\nwant     %s", got, want)
			}
			if after := listing(t, root); !slices.Equal(before, after) {
				t.Errorf("the probe changed the machine: %v, before %v", after, before)
			}
		})
	}
}

// checkProbe checks what holds for every probe.
func checkProbe(t *testing.T, p servicemanager.Probe, root string, scope servicemanager.Scope) {
	t.Helper()
	if p.Reason == "" || strings.Contains(p.Reason, "\n") || strings.Contains(p.Reason, root) {
		t.Errorf("reason %q is not one line about the machine", p.Reason)
	}
	if want := "systemd (" + scope.String() + ")"; p.Detail != want {
		t.Errorf("detail %q, want %q", p.Detail, want)
	}
	if p.ScanDir != "" {
		t.Errorf("scan directory %q", p.ScanDir)
	}
	for _, e := range p.Evidence {
		if e.Name == "" || e.Value == "" || strings.Contains(e.Value, root) || strings.Contains(e.Value, "\n") {
			t.Errorf("evidence %+v says nothing, or too much", e)
		}
	}
}

func marks(evidence []servicemanager.Evidence) string {
	var ms []string
	for _, e := range evidence {
		if e.OK {
			ms = append(ms, "+"+e.Name)
		} else {
			ms = append(ms, "-"+e.Name)
		}
	}
	return strings.Join(ms, " ")
}

func listing(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A runtime directory of another user, as su and sudo leave it in the
// environment, is not ours even if we could use it.
func TestProbeForeignRuntimeDir(t *testing.T) {
	m := machine{files: booted(nil), dirs: []string{bootedDir}, sockets: []string{"/run/user/%u/bus"}}
	b := &backend{root: m.build(t), uid: os.Geteuid() + 1, getenv: func(string) string { return withUID("/run/user/%u") }}
	p := b.Probe(t.Context(), servicemanager.Options{})
	if p.Fit != servicemanager.FitNative || !strings.Contains(p.Reason, "no socket") {
		t.Errorf("probe %v %q, want native without sockets", p.Fit, p.Reason)
	}
	if e := p.Evidence[2]; e.OK || !strings.Contains(e.Value, "belongs to uid "+strconv.Itoa(os.Geteuid())) {
		t.Errorf("evidence %+v, want the owner named", e)
	}
}

func TestProbeUnreadableProcess1(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything; the unprivileged run has this case")
	}
	m := machine{files: booted(nil), dirs: []string{bootedDir}}
	root := m.build(t)
	if err := os.Chmod(filepath.Join(root, process1), 0); err != nil {
		t.Fatal(err)
	}
	p := Backend(WithRoot(root)).Probe(t.Context(), servicemanager.Options{})
	if p.Fit != servicemanager.FitNone || !strings.Contains(p.Reason, "permission denied") {
		t.Errorf("probe %v %q, want none for lack of a right", p.Fit, p.Reason)
	}
}

func TestProbeHere(t *testing.T) {
	p := Backend().Probe(t.Context(), servicemanager.Options{})
	t.Logf("%+v", p)
	checkProbe(t, p, "\x00", servicemanager.ScopeUser)
	info, err := os.Lstat(bootedDir)
	if hasDir := err == nil && info.IsDir(); p.Fit == servicemanager.FitNative && !hasDir {
		t.Errorf("probe %+v on a machine without %s", p, bootedDir)
	}
}

func TestOpen(t *testing.T) {
	m, err := Backend(WithRoot(t.TempDir())).Open(t.Context(), servicemanager.Options{})
	var e *servicemanager.Error
	if m != nil || !errors.As(err, &e) || e.Kind != servicemanager.KindSystemd || e.Op != "open" {
		t.Fatalf("Open: %v, %v; want a *servicemanager.Error of this kind", m, err)
	}
	if !errors.Is(err, servicemanager.ErrNotSupported) || servicemanager.RemedyOf(err) == "" {
		t.Errorf("Open: %v is not ErrNotSupported with a remedy", err)
	}
}
