//go:build unix

package logcmd

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/internal/logdir"
)

// run logs until there is nothing more to log.
func run(o options, script logdir.Script) error {
	if o.notify > 0 {
		if _, err := unix.FcntlInt(uintptr(o.notify), unix.F_GETFD, 0); err != nil {
			return usageFailure(fmt.Errorf("-d %d: that descriptor is not open", o.notify))
		}
	}
	events, err := newInbox()
	if err != nil {
		return systemFailure(err)
	}
	defer events.close()
	signal.Ignore(syscall.SIGPIPE) // closed outputs are errors of write
	stop := events.relaySignals()
	defer stop()

	warn := say
	if o.verbosity == 0 {
		warn = func(error) {}
	}
	l := &loop{options: o, events: events, warn: warn}
	opts := logdir.Options{LineLimit: o.lineLimit, Stderr: os.Stderr, Warn: warn}
	if script.Stdout() {
		l.out = startOutlet(1, events)
		defer l.out.close()
		opts.Stdout = l.out
	}
	if l.log, err = logdir.Open(script, opts); err != nil {
		return systemFailure(err)
	}
	if o.notify > 0 {
		_, _ = unix.Write(o.notify, []byte{'\n'})
		_ = unix.Close(o.notify)
	}
	if err := l.run(); err != nil {
		return systemFailure(err)
	}
	return nil
}

// inbox brings what concerns the loop into a pipe, beside standard input: the
// numbers of signals, and 0 when the outlet has room again.
type inbox struct{ read, write int }

func newInbox() (*inbox, error) {
	var p [2]int
	if err := unix.Pipe(p[:]); err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	for _, fd := range p {
		unix.CloseOnExec(fd)
	}
	return &inbox{read: p[0], write: p[1]}, nil
}

func (in *inbox) send(b byte) {
	for {
		if _, err := unix.Write(in.write, []byte{b}); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (in *inbox) close() {
	_ = unix.Close(in.read)
	_ = unix.Close(in.write)
}

// relaySignals sends signals to the inbox, until stop.
func (in *inbox) relaySignals() (stop func()) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGALRM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range signals {
			in.send(byte(s.(syscall.Signal)))
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
