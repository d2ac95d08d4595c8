package svscan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/control"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/pool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/mux"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/procs"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/report"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/superdir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/survivor"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Tree supervises a scan directory.
type Tree struct {
	opts Options
	host supervise.Host
	env  []string // of services
	// Descriptors of services, those of the options.
	stdin, stdout, stderr, console int

	dir       *fsat.Dir // the scan directory
	own       *fsat.Dir // .s6-svscan in it
	lockFD    int
	controlFD int

	mux    *mux.Mux
	reaper *reaper.Reaper
	pool   *pool.Pool // nil: there is none
	mail   inbox

	// What follows is the loop's.
	entries   map[identity]*entry
	names     map[string]*entry
	needed    map[string]int // how many need the service of a name
	held      map[*entry]bool
	limits    map[*entry]time.Time
	count     int   // services and loggers in entries
	live      int   // supervisors that run
	started   int   // supervisors started so far
	phase     phase // what the tree is about
	scanned   bool  // the first scan has been
	unsettled int   // of entries, see settleBoot
	waiting   int   // to be stopped, until others have been
	allReady  bool
	rescan    time.Time // when to look at the scan directory; zero: not by itself
	leave     context.CancelFunc
	workers   sync.WaitGroup
	slots     chan struct{} // bounds how many services begin at the same time
}

// phase is what a tree is about.
type phase uint8

const (
	scanning phase = iota
	stopping       // services are being stopped, nothing is started
	leaving        // at once; services live on
)

// New takes a scan directory: it makes .s6-svscan, its lock and its FIFO, and
// nothing runs yet. From then on commands are kept for Run.
//
// Errors: ErrScanning, ErrRefused, and what the file system says.
func New(opts Options) (*Tree, error) {
	t := &Tree{
		opts: opts.withDefaults(), lockFD: -1, controlFD: -1, mail: newInbox(),
		entries: map[identity]*entry{}, names: map[string]*entry{}, needed: map[string]int{},
		held: map[*entry]bool{}, limits: map[*entry]time.Time{}, slots: make(chan struct{}, beginAtOnce),
	}
	t.env = procs.Environ(t.opts.Env)
	t.stdin, t.stdout = int(t.opts.Stdin.Fd()), int(t.opts.Stdout.Fd())
	t.stderr, t.console = int(t.opts.Stderr.Fd()), int(t.opts.Console.Fd())
	if err := t.open(); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// beginAtOnce is how many services begin at the same time: enough to keep the
// processors busy, few enough to keep memory small.
const beginAtOnce = 16

func (t *Tree) open() error {
	err := t.make()
	if err != nil {
		return err
	}
	if t.dir, err = fsat.Open(t.opts.Dir); err != nil {
		return fmt.Errorf("scan directory: %w", err)
	}
	st, err := t.dir.StatSelf()
	if err != nil {
		return err
	}
	if err := trusted(&st, scanDirectory); err != nil {
		return fmt.Errorf("scan directory %s is %w: %w", t.opts.Dir, ErrRefused, err)
	}
	if t.own, err = ownDirectory(t.dir); err != nil {
		return err
	}
	if t.lockFD, err = lock.Take(t.own, "lock", 0o600); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return fmt.Errorf("%s: %w; stop it first, or choose another directory", t.opts.Dir, ErrScanning)
		}
		return err
	}
	// Where the kernel does not say, survivors cannot be told: each service
	// that has a record then says so.
	t.host, _ = survivor.ThisHost()
	if err = t.beginBoot(); err != nil {
		return err
	}
	if t.controlFD, err = control.Listen(t.own, "control", 0o600, superdir.NoGroup); err != nil {
		return err
	}
	if err := t.own.Replace("version", []byte("hermes-gateway "+t.opts.Version+"\n"), 0o644); err != nil {
		return err
	}
	if t.mux, err = mux.New(); err != nil {
		return err
	}
	t.reaper, err = reaper.New()
	return err
}

// make makes the scan directory, if it may.
func (t *Tree) make() error {
	if !t.opts.Make {
		return nil
	}
	err := os.Mkdir(t.opts.Dir, 0o755)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return fmt.Errorf("the scan directory cannot be made: %w: %w; make it for uid %d, or choose another one", ErrRefused, err, os.Geteuid())
}

