package superdir

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fifodir"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/lock"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/note"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/status"
	"github.com/hermes-gateway/hermes-gateway/backends/s6/reaper"
	"github.com/hermes-gateway/hermes-gateway/internal/supervise"
)

// Names within supervise/.
const (
	statusFile   = "status"
	tallyFile    = "death_tally"
	instanceFile = "instance"
	noteFile     = "note"
)

// downFile is in the service directory itself.
const downFile = "down"

// InstanceFile is where the instance record is, relative to the service
// directory.
const InstanceFile = superviseDir + "/" + instanceFile

// WriteStatus replaces supervise/status. The first one ends the silence of the
// lock: from then on clients believe what they read.
func (d *Dir) WriteStatus(s supervise.Status) error {
	var buf [status.Size]byte
	err := d.replace(statusFile, status.Record{
		Stamp: s.Stamp, ReadyStamp: s.ReadyStamp, PID: s.PID, Wait: s.Wait,
		Paused: s.Paused, Finishing: s.Finishing, WantUp: s.WantUp, Ready: s.Ready,
	}.Append(buf[:0]))
	if err == nil && !d.spoken {
		err = lock.Speak(d.lockFD)
		d.spoken = err == nil
	}
	return err
}

// LastStatus is what an earlier supervisor has left: the zero value if there is
// nothing, or nothing that can be understood.
func (d *Dir) LastStatus() supervise.Status {
	b, err := d.dir.ReadStart(superviseDir+"/"+statusFile, status.MaxRead)
	if err != nil {
		return supervise.Status{}
	}
	r, err := status.Decode(b)
	if err != nil {
		return supervise.Status{}
	}
	return supervise.Status{
		Stamp: r.Stamp, ReadyStamp: r.ReadyStamp, PID: r.PID, Wait: r.Wait,
		Paused: r.Paused, Finishing: r.Finishing, WantUp: r.WantUp, Ready: r.Ready,
	}
}

// WriteNote replaces supervise/note; the zero Note is no file.
func (d *Dir) WriteNote(n supervise.Note) error {
	out := note.Note{Adopted: n.Adopted, Backoff: n.Backoff, Failed: n.Failed, NextStart: n.NextStart, Problem: n.Problem}
	if out.IsZero() {
		return d.remove(noteFile)
	}
	return d.replace(noteFile, out.Encode())
}

// WriteInstance replaces supervise/instance. A record of a start gets the time,
// so that what was started is told from older processes.
func (d *Dir) WriteInstance(in supervise.Instance) error {
	if in.Stage == supervise.StageStarting {
		now, err := reaper.Now()
		if err != nil {
			return err
		}
		in.Ticks = now
	}
	return d.replace(instanceFile, []byte(in.String()))
}

// Instance is the record that an earlier supervisor has left; present is false
// if there is none. With an error there is one, or it cannot be told.
func (d *Dir) Instance() (in supervise.Instance, present bool, err error) {
	b, err := d.dir.ReadFile(InstanceFile, supervise.MaxInstance)
	if errors.Is(err, fs.ErrNotExist) {
		return in, false, nil
	}
	if err != nil {
		return in, true, err
	}
	in, err = supervise.ParseInstance(string(b))
	if err != nil {
		err = fmt.Errorf("%s: %w", d.dir.Path(InstanceFile), err)
	}
	return in, true, err
}

// AddDeath appends to supervise/death_tally. What the file holds counts: clients
// empty it to forget.
func (d *Dir) AddDeath(death supervise.Death, keep int) error {
	all, err := d.tally()
	if err != nil {
		return err
	}
	code, signal := death.Bytes()
	all = status.Death{At: death.At, Code: int(code), Signal: int(signal)}.Append(all)
	if over := len(all) - keep*status.DeathSize; over > 0 {
		all = all[over:]
	}
	return d.replace(tallyFile, all)
}

// maxTally is how many bytes a tally has at most: s6 keeps up to 4096 deaths.
const maxTally = 4096 * status.DeathSize

// tally is what the file holds. One that is no tally counts as empty, as in s6
// (src/libs6/s6_dtally_read.c).
func (d *Dir) tally() ([]byte, error) {
	b, err := d.dir.ReadStart(superviseDir+"/"+tallyFile, maxTally+1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || len(b)%status.DeathSize != 0 {
		return nil, err
	}
	return b, nil
}

// ClearDeaths empties supervise/death_tally.
func (d *Dir) ClearDeaths() error { return d.replace(tallyFile, nil) }

// SetDown makes or removes the file down.
func (d *Dir) SetDown(down bool) error {
	if !down {
		return absent(d.dir.Remove(downFile))
	}
	fd, err := d.dir.OpenFD(downFile, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil // of whatever type
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// Notify tells the listeners in event/. Whoever has taken the directory away
// does not listen.
func (d *Dir) Notify(events string) {
	event, err := d.dir.Sub(eventDir)
	if err != nil {
		return
	}
	defer event.Close()
	_ = fifodir.Notify(event, []byte(events))
}

// replace puts a record in the place of another. Nothing is synced: what it
// tells does not outlive the system.
func (d *Dir) replace(name string, content []byte) error {
	sup, err := d.dir.Sub(superviseDir)
	if err != nil {
		return err
	}
	defer sup.Close()
	return sup.ReplaceRecord(name, content)
}

func (d *Dir) remove(name string) error {
	sup, err := d.dir.Sub(superviseDir)
	if err != nil {
		return absent(err)
	}
	defer sup.Close()
	return absent(sup.Remove(name))
}

// absent makes absence no error.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
