package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/dirwatch"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// manager drives the services of one scan directory. It holds nothing but the
// directory's descriptor and, once needed, one inotify instance.
type manager struct {
	cfg  config
	scan *fsat.Dir

	life context.Context //nolint:containedctx // the manager's own life: it ends with Close, and with it all Watches and waits
	end  context.CancelFunc

	mu     sync.Mutex // guards the rest
	closed bool
	calls  int // calls that use scan; the last one after Close releases it
	hub    *dirwatch.Hub

	crash func(step string) // tests only: called between the steps of registering
}

var (
	_ sm.ServiceManager = (*manager)(nil)
	_ sm.Waiter         = (*manager)(nil)
	_ sm.Watcher        = (*manager)(nil)
	_ sm.LogReader      = (*manager)(nil)
	_ sm.Signaler       = (*manager)(nil)
	_ sm.Surveyor       = (*manager)(nil)
)

func (b backend) open(_ context.Context, opts sm.Options) (sm.ServiceManager, error) {
	dir, err := b.chooseScanDir(opts)
	if err != nil {
		return nil, err
	}
	scan, err := fsat.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sm.WithRemedy(fmt.Errorf("the scan directory %s does not exist: %w", dir, sm.ErrNotSupervised),
			"name another with --scandir or SERVICE_SCANDIR, or start the tree: mkdir "+dir+" && s6-svscan "+dir)
	}
	if errors.Is(err, unix.ENOTDIR) {
		return nil, sm.WithRemedy(err, "a scan directory is a directory of servicedirs; name another")
	}
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &manager{cfg: b.cfg, scan: scan, life: life, end: end, crash: func(string) {}}, nil
}

// Kind returns KindS6.
func (*manager) Kind() sm.Kind { return sm.KindS6 }

// Supports is true for all but CapInstall: nothing in a scan directory
// outlives a reboot.
func (*manager) Supports(c sm.Capability) bool {
	switch c {
	case sm.CapRegister, sm.CapWait, sm.CapWatch, sm.CapLogs, sm.CapSignal, sm.CapSurvey:
		return true
	default:
		return false
	}
}

// Close ends running Watches and waits. It does not wait for them: it may be
// called from within one.
func (m *manager) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.end()
	if m.calls == 0 {
		return m.releaseLocked()
	}
	return nil
}

func (m *manager) releaseLocked() error {
	err := m.scan.Close()
	if m.hub != nil {
		err = errors.Join(err, m.hub.Close())
	}
	return err
}

// enter begins a call: the context it returns ends with the caller's and with
// the manager. The caller defers leave.
func (m *manager) enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil, sm.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	m.calls++
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(m.life, func() { cancel(sm.ErrClosed) })
	return ctx, func() { stop(); cancel(nil); m.leave() }, nil
}

func (m *manager) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls--
	if m.calls == 0 && m.closed {
		_ = m.releaseLocked() // Close has returned; descriptors of directories do not fail to close
	}
}

// onService runs fn on an existing service and gives its error the operation
// and the service's name.
func (m *manager) onService(ctx context.Context, op, name string, fn func(context.Context, *service) error) error {
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return m.fail(op, name, err)
	}
	defer leave()
	s, err := m.service(name)
	if err != nil {
		return m.fail(op, name, err)
	}
	defer s.close()
	err = fn(ctx, s)
	if err != nil && errors.Is(context.Cause(ctx), sm.ErrClosed) {
		err = sm.ErrClosed
	}
	return m.fail(op, name, err)
}

// watchHub returns the inotify instance, or nil where there can be none.
func (m *manager) watchHub() *dirwatch.Hub {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hub == nil && !m.closed {
		m.hub, _ = dirwatch.New() // without one, waits fall back to probing
	}
	return m.hub
}

// treeUID is the user the tree runs as: the owner of what the scanner made.
func (m *manager) treeUID() (uint32, error) {
	st, err := m.scan.Stat(".s6-svscan")
	if errors.Is(err, fs.ErrNotExist) {
		st, err = m.scan.StatSelf()
	}
	return st.Uid, err
}

// scannerControl is the scanner's control FIFO below the scan directory.
const scannerControl = ".s6-svscan/control"

func (m *manager) sendScanner(ctx context.Context, cmds string) error {
	owner, err := m.treeUID()
	if err != nil {
		return err
	}
	return control.Send(ctx, m.scan, scannerControl, owner, cmds)
}

// scannerAlive returns nil, control.ErrNobody, or why it cannot be told.
func (m *manager) scannerAlive() error {
	owner, err := m.treeUID()
	if err != nil {
		return err
	}
	f, err := control.Open(m.scan, scannerControl, owner)
	if err != nil {
		return err
	}
	return f.Close()
}

// List returns the names of all entries of the scan directory that a scanner
// would supervise.
func (m *manager) List(ctx context.Context) ([]string, error) {
	_, leave, err := m.enter(ctx)
	if err != nil {
		return nil, m.fail("list", "", err)
	}
	defer leave()
	names, err := m.list()
	return names, m.fail("list", "", err)
}

func (m *manager) list() ([]string, error) {
	all, err := m.scan.Names()
	if err != nil {
		return nil, err
	}
	names := all[:0]
	for _, name := range all {
		if strings.HasPrefix(name, ".") {
			continue
		}
		var st unix.Stat_t // follows: a link to a servicedir is a service
		if unix.Fstatat(m.scan.FD(), name, &st, 0) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
			names = append(names, name)
		}
	}
	return names, nil
}
