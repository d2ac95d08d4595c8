package logpool

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

// shared is what the sinks have in common.
type shared struct {
	scratch *scratch
	batches *lender
	buffers logdir.Buffers
	zone    *time.Location
	getenv  func(string) (string, bool)

	opening chan struct{} // a token for each that opens its log

	answers *wire.Sender
	toTree  *os.File
	stderr  *outlet
	stdout  *outlet // nil: nobody takes lines
}

const (
	// stdoutQueue is how much may wait for a slow reader of standard output
	// before the logs that go there wait too.
	stdoutQueue = 1 << 20
	// stderrQueue is how much may wait for a slow reader of warnings before
	// these are dropped.
	stderrQueue = 64 << 10
	// openAtOnce is how many logs are opened at a time, so that a tree that begins
	// does not make a thread for each.
	openAtOnce = 2
	// openTurn is how long one keeps others waiting with that: its volume may hang.
	openTurn = 100 * time.Millisecond
	// openPatience is how long one waits for its turn.
	openPatience = time.Second
	// lastWords is how long the end waits for readers of all these.
	lastWords = time.Second
)

func newShared(out *os.File, lines int) (*shared, error) {
	sc, err := newScratch()
	if err != nil {
		return nil, err
	}
	sh := &shared{
		scratch: sc, batches: newLender(), opening: make(chan struct{}, openAtOnce), zone: logdir.LocalZone(), getenv: os.LookupEnv,
		answers: wire.NewSender(out), toTree: out,
		stderr: newOutlet(2, stderrQueue, true),
	}
	if lines >= 0 {
		sh.stdout = newOutlet(lines, stdoutQueue, false)
	}
	return sh, nil
}

// close is the end of the process: whoever is left has nowhere to write to.
func (sh *shared) close() {
	sh.toTree.SetWriteDeadline(time.Now().Add(lastWords))
	done := sh.answers.Close()
	deadline := time.NewTimer(lastWords)
	defer deadline.Stop()
	if sh.stdout != nil {
		sh.stdout.close(deadline.C)
	}
	sh.stderr.close(deadline.C)
	<-done
}

func (sh *shared) answer(verb, id string, args ...string) {
	sh.answers.Send(wire.Message{Verb: verb, ID: id, Args: args})
}

// mention is an answer that nobody waits for.
func (sh *shared) mention(verb, id string, args ...string) {
	sh.answers.SendOptional(wire.Message{Verb: verb, ID: id, Args: args})
}

// warn prints a message of one line about a log, or about the whole.
func (sh *shared) warn(id, text string) {
	if id != "" {
		text = id + ": " + text
	}
	_, _ = fmt.Fprintln(sh.stderr, prefix+oneLine(text)) // nobody is there to be told
}

// enter waits for a turn to open a log, but not for long.
func (sh *shared) enter() (leave func()) {
	timer := time.NewTimer(openPatience)
	defer timer.Stop()
	select {
	case sh.opening <- struct{}{}:
	case <-timer.C:
		return func() {}
	}
	var once sync.Once
	give := func() { once.Do(func() { <-sh.opening }) }
	turn := time.AfterFunc(openTurn, give)
	return func() {
		turn.Stop()
		give()
	}
}
