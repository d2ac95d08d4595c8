package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/life"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/servicedir"
	sm "github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// Names that scanners skip: directories in the making, and removed ones.
const (
	ourPrefix     = servicedir.OwnPrefix
	stagingPrefix = ourPrefix + "new-"
	trashPrefix   = ourPrefix + "del-"
)

// Unregister stops a service and removes its servicedir once nobody supervises
// it any more. Of a link only the link is removed. A directory that Register
// did not make is left alone: what is in it cannot be made again.
func (m *manager) Unregister(ctx context.Context, name string) error {
	if done, err := m.removeDangling(ctx, name); done {
		return m.fail("unregister", name, err)
	}
	return m.onService(ctx, "unregister", name, func(ctx context.Context, s *service) error {
		if err := m.mayWrite(true); err != nil {
			return err
		}
		link, err := s.isLink()
		if err != nil {
			return err
		}
		if !link && !s.registered() {
			return sm.WithRemedy(fmt.Errorf("%s was not made by register and its files could not be made again: %w", s.dir.Path(), sm.ErrNotSupported),
				"stop it, and remove the directory yourself if you mean it")
		}
		return s.unregister(ctx)
	})
}

// removeDangling removes a link that leads nowhere: no service, but in the way
// of one.
func (m *manager) removeDangling(ctx context.Context, name string) (done bool, err error) {
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return true, err
	}
	defer leave()
	if !visibleElement(name) {
		return false, nil
	}
	st, err := m.scan.Stat(name)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return false, nil // absent or a directory: for others to say
	}
	if dir, err := m.scan.SubFollow(name); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			dir.Close()
		}
		return false, nil
	}
	if err := m.mayWrite(true); err != nil {
		return true, err
	}
	if err := m.scan.Remove(name); err != nil {
		return true, removedMeanwhile(err)
	}
	return true, ignoreNobody(m.sendScanner(ctx, string([]byte{control.Rescan, control.Nuke})))
}

func (s *service) isLink() (bool, error) {
	st, err := s.m.scan.Stat(s.name)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK, err
}

func (s *service) unregister(ctx context.Context) error {
	if err := s.stopForGood(ctx); err != nil {
		return err
	}
	trash := trashPrefix + fsat.RandomHex(8)
	s.m.crash("stopped")
	defer s.m.claim(s.name)() // by its next name others would clean it up
	if err := s.m.scan.Rename(s.name, trash); err != nil {
		return removedMeanwhile(err)
	}
	s.m.crash("renamed away")
	if ours, err := s.isNow(trash); err != nil || !ours {
		// Between the look and the rename the name came to mean another
		// service: it is somebody else's.
		return undone(errors.Join(fmt.Errorf("%w any more: another one has its name", sm.ErrNotRegistered), err), s.m.scan.RenameNoReplace(trash, s.name))
	}
	if err := s.m.dispose(ctx, trash, s.dir, false); err != nil {
		return fmt.Errorf("it is out of the scan directory, but its supervisor still ends: %w", err)
	}
	return nil
}

// isNow says whether an entry of the scan directory leads to the directory that
// s holds.
func (s *service) isNow(entry string) (bool, error) {
	dir, err := s.m.scan.SubFollow(entry)
	if err != nil {
		return false, err
	}
	defer dir.Close()
	a, err := identOf(dir)
	if err != nil {
		return false, err
	}
	b, err := identOf(s.dir)
	return a == b, err
}

// removedMeanwhile gives the absence of what was just there its class.
func removedMeanwhile(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w any more: it was removed meanwhile", sm.ErrNotRegistered)
	}
	return err
}

// stopForGood stops a service that is about to be removed. One without a
// supervisor gets the chance to have one again first: a supervisor that is just
// being started goes by the name, and would take the next service of that name
// for this one.
func (s *service) stopForGood(ctx context.Context) error {
	held, err := s.supervised()
	if err != nil {
		return err
	}
	if !held {
		if err := s.settleSupervisor(ctx); err != nil {
			return err
		}
		if held, err = s.supervised(); err != nil || !held {
			return err
		}
	}
	err = s.stop(ctx, sm.Act{})
	if errors.Is(err, control.ErrNobody) {
		return nil
	}
	return err
}

// settlePatience is how long a supervisor may take to begin; the scanner's own
// pause is one second.
const settlePatience = 4 * time.Second

