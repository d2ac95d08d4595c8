package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// fake is a manager whose services say what a test wants them to say. It is a
// table, not a supervisor: what verbs come to is in the state they set.
type fake struct {
	mu       sync.Mutex // guards all below
	services map[string]sm.Status
	specs    map[string]sm.Spec
	ours     []string                 // what Registered reports besides specs
	fail     map[string]error         // by "op name", "op"
	stuck    map[string]bool          // "op name" blocks until ctx ends
	onStuck  func()                   // called before that
	stopIn   map[string]time.Duration // StopTimeout
	logs     map[string]string
	calls    []string
	limits   map[string]time.Duration // time to the deadline of "op name"
	now      time.Time
	watching chan struct{} // closed when all of watchers watch
	watchers int
	changes  map[string]chan sm.Status
}

func newFake() *fake {
	return &fake{
		services: map[string]sm.Status{}, specs: map[string]sm.Spec{}, fail: map[string]error{},
		stuck: map[string]bool{}, stopIn: map[string]time.Duration{}, logs: map[string]string{},
		limits: map[string]time.Duration{}, changes: map[string]chan sm.Status{}, now: testNow,
	}
}

// has adds a service.
func (f *fake) has(st sm.Status) *fake {
	f.services[st.Name] = st
	return f
}

func (f *fake) begin(ctx context.Context, op, name string) error {
	f.mu.Lock()
	key := strings.TrimSpace(op + " " + name)
	f.calls = append(f.calls, key)
	if d, ok := ctx.Deadline(); ok {
		f.limits[key] = time.Until(d)
	}
	err, known, stuck := f.fail[key], f.services[name].Name != "", f.stuck[key]
	f.mu.Unlock()
	switch {
	case err != nil:
		return f.err(op, name, err)
	case name != "" && !known && op != "register":
		return f.err(op, name, sm.ErrNotRegistered)
	case stuck:
		if f.onStuck != nil {
			f.onStuck()
		}
		<-ctx.Done()
		return f.err(op, name, ctx.Err())
	}
	return nil
}

func (f *fake) err(op, name string, err error) error {
	return &sm.Error{Op: op, Service: name, Kind: sm.KindS6, Err: err}
}

func (f *fake) set(name string, change func(*sm.Status)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.services[name]
	change(&st)
	f.services[name] = st
}

func (f *fake) called(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for _, c := range f.calls {
		if strings.HasPrefix(c, prefix) {
			found = append(found, c)
		}
	}
	return found
}

func (*fake) Kind() sm.Kind { return sm.KindS6 }

func (*fake) Supports(c sm.Capability) bool { return c != sm.CapInstall }

func (*fake) Close() error { return nil }

func up(name string) sm.Status {
	return sm.Status{Name: name, State: sm.StateUp, WantUp: true, Ready: true, Enabled: true, PID: 100, Since: testNow.Add(-90 * time.Second)}
}

func down(name string) sm.Status {
	return sm.Status{Name: name, State: sm.StateDown, Since: testNow.Add(-5 * time.Minute)}
}

func (f *fake) Start(ctx context.Context, name string, _ ...sm.ActOption) error {
	if err := f.begin(ctx, "start", name); err != nil {
		return err
	}
	f.set(name, func(st *sm.Status) { *st = up(name) })
	return nil
}

func (f *fake) Stop(ctx context.Context, name string, opts ...sm.ActOption) error {
	if err := f.begin(ctx, "stop", name); err != nil {
		return err
	}
	f.set(name, func(st *sm.Status) {
		*st = down(name)
		if sm.ResolveAct(opts...).NoWait {
			st.State, st.PID = sm.StateStopping, 100
		}
	})
	return nil
}

func (f *fake) Restart(ctx context.Context, name string, _ ...sm.ActOption) error {
	if err := f.begin(ctx, "restart", name); err != nil {
		return err
	}
	f.set(name, func(st *sm.Status) { *st = up(name); st.PID++ })
	return nil
}

func (f *fake) Status(ctx context.Context, name string) (sm.Status, error) {
	if err := f.begin(ctx, "status", name); err != nil {
		return sm.Status{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.services[name], nil
}

func (f *fake) StatusAll(ctx context.Context) iter.Seq2[sm.Status, error] {
	return func(yield func(sm.Status, error) bool) {
		names, err := f.List(ctx)
		if err != nil {
			yield(sm.Status{}, err)
			return
		}
		for _, name := range names {
			st, err := f.Status(ctx, name)
			st.Name = name
			if !yield(st, err) {
				return
			}
		}
	}
}

func (f *fake) Register(ctx context.Context, spec sm.Spec) error {
	if err := f.begin(ctx, "register", spec.Name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	spec, err := spec.Normalize()
	if err != nil {
		return f.err("register", spec.Name, err)
	}
	if have, ok := f.specs[spec.Name]; ok {
		return f.err("register", spec.Name, &sm.AlreadyRegisteredError{Same: have.Hash() == spec.Hash()})
	}
	f.specs[spec.Name] = spec
	st := up(spec.Name)
	if spec.Down {
		st = down(spec.Name)
	}
	f.services[spec.Name] = st
	return nil
}

func (f *fake) Unregister(ctx context.Context, name string) error {
	if err := f.begin(ctx, "unregister", name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.services, name)
	delete(f.specs, name)
	return nil
}

func (f *fake) List(ctx context.Context) ([]string, error) {
	if err := f.begin(ctx, "list", ""); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.services)), nil
}

func (f *fake) Registered(context.Context) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(slices.Sorted(maps.Keys(f.specs)), f.ours...), nil
}