// ownDirectory opens .s6-svscan, and makes it if need be.
func ownDirectory(dir *fsat.Dir) (*fsat.Dir, error) {
	const name = ".s6-svscan"
	own, err := dir.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		own, err = dir.Sub(name)
	}
	if err != nil {
		return nil, err
	}
	st, err := own.StatSelf()
	if err == nil {
		err = trusted(&st, scanDirectory)
	}
	if err != nil {
		own.Close()
		return nil, fmt.Errorf("%s is %w: %w", dir.Path(name), ErrRefused, err)
	}
	return own, nil
}

// close gives back what open took. The lock goes last: whoever finds it free
// finds nobody.
func (t *Tree) close() {
	if t.mux != nil {
		t.mux.Close()
	}
	if t.reaper != nil {
		t.reaper.Close()
	}
	for _, fd := range []int{t.controlFD, t.lockFD} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	for _, d := range []*fsat.Dir{t.own, t.dir} {
		if d != nil {
			d.Close()
		}
	}
}

// Close gives back a scan directory that Run was never called for.
func (t *Tree) Close() error {
	t.close()
	return nil
}

// Control takes bytes as the tree takes them from .s6-svscan/control. It does
// not wait.
func (t *Tree) Control(commands string) { t.mail.command([]byte(commands)) }

// Run supervises until a command (t, i, q, b) or the end of ctx ends it, and
// everything it started but services that were to live on. Then it returns nil,
// also where ctx has ended. It is called once.
func (t *Tree) Run(ctx context.Context) error {
	defer t.close()
	inner, cancel := context.WithCancel(context.Background())
	defer cancel()
	var base sync.WaitGroup
	base.Go(func() { _ = t.mux.Run(inner) })
	base.Go(func() { _ = t.reaper.Run(inner) })
	if t.pool = t.newPool(); t.pool != nil {
		base.Go(func() { _ = t.pool.Run(inner) })
	}

	watch, err := t.mux.Add(t.controlFD, t.readControl)
	if err != nil {
		cancel()
		base.Wait()
		return err
	}
	services, leave := context.WithCancel(context.Background())
	t.leave = leave
	t.report(report.Report{Kind: report.Ready})
	if t.opts.Ready != nil {
		t.opts.Ready()
	}
	t.loop(ctx, services)
	leave()
	t.workers.Wait()
	watch.Remove()
	t.endPool()
	cancel()
	base.Wait()
	return nil
}

func (t *Tree) readControl(uint32) bool {
	var buf [256]byte
	n, err := unix.Read(t.controlFD, buf[:])
	if err == nil && n > 0 {
		t.mail.command(buf[:n])
	}
	return true
}

// loop decides. Everything about entries happens here.
func (t *Tree) loop(ctx, services context.Context) {
	ended := ctx.Done()
	t.rescan = time.Now()
	var quiet quietTimer
	var due time.Time // the next start
	for first := true; ; first = false {
		commands, left, told := t.mail.take()
		for _, s := range left {
			t.left(s)
		}
		for _, s := range told {
			t.hear(s.entry)
		}
		t.obey(services, commands)
		now := time.Now()
		if t.phase == scanning && !t.rescan.IsZero() && !now.Before(t.rescan) {
			t.scan()
		}
		if first || len(told) == 0 || len(commands)+len(left) > 0 { // news starts no supervisor
			due = t.startDue(services, now)
		}
		next := earlier(due, t.late(now))
		settled, again := quiet.due(t.started, now)
		if settled && t.opts.Settled != nil {
			t.opts.Settled()
		}
		next = earlier(next, again)
		if t.phase != scanning && t.live == 0 {
			return
		}
		alarm, stop := until(next)
		select {
		case <-ended:
			ended = nil
			if t.opts.Leave {
				t.Control("b")
			} else {
				t.Control("t")
			}
		case <-t.mail.wake:
		case <-alarm:
		}
		stop()
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// until returns a channel that tells when next is there; none if it is zero.
func until(next time.Time) (alarm <-chan time.Time, stop func()) {
	if next.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(next))
	return timer.C, func() { timer.Stop() }
}

func (t *Tree) warnf(format string, args ...any) { t.opts.Warn(fmt.Sprintf(format, args...)) }
