package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// fakeWorld is all ports of one service in memory. It keeps a diary of what the
// engine does, in order, and notes what must never be.
type fakeWorld struct {
	mu       sync.Mutex
	files    map[string]string
	children []*fakeChild
	pids     int

	status   Status
	statuses int
	note     Note
	instance Instance
	deaths   []Death
	events   string
	warnings []string
	stdio    bool // released
	diary    []string
	quiet    bool // no diary
	wrong    []string

	broken   map[string]error // what fails: a file, "start", "find", "status", "instance", "note", "tally", "down"
	faults   map[string]int   // which call of a method panics: 1 is the next
	survivor *Survivor
	onSignal func(c *fakeChild, sig syscall.Signal)
	changed  chan struct{} // closed and replaced at each event and status
}

func newWorld(files map[string]string) *fakeWorld {
	w := &fakeWorld{
		files: map[string]string{}, broken: map[string]error{}, faults: map[string]int{},
		pids: 100, changed: make(chan struct{}),
	}
	maps.Copy(w.files, files)
	return w
}

// config is a service in this world.
func (w *fakeWorld) config() Config {
	return Config{
		Name: "web", Host: Host{BootID: "boot", PIDNS: "4026531836"},
		Files: w, Processes: w, Store: w, Survivors: w, Log: w,
	}
}

func (w *fakeWorld) enter(what string) {
	w.mu.Lock()
	if w.faults[what] > 0 {
		if w.faults[what]--; w.faults[what] == 0 {
			w.mu.Unlock()
			panic("fault in " + what)
		}
	}
}

func (w *fakeWorld) write(format string, args ...any) {
	if w.quiet {
		return
	}
	w.diary = append(w.diary, fmt.Sprintf(format, args...))
}

func (w *fakeWorld) fail(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

func (w *fakeWorld) change() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Files.

func (w *fakeWorld) Read(name string) ([]byte, error) {
	w.enter("read")
	defer w.mu.Unlock()
	if err := w.broken[name]; err != nil {
		return nil, err
	}
	text, ok := w.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (w *fakeWorld) Exists(name string) (bool, error) {
	w.enter("exists")
	defer w.mu.Unlock()
	_, ok := w.files[name]
	return ok, w.broken[name]
}

// Processes.

// alive is the processes that exist.
func (w *fakeWorld) alive() []*fakeChild {
	var living []*fakeChild
	for _, c := range w.children {
		if !c.dead {
			living = append(living, c)
		}
	}
	return living
}

func (w *fakeWorld) Start(spec StartSpec) (Child, error) {
	w.enter("start")
	defer w.mu.Unlock()
	if living := w.alive(); len(living) > 0 {
		w.fail("%s is started while %s %d is alive", spec.Path, living[0].path, living[0].pid)
	}
	if w.instance.Stage != StageStarting && w.broken["instance"] == nil {
		w.fail("%s is started while the instance record says %s", spec.Path, stageWord(w.instance.Stage))
	}
	if err := w.broken["start "+spec.Path]; err != nil {
		w.write("fail %s", spec.Path)
		return nil, err
	}
	w.pids++
	c := &fakeChild{pid: w.pids, path: spec.Path, args: spec.Args, world: w, exit: make(chan Exit, 1)}
	if spec.NotifyFD != 0 {
		c.ready = make(chan bool, 1)
	}
	w.children = append(w.children, c)
	w.write("start %s", strings.Join(spec.Args, " "))
	return c, nil
}

func (w *fakeWorld) ReleaseStdio() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stdio = true
	w.write("release stdio")
}

// signalled is called by the engine.
func (w *fakeWorld) signalled(c *fakeChild, sig syscall.Signal, group bool) error {
	w.mu.Lock()
	name := strings.TrimPrefix(servicemanager.SignalName(sig), "SIG")
	if group {
		name += " group"
	}
	c.signals = append(c.signals, name)
	w.write("%s to %s", name, c.path)
	act := w.onSignal
	dead := c.dead
	w.mu.Unlock()
	if dead {
		return syscall.ESRCH
	}
	if act != nil {
		act(c, sig)
	}
	return nil
}

// end makes a process die. It may be called twice.
func (w *fakeWorld) end(c *fakeChild, exit Exit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !c.dead {
		c.dead = true
		c.exit <- exit
	}
}

// says makes run write to its readiness pipe.
func (w *fakeWorld) says(c *fakeChild, line bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.ready != nil && !c.closed && len(c.ready) == 0 {
		c.ready <- line
	}
}

// process is the newest one.
func (w *fakeWorld) process() *fakeChild {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.children) == 0 {
		return nil
	}
	return w.children[len(w.children)-1]
}

// Survivors.

func (w *fakeWorld) Find(context.Context) (*Survivor, error) {
	w.enter("find")
	defer w.mu.Unlock()
	if err := w.broken["find"]; err != nil {
		return nil, err
	}
	found := w.survivor
	w.survivor = nil
	return found, nil
}

// leave puts a survivor into the world.
func (w *fakeWorld) leave(in Instance, last Status) *fakeChild {
	w.pids++
	c := &fakeChild{pid: w.pids, path: "./run", world: w, exit: make(chan Exit, 1)}
	if in.Stage == StageRun || in.Stage == StageFinish {
		in.PID = c.pid
	}
	if last != (Status{}) {
		last.PID = c.pid
	}
	if in.Stage == StageFinish || in.PID != 0 && in.Stage == StageStarting {
		c.path = "./finish"
	}
	w.children = append(w.children, c)
	w.survivor = &Survivor{Instance: in, Child: c, Last: last}
	w.instance = in
	return c
}

func (w *fakeWorld) Warn(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.warnings = append(w.warnings, text)
}

var errBroken = errors.New("it is broken")

// at is a time as the diary shows it.
func at(t, zero time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Sub(zero).String()
}
