package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hermes-gateway/hermes-gateway/servicemanager"
)

// redraw is how often a terminal is redrawn for the uptimes alone. What the
// services do is told by their manager and needs no clock.
const redraw = time.Second

// change is what one watch reports.
type change struct {
	index  int // of the sighting
	status servicemanager.Status
	err    error
}

// watch follows the services until the command is interrupted, --timeout is
// over or none is left.
func (a *app) watch(ctx context.Context, o *overview, sf statusFlags) error {
	w, ok := able[servicemanager.Watcher](o.conn.manager, servicemanager.CapWatch)
	if !ok {
		return unsupported(o.conn, "watching", "look again with "+a.command("status"))
	}
	ctx, cancel, _ := a.within(ctx, 0)
	changes := make(chan change)
	var watches sync.WaitGroup
	for i, s := range o.sightings {
		watches.Add(1)
		go func() {
			defer watches.Done()
			follow(ctx, w, i, s.target.Service.String(), changes)
		}()
	}
	go func() { watches.Wait(); close(changes) }()
	defer func() {
		cancel()
		for range changes { // until the watches have ended
		}
	}()
	if a.isTerminal(a.proc.Out) {
		return a.watchScreen(o, sf, changes)
	}
	return a.watchLines(o, changes)
}

func follow(ctx context.Context, w servicemanager.Watcher, index int, name string, changes chan<- change) {
	for st, err := range w.Watch(ctx, name) {
		select {
		case changes <- change{index, st, err}:
		case <-ctx.Done():
			return
		}
	}
}

// watchScreen redraws the table.
func (a *app) watchScreen(o *overview, sf statusFlags, changes <-chan change) error {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for a.out.err == nil {
		a.drawScreen(o, sf)
		select {
		case c, ok := <-changes:
			if !ok {
				return nil
			}
			o.sightings[c.index].take(c)
		case <-tick.C:
		}
	}
	return nil
}

// drawScreen writes the whole picture at once, so that it does not flicker.
func (a *app) drawScreen(o *overview, sf statusFlags) {
	const home, clearLine, clearRest = "\x1b[H", "\x1b[K", "\x1b[J"
	var table bytes.Buffer
	if len(o.sightings) > 0 {
		a.writeRows(&table, o.sightings, sf.explain)
	}
	fmt.Fprintln(&table, a.lastLine(o))
	picture := bytes.ReplaceAll(table.Bytes(), []byte("\n"), []byte(clearLine+"\n"))
	fmt.Fprintf(a.out, "%s%s%s", home, picture, clearRest)
}

// watchLines prints a line for each change.
func (a *app) watchLines(o *overview, changes <-chan change) error {
	for c := range changes {
		s := &o.sightings[c.index]
		if interrupted(c.err) {
			continue
		}
		s.take(c)
		fmt.Fprintln(a.out, *stamp(a.proc.Now())+" "+a.changeLine(*s))
		if a.out.err != nil {
			return nil
		}
	}
	return nil
}

func (s *sighting) take(c change) {
	switch {
	case interrupted(c.err):
	case c.err != nil:
		s.status, s.err = nil, c.err
	default:
		s.status, s.err = &c.status, nil
	}
}

func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (a *app) changeLine(s sighting) string {
	name := oneLine(s.target.String())
	if s.status == nil {
		if errors.Is(s.err, servicemanager.ErrNotRegistered) {
			return name + " removed"
		}
		reason, _ := failure{op: "status", name: name, err: s.err}.text()
		return name + " unknown: " + reason
	}
	line := name + " " + s.status.State.String() + pidOf(s.status)
	if s.status.State == servicemanager.StateUp && !s.status.Ready {
		line += " not ready"
	}
	if why, _ := a.reason(s); why != "" {
		line += ": " + oneLine(why)
	}
	return line
}