// settleSupervisor waits until a supervisor has begun, or cannot be expected
// any more.
func (s *service) settleSupervisor(ctx context.Context) error {
	mo, err := s.monitor(ctx, false)
	if err != nil {
		return ignoreNobody(err) // never scanned
	}
	defer mo.close()
	patient, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	err = s.awaitSupervised(patient, mo)
	if patient.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return ignoreNobody(err)
}

func ignoreNobody(err error) error {
	if errors.Is(err, control.ErrNobody) {
		return nil
	}
	return err
}

// dispose ends the supervisors of a directory that was renamed away, and
// removes it. With force nothing is waited for but the kill.
func (m *manager) dispose(ctx context.Context, trash string, dir *fsat.Dir, force bool) error {
	defer m.claim(trash)()
	if err := m.endSupervisors(ctx, dir, force); err != nil {
		return err
	}
	m.crash("supervisors gone")
	return m.removeAll(ctx, trash)
}

// claim keeps others from cleaning up a directory under us until it is given
// back. A link's target is not ours to claim, and what somebody else has claimed
// is as safe.
func (m *manager) claim(name string) (back func()) {
	fd, err := m.scan.OpenFD(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return func() {}
	}
	_ = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	return func() { unix.Close(fd) }
}

// removeAll removes a directory that nobody supervises. Somebody may still
// subscribe to its events meanwhile; that ends, as there are none.
func (m *manager) removeAll(ctx context.Context, name string) error {
	for try := 1; ; try++ {
		err := m.scan.RemoveAll(name)
		if !errors.Is(err, unix.ENOTEMPTY) || try == removeTries {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

const removeTries = 100

// endSupervisors has the scanner end the supervisors of what it no longer
// sees, or ends them itself where no scanner listens, and waits. It must not do
// both: a supervisor that ends before s6-svscan 2.11 has seen it vanish leaves
// the pipe to its logger open for ever.
func (m *manager) endSupervisors(ctx context.Context, dir *fsat.Dir, force bool) error {
	s := &service{m: m, dir: dir}
	before := holdSupervisors(dir)
	defer before.close()
	err := m.sendScanner(ctx, string([]byte{control.Rescan, control.Nuke}))
	alone := errors.Is(err, control.ErrNobody) || err == nil && m.orphaned(dir)
	if alone {
		// With the scanner dead, or another one than theirs.
		err = s.sendIfAlive(ctx, string([]byte{control.Down, control.Exit}))
	}
	if err != nil {
		return err
	}
	if force {
		if err := s.sendIfAlive(ctx, string([]byte{control.OnceAtMost, control.Kill})); err != nil {
			return err
		}
	}
	if err := awaitUnlocked(ctx, dir); err != nil {
		return err
	}
	if err := m.endLogger(ctx, dir, alone); err != nil {
		return err
	}
	return before.awaitReaped(ctx)
}

// orphaned says whether a directory is supervised by a process that is not the
// scanner's: it outlived the scanner before this one, which knows nothing of it
// and will not end it.
func (m *manager) orphaned(dir *fsat.Dir) bool {
	held, supervisor, err := lock.Holder(dir, servicedir.LockFile)
	if err != nil || !held || supervisor == 0 {
		return false
	}
	scanning, scanner, err := lock.Holder(m.scan, scannerLock)
	if err != nil || !scanning || scanner == 0 {
		return false
	}
	parent, err := life.Parent(supervisor)
	return err == nil && parent != scanner
}

// scannerLock is the scanner's lock below the scan directory.
const scannerLock = ".s6-svscan/lock"

// supervisorProcs are pidfds of the processes that supervise a directory and its
// log.
type supervisorProcs []*os.File

func holdSupervisors(dir *fsat.Dir) supervisorProcs {
	var held supervisorProcs
	for _, name := range []string{servicedir.LockFile, "log/" + servicedir.LockFile} {
		_, pid, err := lock.Holder(dir, name)
		if err != nil || pid == 0 {
			continue
		}
		if pidfd, err := life.OpenProcess(pid); err == nil {
			held = append(held, pidfd)
		}
	}
	return held
}

func (sv supervisorProcs) close() {
	for _, pidfd := range sv {
		pidfd.Close()
	}
}

// reapPatience bounds the wait for a parent that does not collect its child.
const reapPatience = time.Second

// awaitReaped waits until the scanner has collected the supervisors. Before, it
// still knows the directories by their inodes, and would take a new directory
// that got one of these for the old one. Ending has an event, being collected
// has none.
func (sv supervisorProcs) awaitReaped(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, reapPatience)
	defer cancel()
	for _, pidfd := range sv {
		err := life.Process(patient, pidfd)
		for err == nil && life.Exists(pidfd) {
			err = pause(patient)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// loggerPatience is how long a logger may take to write what it was given
// before it is killed, as s6 itself would wait for ever.
const loggerPatience = 5 * time.Second

// endLogger waits for the logger, which ends with its input. The scanner tells
// its supervisor not to start it again; alone we do.
func (m *manager) endLogger(ctx context.Context, dir *fsat.Dir, alone bool) error {
	log, err := dir.Sub("log")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer log.Close()
	s := &service{m: m, dir: log}
	if alone {
		if err := s.sendIfAlive(ctx, string([]byte{control.OnceAtMost, control.Exit})); err != nil {
			return err
		}
	}
	patient, cancel := context.WithTimeout(ctx, loggerPatience)
	defer cancel()
	err = awaitUnlocked(patient, log)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if err := s.sendIfAlive(ctx, string([]byte{control.Exit, control.Kill})); err != nil {
		return err
	}
	return awaitUnlocked(ctx, log)
}

// sendIfAlive sends commands to the supervisor, if there is one. One that has its lock
// and does not read yet has just begun, and would not hear them.
func (s *service) sendIfAlive(ctx context.Context, cmds string) error {
	for {
		err := s.send(ctx, cmds)
		if !errors.Is(err, control.ErrNobody) {
			return err
		}
		held, _, err := lock.Holder(s.dir, servicedir.LockFile)
		if err != nil || !held {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// awaitUnlocked waits until no supervisor holds the lock of dir: by the death
// of the process that holds it where that is known, else by the end of its
// control FIFO.
func awaitUnlocked(ctx context.Context, dir *fsat.Dir) error {
	for {
		held, pid, err := lock.Holder(dir, servicedir.LockFile)
		if err != nil || !held {
			return err
		}
		if pid > 0 {
			if pidfd, err := life.OpenProcess(pid); err == nil {
				err = life.Process(ctx, pidfd)
				pidfd.Close()
				if err != nil {
					return err
				}
				continue
			}
		}
		if !awaitSupervisorEnd(ctx, dir) {
			return context.Cause(ctx)
		}
		if err := pause(ctx); err != nil { // the FIFO closes a moment before the lock
			return err
		}
	}
}

// pause lets the rest of a process's descriptors be closed.
func pause(ctx context.Context) error {
	t := time.NewTimer(time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// clean removes what registrars left behind that were killed: directories of
// ours that nobody has locked and nobody supervises. It never fails; what
// cannot be removed now is for the next time.
func (m *manager) clean(ctx context.Context) {
	names, err := m.scan.Names()
	if err != nil {
		return
	}
	for _, name := range names {
		if strings.HasPrefix(name, ourPrefix) {
			m.cleanOne(ctx, name)
		}
	}
}

// cleanTime bounds the wait for the supervisor of a leftover.
const cleanTime = 2 * time.Second

func (m *manager) cleanOne(ctx context.Context, name string) {
	fd, err := m.scan.OpenFD(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		if st, serr := m.scan.Stat(name); serr == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
			_ = m.scan.Remove(name)
			_ = m.sendScanner(ctx, string([]byte{control.Rescan, control.Nuke})) // its supervisor may still be there
		}
		return
	}
	defer unix.Close(fd)
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return // somebody is at it
	}
	dir, err := m.scan.Sub(name)
	if err != nil {
		return
	}
	defer dir.Close()
	ctx, cancel := context.WithTimeout(ctx, cleanTime)
	defer cancel()
	if m.endSupervisors(ctx, dir, true) == nil {
		_ = m.scan.RemoveAll(name)
	}
}

func (m *manager) identOfName(name string) (ident, error) {
	d, err := m.scan.Sub(name)
	if err != nil {
		return ident{}, err
	}
	defer d.Close()
	return identOf(d)
}

// onScannerEnd calls then when the scanner dies; the function it returns ends
// the watch.
func (m *manager) onScannerEnd(ctx context.Context, then func()) (end func()) {
	owner, err := m.treeUID()
	if err != nil {
		return func() {}
	}
	f, err := control.Open(m.scan, scannerControl, owner)
	if err != nil {
		then()
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.Close()
		if life.FIFO(ctx, f) == nil {
			then()
		}
	}()
	return func() { cancel(); <-done }
}
