package logface

import (
	"fmt"
	"strings"
	"time"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/logpool/pool"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// keepDeaths is how many deaths are remembered, s6's default.
const keepDeaths = 100

// state is what the goroutine of a face knows.
type state struct {
	status    supervise.Status
	problem   string     // as the note has it
	sink      *pool.Sink // nil: the log is closed
	which     int        // number of sink, to tell late news of an old one
	draining  bool       // sink is being closed
	paused    bool       // the next sink too
	leaves    bool       // the goroutine ends
	byCommand bool       // with x
	lastDrain bool       // it leaves after this drain
}

// first writes the status of a logger that was not started yet.
func (f *Face) first(wantUp bool) error {
	now := time.Now()
	f.status = supervise.Status{Stamp: now, ReadyStamp: now, Paused: true, WantUp: wantUp, Ready: true}
	if err := f.dir.ClearDeaths(); err != nil {
		return err
	}
	if err := f.dir.WriteNote(supervise.Note{}); err != nil {
		return err
	}
	return f.dir.WriteStatus(f.status)
}

// start is the first turn of the goroutine.
func (f *Face) start() {
	f.dir.Notify("s")
	if f.status.WantUp {
		f.open()
	}
}

// commands does what was written into the control FIFO.
func (f *Face) commands(text string) {
	for _, c := range text {
		switch c {
		case 'a':
			if f.sink != nil {
				f.sink.Rotate()
			}
		case 'd', 't', 'o', 'D', 'x':
			if c == 'x' {
				f.leave(true)
			} else {
				f.want(false)
			}
			f.setDown(c == 'D', true)
			f.shut()
		case 'u', 'U':
			f.setDown(c == 'U', false)
			f.want(true)
			if f.sink == nil && !f.leaves {
				f.open()
			}
		case 'p', 'c':
			f.pause(c == 'p')
		}
		if f.leaves {
			return
		}
	}
}

func (f *Face) setDown(really, down bool) {
	if !really {
		return
	}
	if err := f.dir.SetDown(down); err != nil {
		f.warn(err)
	}
}

func (f *Face) want(up bool) {
	if f.status.WantUp != up {
		f.status.WantUp = up
		f.write()
	}
}

func (f *Face) pause(on bool) {
	if f.sink == nil || f.draining || f.paused == on {
		return
	}
	if f.paused = on; on {
		f.sink.Pause()
	} else {
		f.sink.Continue()
	}
	if f.status.PID != 0 {
		f.status.Paused = on
		f.write()
	}
}

// open has the log written.
func (f *Face) open() {
	f.which++
	which := f.which
	f.paused = false
	f.sink = f.cfg.Pool.Add(pool.Spec{
		Name: f.cfg.Name, Dir: f.where,
		Changed: func(s pool.State) { f.post(func() { f.news(which, s) }) },
	})
}

// leave closes the log, then the goroutine ends. Where Close and a command x
// coincide it is Close that counts.
func (f *Face) leave(byCommand bool) {
	f.byCommand = byCommand && (f.byCommand || !f.lastDrain)
	f.lastDrain = true
	f.want(false)
	f.shut()
}

// shut begins a drain, unless there is nothing to drain.
func (f *Face) shut() {
	switch {
	case f.sink == nil:
		f.leaves = f.leaves || f.lastDrain
		return
	case f.draining:
		return
	}
	f.draining = true
	if f.paused {
		f.paused, f.status.Paused = false, false
		f.write()
	}
	sink, which := f.sink, f.which
	f.work.Go(func() {
		_, why, err := f.drain(sink)
		f.post(func() { f.drained(which, why, err) })
	})
}

// drained is the end of a drain.
func (f *Face) drained(which int, why string, err error) {
	if which != f.which || f.sink == nil {
		return
	}
	f.sink, f.draining, f.err = nil, false, err
	if err != nil {
		why = err.Error()
	}
	if n := f.Waiting(); n > 0 && why != "" {
		f.cfg.Warn(fmt.Sprintf("%s/log: %d bytes of the log are not written: %s", f.cfg.Name, n, oneLine(why)))
	}
	f.fell(supervise.Exited(0))
	f.note("")
	switch {
	case f.lastDrain:
		f.leaves = true
	case f.status.WantUp:
		f.open()
	}
}

// news is what the pool tells of a sink.
func (f *Face) news(which int, s pool.State) {
	if which != f.which || f.sink == nil {
		return
	}
	if s.PID == 0 {
		if exit := exitOf(s.Exit); f.status.PID != 0 {
			f.died(exit)
			f.fell(exit)
		}
		f.note("the log process has died and is started again; what the service writes waits in its pipe")
		return
	}
	if s.PID != f.status.PID {
		f.fell(supervise.Exit{Unknown: true}) // never, as each death is told
		f.status.Stamp = time.Now()
		f.status.PID, f.status.Ready, f.status.Paused = s.PID, false, f.paused
		f.write()
		f.dir.Notify("u")
	}
	if s.Open && !f.status.Ready {
		f.status.ReadyStamp = time.Now()
		f.status.Ready = true
		f.write()
		f.dir.Notify("U")
	}
	f.note(s.Problem)
}

// fell makes it down, if it is up.
func (f *Face) fell(exit supervise.Exit) {
	if f.status.PID == 0 {
		return
	}
	now := time.Now()
	f.status.Stamp, f.status.ReadyStamp = now, now
	f.status.PID, f.status.Ready, f.status.Paused = 0, true, false
	f.status.Wait = exit.Status()
	f.write()
	f.dir.Notify("dD")
}

// died puts a death of the log process into the tally.
func (f *Face) died(exit supervise.Exit) {
	if err := f.dir.AddDeath(supervise.Death{At: time.Now(), Exit: exit}, keepDeaths); err != nil {
		f.warn(err)
	}
}

func exitOf(e reaper.Exit) supervise.Exit {
	return supervise.Exit{Wait: uint16(e.Status), Unknown: e.Unknown}
}

func (f *Face) write() {
	if err := f.dir.WriteStatus(f.status); err != nil {
		f.warn(err)
	}
}

func (f *Face) note(problem string) {
	if problem == f.problem {
		return
	}
	f.problem = problem
	if err := f.dir.WriteNote(supervise.Note{Problem: problem}); err != nil {
		f.warn(err)
	}
}

func (f *Face) warn(err error) { f.cfg.Warn(f.cfg.Name + "/log: " + oneLine(err.Error())) }

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }
