package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Run is the body of a service's main: it calls serve and returns the code to
// exit with.
//
// The context ends when the process gets SIGTERM or an interrupt;
// context.Cause tells which. From then on both signals have their default
// action again, so a second one ends a program that hangs. serve calls ready
// when it serves; calling it again, late or never is harmless. Before Run
// returns, and as soon as a signal came, the supervisor is told that the
// program is stopping.
//
// The result is 0 when serve returned nil, or context.Canceled after a signal;
// the code of [Exit], [Fatal] or [Again] anywhere in the chain of the error;
// else 1. The error, and any failure to reach the supervisor, is printed as
// one line on standard error. A panic of serve is not caught.
//
// Run blocks as long as serve does, and leaves no goroutine and no signal
// handler behind.
func Run(serve func(ctx context.Context, ready func()) error) int {
	n := current()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	end := onSignal(func(sig os.Signal) {
		cancel(&signalled{sig})
		complain(os.Stderr, n.sayStopping())
	})
	err := serve(ctx, func() { complain(os.Stderr, n.sayReady()) })
	end()
	cause := context.Cause(ctx)
	if cause == nil { // else it was said when the signal came
		complain(os.Stderr, n.sayStopping())
	}
	return result(os.Stderr, err, cause)
}

// signalled is the cause of the context's end.
type signalled struct{ sig os.Signal }

func (s *signalled) Error() string { return "asked to stop by signal: " + s.sig.String() }

// Unwrap lets the cause match what ctx.Err says.
func (s *signalled) Unwrap() error { return context.Canceled }

// onSignal calls act for the first request to stop; the caller ends the
// waiting.
func onSignal(act func(os.Signal)) (end func()) {
	arrived := make(chan os.Signal, 2)
	over, gone := make(chan struct{}), make(chan struct{})
	signal.Notify(arrived, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer close(gone)
		select {
		case first := <-arrived:
			signal.Stop(arrived)
			raiseSecond(arrived)
			act(first)
		case <-over:
		}
	}()
	return func() {
		signal.Stop(arrived)
		close(over)
		<-gone
	}
}

// raiseSecond gives its default action to a signal that came between the first
// one and the end of our handling. signal.Stop has waited for deliveries under
// way, so nothing can come after this look.
func raiseSecond(arrived <-chan os.Signal) {
	select {
	case second := <-arrived:
		// Without a self, or on a system that cannot raise it, the signal is
		// lost and the next one works.
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(second)
		}
	default:
	}
}

// result turns what serve returned into an exit code.
func result(stderr io.Writer, err, cause error) int {
	var asked *signalled
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.err != nil || err.Error() != exit.Error() { // else it has no text of its own
			complain(stderr, err)
		}
		return exit.code
	case errors.Is(err, context.Canceled) && errors.As(cause, &asked):
		return 0
	default:
		complain(stderr, err)
		return codeFailure
	}
}

// complain prints one line. Nobody is left to tell if that fails.
func complain(w io.Writer, err error) {
	if err == nil {
		return
	}
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	_, _ = fmt.Fprintf(w, "%s: %s\n", filepath.Base(os.Args[0]), text)
}
