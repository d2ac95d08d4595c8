package supervise

import (
	"errors"
	"sync"
)

// Errors of [Service.Control] and [Service.Signal].
var (
	// ErrLeft means that the supervisor has left, or is just leaving.
	ErrLeft = errors.New("the supervisor of this service has left")
	// ErrBusy means that too many commands are waiting; none was taken.
	ErrBusy = errors.New("too many commands are waiting for this service")
)

// mailboxSize is how many commands may wait, in bytes: what a FIFO holds.
const mailboxSize = 64 << 10

// mailbox holds what was sent to a service and not handled yet. Senders never
// wait.
type mailbox struct {
	wake chan struct{} // holds a token while there may be something to take

	mu      sync.Mutex // guards what follows
	signals uint8      // one bit for each Signal, as the kernel keeps them
	bytes   []byte
	left    bool
}

// ring makes the engine look. The caller may hold mu.
func (m *mailbox) ring() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *mailbox) put(bytes []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.left:
		return ErrLeft
	case len(m.bytes)+len(bytes) > mailboxSize:
		return ErrBusy
	}
	m.bytes = append(m.bytes, bytes...)
	m.ring()
	return nil
}

func (m *mailbox) putSignal(s Signal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left {
		return ErrLeft
	}
	m.signals |= 1 << s
	m.ring()
	return nil
}

// takeSignal returns a signal that waits, in the order of their numbers, which
// is the order in which s6 sees them.
func (m *mailbox) takeSignal() (eventKind, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := Hangup; s <= Terminate; s++ {
		if m.signals&(1<<s) != 0 {
			m.signals &^= 1 << s
			return s.event(), true
		}
	}
	return 0, false
}

// takeCommands returns all commands that wait: s6 empties the FIFO before it
// looks at anything else, so that a burst like du is one thing.
func (m *mailbox) takeCommands() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	bytes := m.bytes
	m.bytes = nil
	return bytes
}

// close is the end: what is still waiting is lost, as in a FIFO that nobody
// reads any more.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.bytes, m.signals = true, nil, 0
}

func (m *mailbox) closed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left
}
