package svscan

import "sync"

// inbox holds what others have for the loop. Senders never wait.
type inbox struct {
	wake chan struct{} // a token while there may be something to take

	mu       sync.Mutex // guards what follows
	commands []byte
	ended    []*supervisor
	told     []*supervisor // of these there is news
}

// mostCommands is how many commands may wait, in bytes: what a FIFO holds.
const mostCommands = 64 << 10

func newInbox() inbox { return inbox{wake: make(chan struct{}, 1)} }

func (in *inbox) ring() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

func (in *inbox) command(bytes []byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.commands)+len(bytes) <= mostCommands {
		in.commands = append(in.commands, bytes...)
		in.ring()
	}
}

func (in *inbox) end(s *supervisor) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended = append(in.ended, s)
	in.ring()
}

func (in *inbox) tell(s *supervisor) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.told = append(in.told, s)
	in.ring()
}

func (in *inbox) take() (commands []byte, ended, told []*supervisor) {
	in.mu.Lock()
	defer in.mu.Unlock()
	commands, ended, told = in.commands, in.ended, in.told
	in.commands, in.ended, in.told = nil, nil, nil
	return commands, ended, told
}
