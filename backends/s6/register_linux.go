package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	treenote "github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Register makes a servicedir aside, moves it into the scan directory in one
// step, shows it to the scanner and waits until the supervisor of the service
// (and of its logger) reports. Whatever ends it before that undoes it.
func (m *manager) Register(ctx context.Context, spec sm.Spec) error {
	return m.fail("register", spec.Name, m.register(ctx, spec))
}

func (m *manager) register(ctx context.Context, spec sm.Spec) error {
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := m.mayWrite(true); err != nil {
		return err
	}
	spec, env, err := m.prepare(spec)
	if err != nil {
		return err
	}
	m.clean(ctx)
	if err := m.scannerAlive(); err != nil {
		return err
	}
	if err := m.checkFree(spec); err != nil {
		return err
	}
	r := &registration{m: m, spec: spec}
	defer r.close()
	if err := r.stage(env); err != nil {
		return undone(err, r.discard())
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	return nil
}

// checkFree says whether the name is taken, and by what.
func (m *manager) checkFree(spec sm.Spec) error {
	st, err := m.scan.Stat(spec.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return &sm.AlreadyRegisteredError{}
		}
		return sm.WithRemedy(fmt.Errorf("%s is in the way: %w", m.scan.Path(spec.Name), fs.ErrExist), "remove it, a scan directory holds servicedirs only")
	}
	s, err := m.service(spec.Name)
	if errors.Is(err, sm.ErrNotRegistered) {
		return nil // it went away meanwhile
	}
	if err != nil {
		return err
	}
	defer s.close()
	hash, err := s.dir.ReadFile(servicedir.HashFile, 4096)
	return &sm.AlreadyRegisteredError{Same: err == nil && strings.TrimSpace(string(hash)) == spec.Hash()}
}

// registration is one Register call: a servicedir under a staging name that
// scanners skip, locked so that nobody takes it for a leftover.
type registration struct {
	m       *manager
	spec    sm.Spec
	staging string
	dir     *fsat.Dir
	ident   ident
	subs    []*monitor
}

// ident is what a directory is, whatever its name.
type ident struct{ dev, ino uint64 }

func identOf(d *fsat.Dir) (ident, error) {
	st, err := d.StatSelf()
	return ident{st.Dev, st.Ino}, err
}

func (r *registration) close() {
	for _, mo := range r.subs {
		mo.close()
	}
	if r.dir != nil {
		r.dir.Close()
	}
}

func (r *registration) step(name string) { r.m.crash(name) }

// stage writes everything. The event directories are made here, before the
// supervisor would, to listen in them from the very first event.
func (r *registration) stage(env servicedir.Env) (err error) {
	if err := r.makeStaging(); err != nil {
		return err
	}
	r.step("locked")
	if err := servicedir.Write(r.dir, servicedir.Render(r.spec, env)); err != nil {
		return err
	}
	r.step("written")
	for _, sub := range r.parts() {
		if err := r.m.makeEvent(r.dir, sub); err != nil {
			return err
		}
	}
	if err := r.m.scan.Sync(); err != nil {
		return err
	}
	r.step("staged")
	return nil
}

// makeStaging makes the directory and locks it. Between the two somebody else
// may take it for a leftover and remove it: then it is made again.
func (r *registration) makeStaging() error {
	for try := 1; ; try++ {
		err := r.tryStaging()
		robbed := errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EWOULDBLOCK)
		if !robbed || try == stagingTries {
			return err
		}
		if r.dir != nil {
			r.dir.Close()
			r.dir = nil
		}
	}
}

// stagingTries is more than there can be cleaners at the same instant; it ends
// the attempts where the scan directory itself was removed.
const stagingTries = 100

func (r *registration) tryStaging() (err error) {
	r.staging = stagingPrefix + fsat.RandomHex(8)
	if r.dir, err = r.m.scan.Mkdir(r.staging, 0o755); err != nil {
		return err
	}
	r.step("mkdir")
	if err := unix.Flock(r.dir.FD(), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return &fs.PathError{Op: "lock", Path: r.dir.Path(), Err: err}
	}
	if r.ident, err = identOf(r.dir); err != nil {
		return err
	}
	if now, err := r.m.identOfName(r.staging); err != nil || now != r.ident {
		return errors.Join(fs.ErrNotExist, err)
	}
	return nil
}

// parts are the supervised directories: the service, and its logger's.
func (r *registration) parts() []string {
	if r.spec.Log.Dir == "" {
		return []string{""}
	}
	return []string{"", "log/"}
}

// makeEvent makes the event directory as a supervisor would. With a control
// group it also makes what that group needs; supervisors keep what they find.
func (m *manager) makeEvent(dir *fsat.Dir, sub string) error {
	event, err := dir.Mkdir(sub+"event", 0o3730)
	if err != nil {
		return err
	}
	defer event.Close()
	if m.cfg.controlGroup < 0 {
		return nil
	}
	supervise, err := dir.Mkdir(sub+"supervise", 0o710)
	if err != nil {
		return err
	}
	defer supervise.Close()
	fifo, err := supervise.Mkfifo("control", 0o620)
	if err != nil {
		return err
	}
	defer unix.Close(fifo)
	for _, fd := range []int{event.FD(), supervise.FD(), fifo} {
		if err := unix.Fchown(fd, -1, m.cfg.controlGroup); err != nil {
			return fmt.Errorf("give %s to control group %d: %w", dir.Path(sub), m.cfg.controlGroup, err)
		}
	}
	// A change of owner clears the setgid bit.
	if err := unix.Fchmod(event.FD(), 0o3730); err != nil {
		return &fs.PathError{Op: "chmod", Path: event.Path(), Err: err}
	}
	return nil
}

