package logpool

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

// lookAgain has a sink that could not be opened try at once.
const lookAgain = "look again"

const (
	firstRetry = 100 * time.Millisecond // after the first failure to open
	mostRetry  = 30 * time.Second       // it doubles up to this
	// busyRetry is for a directory or pipe that another process has, while it is
	// to be drained.
	busyRetry = 250 * time.Millisecond
	// drainMore is how much a service may write while its pipe is drained before
	// that counts as done, in bytes.
	drainMore = 16 * batchSize
)

// sink is one log. It has a goroutine, which runs run.
type sink struct {
	*shared
	id, dir string
	wake    chan struct{} // holds one: there is mail
	locked  atomic.Bool   // not open because another has it

	mu   sync.Mutex // guards what follows
	mail []string   // verbs
	in   *input     // nil: not open; written by the goroutine only

	// The rest is the goroutine's, and the server's after its end.
	log     *logdir.Log
	paused  bool
	leaving string // Drain, Remove, or empty
	budget  int    // what is to be read at most until it has left, in bytes

	blocked bool      // something is not written
	retryAt time.Time // if blocked
	problem string    // as last told; empty: none
	given   int       // bytes at the head of the FIFO that the log has, and not all on file

	left    int // bytes that stay in the FIFO at the end
	leftWhy string

	// of one look into the FIFO
	memory loan
	got    int
	err    error
	peekFn func(uintptr) bool
}

func newSink(sh *shared, id, dir string) *sink {
	k := &sink{shared: sh, id: id, dir: dir, wake: make(chan struct{}, 1), memory: loan{from: sh.batches}}
	k.peekFn = k.peek
	return k
}

// post sends the goroutine a verb. It does not wait.
func (k *sink) post(verb string) {
	k.mu.Lock()
	k.mail = append(k.mail, verb)
	if k.in != nil {
		k.in.interrupt()
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run is the goroutine.
func (k *sink) run() {
	for again := true; again; {
		if !k.opens() {
			again = false
		} else if again = !k.copies(); again {
			k.sleep(firstRetry)
		}
		k.count()
		k.release()
	}
}

// commands does what has been posted.
func (k *sink) commands() {
	k.mu.Lock()
	mail := k.mail
	k.mail = nil
	if k.in != nil && len(mail) > 0 {
		k.in.resume()
	}
	k.mu.Unlock()
	for _, verb := range mail {
		switch verb {
		case wire.Rotate:
			if k.log != nil {
				k.settle(k.log.Rotate())
			}
		case wire.Stop, wire.Cont:
			k.paused = verb == wire.Stop
		case wire.Drain:
			if k.leaving == "" {
				k.leaving = verb
				k.budget = drainMore
				if k.in != nil {
					k.budget += k.in.waiting()
				}
			}
		case wire.Remove:
			k.leaving = verb
		}
	}
}

// sleep waits for mail, at most so long; for ever if that is negative.
func (k *sink) sleep(most time.Duration) {
	k.memory.giveBack()
	if most < 0 {
		<-k.wake
		return
	}
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-k.wake:
	case <-t.C:
	}
}

// opens opens the log, again and again. It answers false if that is of no more
// use.
func (k *sink) opens() bool {
	for wait := firstRetry; ; wait = min(2*wait, mostRetry) {
		k.commands()
		if k.leaving == wire.Remove {
			return false
		}
		leave := k.enter()
		err := k.open()
		leave()
		if err == nil {
			k.problem = ""
			k.locked.Store(false)
			k.answer(wire.Opened, k.id)
			return true
		}
		busy := errors.Is(err, logdir.ErrLocked) || errors.Is(err, errInputBusy)
		k.locked.Store(busy)
		k.fail(err)
		if k.leaving != "" && !busy {
			return false
		}
		if k.leaving != "" {
			wait = min(wait, busyRetry)
		}
		k.sleep(wait)
	}
}

// fail tells why it is not open, once for each reason.
func (k *sink) fail(err error) {
	if text := oneLine(err.Error()); text != k.problem {
		k.problem = text
		k.warn(k.id, text+"; what the service writes waits in its pipe")
		k.mention(wire.Failed, k.id, text)
	}
}

// open opens the directories and the FIFO. The directories come first: what is
// read must have a place.
func (k *sink) open() error {
	dir, err := fsat.Open(k.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	in, err := openInput(dir)
	if err != nil {
		return err
	}
	script, err := k.script(dir, k.dir)
	if err == nil {
		k.log, err = logdir.Open(script, k.options(script))
	}
	if err != nil {
		in.close()
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.in = in
	if len(k.mail) > 0 {
		in.interrupt()
	}
	return nil
}

func (k *sink) options(script logdir.Script) logdir.Options {
	opts := logdir.Options{
		Eager: true, GoOn: true, Parents: true,
		Stderr: k.stderr, Zone: k.zone, Buffers: &k.buffers,
		Warn: func(err error) { k.warn(k.id, err.Error()) },
	}
	switch {
	case !script.Stdout():
	case k.stdout != nil:
		opts.Stdout = &wholeLines{to: k.stdout}
	default:
		k.warn(k.id, "directive 1 has no effect: this tree has no standard output for lines")
	}
	return opts
}

// release gives everything back.
func (k *sink) release() {
	k.memory.giveBack()
	if k.log != nil {
		k.log.Abandon()
		k.log = nil
	}
	k.mu.Lock()
	in := k.in
	k.in = nil
	k.mu.Unlock()
	if in != nil {
		in.close()
	}
	k.blocked, k.given = false, 0
}

// count notes what stays in the FIFO.
func (k *sink) count() {
	if k.leaving == "" {
		return
	}
	k.leftWhy = k.problem
	if k.in != nil {
		k.left = k.in.waiting()
	} else {
		k.left = waitingIn(k.dir)
	}
	if k.left > 0 && k.leftWhy == "" {
		k.leftWhy = "the service goes on writing"
	}
}

// waitingIn is how many bytes there are in the FIFO of a log that is not open, as
// far as that can be told.
func waitingIn(path string) int {
	dir, err := fsat.Open(path)
	if err != nil {
		return 0
	}
	defer dir.Close()
	fd, err := dir.OpenFD(InputFile, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// batchEnd is where a batch is cut: after its last line, so that what is written
// twice is whole lines; where there is no end of a line, at its own end.
func batchEnd(b []byte) int {
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

// settle notes what a call of the log has answered. Once all is on file it is
// taken out of the FIFO.
func (k *sink) settle(err error) {
	var b *logdir.Blocked
	if errors.As(err, &b) {
		k.retryAt = time.Now().Add(b.Wait)
		if text := oneLine(b.Err.Error()); !k.blocked || text != k.problem {
			k.problem = text
			k.mention(wire.Blocked, k.id, strconv.Itoa(b.Pending), text)
		}
		k.blocked = true
		return
	}
	if k.blocked {
		k.blocked, k.problem = false, ""
		k.mention(wire.Flows, k.id)
	}
	if k.given == 0 {
		return
	}
	n := k.given
	k.given = 0
	if k.scratch.direct.Load() {
		return
	}
	if err := k.in.take(n, k.memory.take(k.memory.size())); err != nil {
		k.warn(k.id, fmt.Sprintf("%v; some lines may be there twice", err))
	}
}
