package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/hermes-gateway/hermes-gateway/cmd/hermes-gateway/internal/hermes"
	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// longestLine is the length in bytes at which a line that gets a name in front
// is broken.
const longestLine = 64 << 10

// logCopy prints the logs of services.
type logCopy struct {
	a      *app
	reader servicemanager.LogReader
	opts   servicemanager.LogOptions
	named  bool // each line begins with the service's name

	mu    sync.Mutex // guards what is printed, and codes
	codes []int
}

func newLogCopy(a *app, r servicemanager.LogReader, opts servicemanager.LogOptions, named bool) *logCopy {
	return &logCopy{a: a, reader: r, opts: opts, named: named}
}

// run copies the logs at the same time where they are followed, else one after
// the other. Failures are printed as they come: following has no end.
func (c *logCopy) run(ctx context.Context, targets []hermes.Target, failures []failure) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, f := range failures {
		c.blame(f)
	}
	var copies sync.WaitGroup
	for _, t := range targets {
		copies.Add(1)
		one := func() {
			defer copies.Done()
			c.one(ctx, cancel, t)
		}
		if c.opts.Follow {
			go one()
		} else {
			one()
		}
	}
	copies.Wait()
	if code := worstExit(c.codes); code != exitDone {
		return &exitError{code}
	}
	return nil
}

func (c *logCopy) one(ctx context.Context, cancel context.CancelFunc, t hermes.Target) {
	err := needsService(t)
	if err == nil {
		err = c.copy(ctx, t)
	}
	switch {
	case err == nil:
	case c.broken():
		cancel() // nobody reads any more: the other logs end as well
	case c.opts.Follow && ctx.Err() != nil:
	default:
		c.blame(failure{op: "logs", name: t.String(), service: t.Service.String(), err: c.a.withNameRemedy(err)})
	}
}

func (c *logCopy) copy(ctx context.Context, t hermes.Target) error {
	log, err := c.reader.Logs(ctx, t.Service.String(), c.opts)
	if err != nil {
		return err
	}
	defer log.Close()
	if !c.named {
		_, err := io.Copy(c, log)
		return err
	}
	lines := bufio.NewReaderSize(log, longestLine)
	prefix := []byte(oneLine(t.String()) + " | ")
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			if werr := c.line(prefix, line); werr != nil {
				return werr
			}
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// line prints one line, or what there is of it, as a line.
func (c *logCopy) line(prefix, line []byte) error {
	whole := make([]byte, 0, len(prefix)+len(line)+1)
	whole = append(append(whole, prefix...), line...)
	if line[len(line)-1] != '\n' {
		whole = append(whole, '\n')
	}
	_, err := c.Write(whole)
	return err
}

// Write prints what belongs together at once.
func (c *logCopy) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.a.out.Write(p)
}

func (c *logCopy) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.a.out.err != nil
}

func (c *logCopy) blame(f failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.a.printFailure(f)
	c.codes = append(c.codes, classOf(f.err).exit)
}