// publish gives the servicedir its name and waits for the supervisor; it rolls
// back by itself.
func (r *registration) publish(ctx context.Context) error {
	s := &service{m: r.m, name: r.spec.Name, dir: r.dir}
	for _, part := range r.parts() {
		mo, err := r.listen(ctx, s, part)
		if err != nil {
			return undone(err, r.discard())
		}
		r.subs = append(r.subs, mo)
	}
	if err := ctx.Err(); err != nil {
		return undone(err, r.discard())
	}
	if err := r.m.scan.RenameNoReplace(r.staging, r.spec.Name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			if taken := r.m.checkFree(r.spec); taken != nil {
				err = taken
			}
		}
		return undone(err, r.discard())
	}
	r.step("renamed")
	if err := r.confirm(ctx, s); err != nil {
		return undone(err, r.rollBack(context.WithoutCancel(ctx)))
	}
	return nil
}

// listen subscribes to one of the parts.
func (r *registration) listen(ctx context.Context, s *service, part string) (*monitor, error) {
	if part == "" {
		return s.monitor(ctx, false)
	}
	dir, err := r.dir.Sub("log")
	if err != nil {
		return nil, err
	}
	logger := &service{m: r.m, name: path.Join(s.name, part), dir: dir}
	mo, err := logger.monitor(ctx, false)
	if err != nil {
		dir.Close()
		return nil, err
	}
	mo.owned = dir
	return mo, nil
}

func (r *registration) confirm(ctx context.Context, s *service) error {
	if err := r.m.scan.Sync(); err != nil {
		return err
	}
	if err := r.m.sendScanner(ctx, string(control.Rescan)); err != nil {
		return err
	}
	r.step("rescanned")
	up := false
	for _, mo := range r.subs {
		seen, err := r.awaitSupervisor(ctx, mo)
		if err != nil {
			return err
		}
		up = up || mo == r.subs[0] && seen.has(fifodir.Up)
	}
	r.step("supervised")
	if r.spec.Down || up {
		return nil
	}
	return s.awaitUp(ctx, r.subs[0], sm.Status{}, treenote.Note{})
}

// awaitSupervisor waits for the first word of a supervisor. The scanner may
// die meanwhile: its FIFO then has no reader.
func (r *registration) awaitSupervisor(ctx context.Context, mo *monitor) (note, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	end := r.m.onScannerEnd(ctx, func() { cancel(control.ErrNobody) })
	defer end()
	late := time.NewTimer(supervisorPatience)
	defer late.Stop()
	for {
		select {
		case n := <-mo.notes:
			if n.has(fifodir.Supervised) {
				return n, nil
			}
		case <-late.C:
			return note{}, r.noSupervisor(fmt.Errorf("%w after %v", sm.ErrNotSupervised, supervisorPatience))
		case <-ctx.Done():
			return note{}, r.noSupervisor(context.Cause(ctx))
		}
	}
}

// supervisorPatience is how long the scanner may take to start a supervisor. It
// retries after at most ten seconds.
const supervisorPatience = 20 * time.Second

func (r *registration) noSupervisor(err error) error {
	if errors.Is(err, control.ErrNobody) {
		return err
	}
	return sm.WithRemedy(fmt.Errorf("the scanner has not started a supervisor for it: %w", err),
		"see the scanner's own output; it may be stopped, or have as many services as it may (-c, -C)")
}

// undone adds to the reason of a failure that undoing what was begun failed
// too.
func undone(err, undoing error) error {
	if undoing == nil {
		return err
	}
	if err == nil {
		return fmt.Errorf("undoing it failed: %w", undoing)
	}
	return fmt.Errorf("%w; and undoing it failed: %w", err, undoing)
}

// rollBack takes the published directory away again.
func (r *registration) rollBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rollBackTime)
	defer cancel()
	r.settle(ctx)
	trash := trashPrefix + fsat.RandomHex(8)
	if err := r.m.scan.Rename(r.spec.Name, trash); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody unregistered it
		}
		return err
	}
	if moved, err := r.m.identOfName(trash); err != nil || moved != r.ident {
		// Somebody replaced the service meanwhile: it is theirs.
		return undone(err, r.m.scan.RenameNoReplace(trash, r.spec.Name))
	}
	return r.m.dispose(ctx, trash, r.dir, true)
}

// settle waits until the supervisors have begun, which the scanner may be about
// to start: they go by the name, and the name will be somebody else's. It is
// patient with a scanner that does not come round to it, but not for ever: the
// directory must go in any case.
func (r *registration) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	for _, part := range r.parts() {
		dir, err := r.dir.Sub(path.Join(".", part))
		if err != nil {
			return
		}
		s := &service{m: r.m, name: path.Join(r.spec.Name, part), dir: dir}
		_ = s.settleSupervisor(ctx)
		s.close()
	}
	if errors.Is(r.m.scannerAlive(), control.ErrNobody) {
		r.awaitOrphan(ctx)
	}
}

// awaitOrphan waits for a supervisor that the scanner may have started with its
// last breath. Whether it has nobody can say any more.
func (r *registration) awaitOrphan(ctx context.Context) {
	late := time.NewTimer(orphanPatience)
	defer late.Stop()
	for {
		if held, _, err := lock.Holder(r.dir, servicedir.LockFile); err != nil || held {
			return
		}
		select {
		case <-r.subs[0].notes:
		case <-late.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// orphanPatience is more than it takes from a fork to the lock.
const orphanPatience = time.Second

// rollBackTime bounds the undoing of a failed registration.
const rollBackTime = 10 * time.Second

// discard removes what was staged and never published.
func (r *registration) discard() error {
	if r.staging == "" {
		return nil
	}
	return r.m.scan.RemoveAll(r.staging)
}
