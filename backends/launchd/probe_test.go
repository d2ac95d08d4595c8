package launchd

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

func TestProbe(t *testing.T) {
	for _, tc := range []struct {
		name     string
		darwin   bool
		files    []string
		dirs     []string
		fit      servicemanager.Fit
		reason   string
		evidence []string
	}{
		{
			name: "macOS", darwin: true, files: []string{daemonPath, clientPath},
			fit: servicemanager.FitNative, reason: "launchd supervises every macOS (user scope)",
			evidence: []string{"operating system", daemonPath, clientPath},
		},
		{
			name: "another system with the files", files: []string{daemonPath, clientPath},
			reason: "macOS only, this is plan9", evidence: []string{"operating system"},
		},
		{
			name: "bare chroot", darwin: true, reason: "no usable launchd: " + daemonPath,
			evidence: []string{"operating system", daemonPath, clientPath},
		},
		{
			name: "no launchctl", darwin: true, files: []string{daemonPath}, reason: clientPath,
			evidence: []string{"operating system", daemonPath, clientPath},
		},
		{
			name: "launchctl is a directory", darwin: true, files: []string{daemonPath}, dirs: []string{clientPath},
			reason:   clientPath + ": not a file",
			evidence: []string{"operating system", daemonPath, clientPath},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := t.TempDir()
			for _, f := range tc.files {
				write(t, filepath.Join(root, f))
			}
			for _, d := range tc.dirs {
				if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			b := &backend{root: root, darwin: tc.darwin, system: "plan9"}
			p := b.Probe(t.Context(), servicemanager.Options{})
			if p.Fit != tc.fit || p.Detail != "launchd" || !strings.Contains(p.Reason, tc.reason) || strings.Contains(p.Reason, "\n") {
				t.Errorf("probe %+v, want %v with one line containing %q", p, tc.fit, tc.reason)
			}
			var names []string
			for _, e := range p.Evidence {
				names = append(names, e.Name)
				if e.Value == "" || strings.Contains(e.Value, root) {
					t.Errorf("evidence %+v says nothing or shows the root", e)
				}
			}
			if strings.Join(names, " ") != strings.Join(tc.evidence, " ") {
				t.Errorf("looked at %v, want %v", names, tc.evidence)
			}
		})
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestProbeHere(t *testing.T) {
	p := Backend().Probe(t.Context(), servicemanager.Options{})
	if (p.Fit == servicemanager.FitNative) != (runtime.GOOS == "darwin") {
		t.Errorf("probe %+v on %s", p, runtime.GOOS)
	}
}

func TestOpen(t *testing.T) {
	m, err := Backend(WithRoot(t.TempDir())).Open(t.Context(), servicemanager.Options{})
	var e *servicemanager.Error
	if m != nil || !errors.As(err, &e) || e.Kind != servicemanager.KindLaunchd || e.Op != "open" {
		t.Fatalf("Open: %v, %v; want a *servicemanager.Error of this kind", m, err)
	}
	if !errors.Is(err, servicemanager.ErrNotSupported) || servicemanager.RemedyOf(err) == "" {
		t.Errorf("Open: %v is not ErrNotSupported with a remedy", err)
	}
}