func (f *fake) StopTimeout(_ context.Context, name string) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, ok := f.stopIn[name]
	if !ok {
		return 0, errors.New("not known")
	}
	return d, nil
}

func (f *fake) Wait(ctx context.Context, name string, until sm.Condition) (sm.Status, error) {
	if err := f.begin(ctx, "wait "+until.String(), name); err != nil {
		return sm.Status{}, err
	}
	return f.Status(ctx, name)
}

func (f *fake) Watch(ctx context.Context, name string) iter.Seq2[sm.Status, error] {
	return func(yield func(sm.Status, error) bool) {
		st, err := f.Status(ctx, name)
		if !yield(st, err) || err != nil {
			return
		}
		f.mu.Lock()
		changes := f.changes[name]
		if f.watchers--; f.watchers == 0 {
			close(f.watching)
		}
		f.mu.Unlock()
		for {
			select {
			case <-ctx.Done():
				yield(sm.Status{}, f.err("watch", name, ctx.Err()))
				return
			case st, ok := <-changes:
				if !ok {
					yield(sm.Status{}, f.err("watch", name, sm.ErrNotRegistered))
					return
				}
				if !yield(st, nil) {
					return
				}
			}
		}
	}
}

func (f *fake) Logs(ctx context.Context, name string, opts sm.LogOptions) (io.ReadCloser, error) {
	if err := f.begin(ctx, "logs", name); err != nil {
		return nil, err
	}
	f.mu.Lock()
	text := f.logs[name]
	f.mu.Unlock()
	lines := strings.SplitAfter(text, "\n")
	lines = lines[:len(lines)-1]
	if opts.Lines > 0 && len(lines) > opts.Lines {
		lines = lines[len(lines)-opts.Lines:]
	}
	text = strings.Join(lines, "")
	if !opts.Follow {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, text)
		<-ctx.Done()
		w.CloseWithError(ctx.Err())
	}()
	return r, nil
}

// fakeBackend offers one manager.
type fakeBackend struct {
	kind  sm.Kind
	probe sm.Probe
	m     sm.ServiceManager
	err   error
	opts  *sm.Options // what Open was given
}

func (b *fakeBackend) Kind() sm.Kind { return b.kind }

func (b *fakeBackend) Probe(_ context.Context, o sm.Options) sm.Probe {
	p := b.probe
	if o.ScanDir != "" && b.kind == sm.KindS6 {
		p.ScanDir = o.ScanDir
	}
	return p
}

func (b *fakeBackend) Open(_ context.Context, o sm.Options) (sm.ServiceManager, error) {
	b.opts = &o
	return b.m, b.err
}

// testNow is the time at which all tests run.
var testNow = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// bench is one run of the command: its world, and what came of it.
type bench struct {
	t       *testing.T
	fake    *fake
	backend *fakeBackend
	home    string
	env     map[string]string
	proc    Process
	out     bytes.Buffer
	err     bytes.Buffer
}

// newBench has a home with the given profiles and an s6 manager.
func newBench(t *testing.T, profiles ...string) *bench {
	t.Helper()
	b := &bench{t: t, fake: newFake(), home: t.TempDir(), env: map[string]string{"PATH": os.Getenv("PATH")}}
	b.backend = &fakeBackend{kind: sm.KindS6, m: b.fake, probe: sm.Probe{
		Fit: sm.FitNative, Reason: "a test says so", Detail: "s6 (container supervisor)", ScanDir: "/run/service",
		Evidence: []sm.Evidence{{Name: "/proc/1/comm", Value: "s6-svscan", OK: true}, {Name: "/run/s6/basedir", Value: "no such directory"}},
	}}
	for _, p := range profiles {
		dir := filepath.Join(b.home, "profiles", p)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "SOUL.md"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.env["HERMES_HOME"] = b.home
	b.env["HERMES_GATEWAY_COMMAND"] = os.Args[0] + " {-p} gateway run"
	b.proc = Process{
		In: strings.NewReader(""), Out: &b.out, Err: &b.err, Host: "box", Now: func() time.Time { return testNow },
		LookupEnv: func(k string) (string, bool) { v, ok := b.env[k]; return v, ok },
		Backends:  []sm.Backend{b.backend},
	}
	return b
}

// run runs one command line and returns its exit code.
func (b *bench) run(args ...string) int {
	b.t.Helper()
	return b.runIn(b.t.Context(), args...)
}

func (b *bench) runIn(ctx context.Context, args ...string) int {
	b.t.Helper()
	b.out.Reset()
	b.err.Reset()
	return Run(ctx, args, b.proc)
}

// want runs one command line and checks what came of it. Texts are parts of
// the output; an empty text stands for an empty output, "*" for any.
func (b *bench) want(code int, out, errOut string, args ...string) {
	b.t.Helper()
	got := b.run(args...)
	if got != code {
		b.t.Errorf("%q: exit %d, want %d", args, got, code)
	}
	check := func(which, have, want string) {
		b.t.Helper()
		if want != "*" && (want == "" && have != "" || !strings.Contains(have, want)) {
			b.t.Errorf("%q: %s is %q, want %q", args, which, have, want)
		}
	}
	check("stdout", b.out.String(), out)
	check("stderr", b.err.String(), errOut)
}
