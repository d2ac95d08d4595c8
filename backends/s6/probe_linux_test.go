package s6

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hermes-gateway/hermes-gateway/internal/s6test"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// machine makes a root directory with what detection looks at.
func machine(t *testing.T, comm string, files ...string) string {
	t.Helper()
	root := t.TempDir()
	if comm != "" {
		must(t, os.MkdirAll(filepath.Join(root, "proc/1"), 0o755))
		must(t, os.WriteFile(filepath.Join(root, "proc/1/comm"), []byte(comm+"\n"), 0o644))
	}
	for _, f := range files {
		if strings.HasSuffix(f, "/") {
			must(t, os.MkdirAll(filepath.Join(root, f), 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Join(root, filepath.Dir(f)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, f), nil, 0o644))
	}
	return root
}

// R4, R5, R7, R10: both pieces of evidence are needed, anything unreadable
// speaks against, and container markers are not looked at.
func TestR5_EvidenceOfProcess1(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		root string
		fit  sm.Fit
	}{
		{"s6-overlay", machine(t, "s6-svscan", "run/s6/basedir/", "run/service/"), sm.FitNative},
		{"no base directory", machine(t, "s6-svscan", "run/service/"), sm.FitNone},
		{"base directory is a file", machine(t, "s6-svscan", "run/s6/basedir", "run/service/"), sm.FitNone},
		{"another process 1", machine(t, "systemd", "run/s6/basedir/", "run/service/"), sm.FitNone},
		{"process 1 of a container engine", machine(t, "docker-init", "run/s6/basedir/", "run/service/", ".dockerenv"), sm.FitNone},
		{"no scan directory", machine(t, "s6-svscan", "run/s6/basedir/"), sm.FitNone},
		{"no proc", machine(t, "", "run/s6/basedir/", "run/service/"), sm.FitNone},
		{"a container marker alone", machine(t, "sh", ".dockerenv", "run/.containerenv"), sm.FitNone},
		{"nothing", machine(t, ""), sm.FitNone},
		{"our init without a tree", machine(t, "hermes-gateway", "run/service/"), sm.FitNone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := Backend(WithRoot(tc.root)).Probe(context.Background(), sm.Options{})
			if p.Fit != tc.fit || p.Reason == "" || len(p.Evidence) < 2 {
				t.Errorf("%+v, want fit %v", p, tc.fit)
			}
			_, err := Backend(WithRoot(tc.root)).Open(context.Background(), sm.Options{})
			if (err == nil) != (tc.fit == sm.FitNative) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

// R5: comm without the right to read it is no evidence.
func TestR5_UnreadableComm(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything; the unprivileged run does it")
	}
	root := machine(t, "s6-svscan", "run/s6/basedir/", "run/service/")
	must(t, os.Chmod(filepath.Join(root, "proc/1/comm"), 0))
	if p := Backend(WithRoot(root)).Probe(context.Background(), sm.Options{}); p.Fit != sm.FitNone {
		t.Errorf("%+v", p)
	}
}

// R9: a scan directory with a living scanner is evidence of its own, dead ones
// are none, and several are an error that names them.
func TestR9_LiveScanDirectories(t *testing.T) {
	t.Parallel()
	root := s6test.Dir(t, os.Geteuid())
	uid := itoa(os.Geteuid())
	first, second := filepath.Join(root, "run"), filepath.Join(root, "run/user", uid, "hermes-gateway")
	must(t, os.MkdirAll(second, 0o755))
	b := Backend(WithRoot(root))
	ctx := context.Background()

	tr := s6test.Start(t, s6test.In(first))
	if p := b.Probe(ctx, sm.Options{}); p.Fit != sm.FitNative || p.ScanDir != tr.ScanDir {
		t.Errorf("one live directory: %+v", p)
	}
	other := s6test.Start(t, s6test.In(second))
	p := b.Probe(ctx, sm.Options{})
	if p.Fit != sm.FitNative || !strings.Contains(p.Reason, tr.ScanDir) || !strings.Contains(p.Reason, other.ScanDir) {
		t.Errorf("two live directories: %+v", p)
	}
	if _, err := b.Open(ctx, sm.Options{}); err == nil || !strings.Contains(err.Error(), "several") {
		t.Errorf("Open with two: %v", err)
	}
	tr.Kill()
	if p := b.Probe(ctx, sm.Options{}); p.ScanDir != other.ScanDir {
		t.Errorf("after the first died: %+v", p)
	}
	p = b.Probe(ctx, sm.Options{ScanDir: tr.ScanDir})
	if p.Fit != sm.FitNone || !strings.Contains(p.Reason, "no scanner listens") {
		t.Errorf("the dead one by name: %+v", p)
	}
	m, err := b.Open(ctx, sm.Options{ScanDir: tr.ScanDir})
	if err != nil {
		t.Fatalf("a dead tree that was named can be opened, to say so: %v", err)
	}
	m.Close()
}

// A place that another user could have made is not believed.
func TestForeignScanDirectoryIsNotBelieved(t *testing.T) {
	t.Parallel()
	root := s6test.Dir(t, os.Geteuid())
	dir := filepath.Join(root, "dev/shm/hermes-gateway-"+itoa(os.Geteuid()))
	must(t, os.MkdirAll(dir, 0o777))
	must(t, os.Chmod(dir, 0o777)) // anybody may put things here
	s6test.Start(t, s6test.In(dir))
	if p := Backend(WithRoot(root)).Probe(context.Background(), sm.Options{}); p.Fit != sm.FitNone {
		t.Errorf("%+v", p)
	}
	must(t, os.Chmod(dir, 0o755))
	if p := Backend(WithRoot(root)).Probe(context.Background(), sm.Options{}); p.Fit != sm.FitNative {
		t.Errorf("once it is ours alone: %+v", p)
	}
}

// What cannot be a scan directory is said at once.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	for _, tc := range []struct{ dir, says string }{
		{"/no/such/dir", "does not exist"},
		{file, "not a directory"},
	} {
		_, err := Backend().Open(context.Background(), sm.Options{ScanDir: tc.dir})
		var e *sm.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.says) || sm.RemedyOf(err) == "" {
			t.Errorf("Open(%s) = %v, want %q and a remedy", tc.dir, err, tc.says)
		}
	}
}

// A scan directory that was named and whose scanner we may not ask is taken for
// what it is: the verbs then name the right that is missing.
func TestNamedScanDirectoryOfSomebodyElse(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may ask everybody; the unprivileged run does it")
	}
	dir := s6test.Dir(t, os.Geteuid())
	must(t, os.Mkdir(filepath.Join(dir, ".s6-svscan"), 0)) // as one of another user is to us
	p := Backend().Probe(context.Background(), sm.Options{ScanDir: dir})
	if p.Fit != sm.FitNative || !strings.Contains(p.Reason, "who alone may ask") {
		t.Errorf("%+v", p)
	}
	m, err := sm.Detect(context.Background(), sm.Options{ScanDir: dir, Backends: []sm.Backend{Backend()}})
	must(t, err)
	defer m.Close()
	if err := m.Register(testContext(t), sleeper("web")); !errors.Is(err, sm.ErrPermission) {
		t.Errorf("Register = %v", err)
	}
}
