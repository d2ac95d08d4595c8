package logpool

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/wire"
)

// Exit codes, those of s6-log where it has them.
const (
	exitLeft   = 1 // something could not be written before the end
	exitUsage  = 100
	exitSystem = 111
)

// endGrace is how long the end waits for logs that cannot be written. Longer
// would keep the next tree from writing them.
const endGrace = 5 * time.Second

// tidyAfter is when, after the last command, memory is given back: to open a log
// takes more than to have it open.
const tidyAfter = time.Second

// LinesFlag says that descriptor 3 takes the lines of directive 1. What is open
// there otherwise is something of the runtime's.
const LinesFlag = "--lines-on-3"

// Main is the log process on the descriptors 0 to 2: commands, answers and
// warnings. args are the words after the role: LinesFlag or nothing. It returns the
// exit code, and takes over the signals and the garbage collector's settings of the
// process.
func Main(args []string) int {
	lines := -1
	for _, a := range args {
		if a != LinesFlag {
			fmt.Fprintf(os.Stderr, "%sunknown argument %q: this is started by a tree, which speaks to it on descriptor 0\n", prefix, a)
			return exitUsage
		}
		lines = 3
	}
	// What is alive at any time is small; the default would let it grow to 4 MiB
	// before it is looked at.
	debug.SetGCPercent(25)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGINT)
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	in, err := endpoint(0)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v: this is started by a tree, which speaks to it there\n", prefix, err)
		return exitUsage
	}
	out, err := endpoint(1)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v: the tree listens there\n", prefix, err)
		return exitUsage
	}
	s, err := newServer(out, lines)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", prefix, err)
		return exitSystem
	}
	return s.run(in, terms)
}

// prefix begins all messages.
const prefix = "hermes-gateway log-pool: "

// endpoint is one end of a pipe that nobody else uses, for the runtime's poller.
func endpoint(fd int) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("descriptor %d cannot be used: %w", fd, err)
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("descriptor %d", fd)), nil
}

// server hands commands to the sinks. Its loop never waits for a file.
type server struct {
	*shared
	sinks  map[string]*sink
	ended  chan *sink
	ending bool
	left   bool
}

func newServer(out *os.File, lines int) (*server, error) {
	sh, err := newShared(out, lines)
	if err != nil {
		return nil, err
	}
	return &server{shared: sh, sinks: map[string]*sink{}, ended: make(chan *sink)}, nil
}

// run takes commands until their end, or until SIGTERM, and drains everything.
func (s *server) run(in *os.File, terms <-chan os.Signal) int {
	commands := make(chan wire.Message)
	stop := make(chan struct{})
	go s.listen(in, commands, stop)
	var patience <-chan time.Time
	tidy := time.AfterFunc(tidyAfter, debug.FreeOSMemory)
	defer tidy.Stop()
	for !s.ending || len(s.sinks) > 0 {
		select {
		case m, ok := <-commands:
			if ok {
				tidy.Reset(tidyAfter)
				s.command(m)
				continue
			}
		case <-terms:
			close(stop)
		case k := <-s.ended:
			s.forget(k)
			continue
		case <-patience:
			return s.giveUp()
		}
		// No more commands, one way or the other.
		commands, terms = nil, nil
		s.ending = true
		for _, k := range s.sinks {
			k.post(wire.Drain)
		}
		patience = time.After(endGrace)
	}
	s.close()
	if s.left {
		return exitLeft
	}
	return 0
}

// giveUp ends the process although something cannot be written.
func (s *server) giveUp() int {
	for _, k := range s.sinks {
		s.warn(k.id, "could not be written before the end; what is in the pipe stays there as long as the service lives")
	}
	s.close()
	return exitLeft
}

// listen reads commands until their end.
func (s *server) listen(in *os.File, commands chan<- wire.Message, stop <-chan struct{}) {
	defer close(commands)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, wire.MaxLine)
	for lines.Scan() {
		m, err := wire.Parse(lines.Text())
		if err != nil {
			s.warn("", err.Error())
			continue
		}
		select {
		case commands <- m:
		case <-stop:
			return
		}
	}
	if err := lines.Err(); err != nil {
		s.warn("", "no more commands: "+err.Error())
	}
}

func (s *server) command(m wire.Message) {
	k := s.sinks[m.ID]
	switch {
	case m.Verb == wire.Add && k == nil:
		k = newSink(s.shared, m.ID, m.Arg(0))
		k.paused = m.Arg(1) == wire.Stop
		s.sinks[m.ID] = k
		go func() {
			k.run()
			s.ended <- k
		}()
	case m.Verb == wire.Add:
		s.answer(wire.Failed, m.ID, "there is a log of this name already")
	case k != nil:
		k.post(m.Verb)
	case m.Verb == wire.Drain || m.Verb == wire.Remove:
		s.answer(wire.Drained, m.ID, "0", "there is no such log")
	}
}

// forget takes out a sink that has ended, and has those look again that may have
// waited for its directory or pipe.
func (s *server) forget(k *sink) {
	delete(s.sinks, k.id)
	if k.left > 0 {
		s.left = s.left || s.ending
		s.warn(k.id, fmt.Sprintf("%d bytes stay in the pipe: %s", k.left, k.leftWhy))
	}
	s.answer(wire.Drained, k.id, fmt.Sprint(k.left), k.leftWhy)
	for _, other := range s.sinks {
		if other.locked.Load() {
			other.post(lookAgain)
		}
	}
}

// oneLine is text without line breaks.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }
