package smtest

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// world is what the managers of one fake share.
type world struct {
	// Set by the options and constant from then on.
	installer    bool
	without      map[servicemanager.Capability]bool
	restartDelay time.Duration

	mu       sync.Mutex // guards what follows, and all services and logs
	services map[string]*service
	logs     map[string]*logFile // by directory
	faults   map[fault]error
	calls    []string
	lastPID  int
}

// fault says which calls fail; no name means every name.
type fault struct{ op, name string }

// firstPID is above what kernels give to processes: nobody hits a real one by
// mistake.
const firstPID = 1 << 26

func newWorld() *world {
	return &world{
		without:      map[servicemanager.Capability]bool{},
		restartDelay: servicemanager.DefaultRestartDelay,
		services:     map[string]*service{},
		logs:         map[string]*logFile{},
		faults:       map[fault]error{},
		lastPID:      firstPID,
	}
}

// call writes a call down and returns the error it was told to give.
func (w *world) call(op, name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := op
	if name != "" {
		entry += " " + name
	}
	w.calls = append(w.calls, entry)
	return w.faultLocked(op, name)
}

func (w *world) faultLocked(op, name string) error {
	if err := w.faults[fault{op, name}]; err != nil {
		return err
	}
	return w.faults[fault{op, ""}]
}

func (w *world) findLocked(name string) (*service, error) {
	s, ok := w.services[name]
	if ok {
		return s, nil
	}
	if err := servicemanager.CheckName(name); err != nil {
		return nil, err
	}
	return nil, servicemanager.ErrNotRegistered
}

func (w *world) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.services))
}

// addLocked makes a service and starts it if it is to be up.
func (w *world) addLocked(spec servicemanager.Spec) error {
	hash := spec.Hash()
	if have, ok := w.services[spec.Name]; ok {
		return &servicemanager.AlreadyRegisteredError{Same: have.hash == hash}
	}
	s := &service{
		w: w, name: spec.Name, spec: spec, hash: hash,
		since:    time.Now(),
		changed:  make(chan struct{}),
		watchers: map[*watcher]bool{},
	}
	if isProgram(spec.Command) {
		script, err := parseScript(spec.Command)
		if err != nil {
			return &servicemanager.SpecError{Field: "Command", Reason: "is no script: " + err.Error()}
		}
		s.script = script
	}
	w.services[spec.Name] = s
	s.enabled = w.installer && spec.Boot == servicemanager.BootAuto
	if !spec.Down {
		s.upLocked()
	}
	return nil
}

// dropLocked forgets a service; of two who try only one succeeds.
func (w *world) dropLocked(s *service) error {
	if s.removed {
		return servicemanager.ErrNotRegistered
	}
	delete(w.services, s.name)
	s.removed = true
	s.tellLocked()
	return nil
}
