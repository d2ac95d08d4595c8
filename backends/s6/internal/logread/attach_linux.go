package logread

import (
	"errors"
	"fmt"
	"io/fs"
)

// attach looks which directory is at the path. A new one becomes r.next, to be
// read when all of the present one is. Following, it is not an error that there
// is none.
func (r *reader) attach() error {
	if r.watch != nil {
		// Watched before it is looked at, so that nothing is missed. A parent
		// that may not be watched matters only while there is no directory.
		if err := r.watch.watchAbove(r.path); err != nil && !r.mayDoWithout(err) {
			return err
		}
	}
	d, err := openDir(r.path)
	if errors.Is(err, fs.ErrNotExist) && r.watch != nil {
		r.setNext(nil)
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; it is made when something is logged for the first time", err)
	}
	if err != nil {
		return err
	}
	if r.dir != nil && r.dir.id == d.id {
		d.Close()
		r.setNext(nil)
		if r.watch != nil && r.watch.dir < 0 {
			return r.watch.watchDir(r.dir)
		}
		return nil
	}
	r.setNext(d)
	r.todo.files = true // the present one may hold what was not read yet
	return nil
}

// mayDoWithout says whether following works without a watch above: the directory
// is there, and if it is ever replaced, that goes unnoticed.
func (r *reader) mayDoWithout(err error) bool {
	if !errors.Is(err, fs.ErrPermission) {
		return false
	}
	d, oerr := openDir(r.path)
	if oerr != nil {
		return false
	}
	d.Close()
	return true
}

func (r *reader) setNext(d *logDir) {
	if r.next != nil {
		r.next.Close()
	}
	r.next = d
}

// enter begins with the directory in r.next: for the first one from where the
// options say, for later ones from the beginning.
func (r *reader) enter() error {
	first := r.dir == nil
	r.leave()
	r.dir, r.next = r.next, nil
	if r.watch != nil {
		if err := r.watch.watchDir(r.dir); err != nil {
			return err
		}
	}
	r.todo.files = false
	if err := r.survey(); err != nil || !first {
		return err
	}
	return r.seek()
}

// seek drops from the queue what the options do not want.
func (r *reader) seek() error {
	parts := make([]part, len(r.queue))
	for i, e := range r.queue {
		parts[i] = r.part(e)
	}
	from, g, err := seek(parts, r.opts, r.ended)
	if err != nil {
		return err
	}
	r.gate = g
	for _, e := range r.queue[:from.part] {
		if e.file != nil {
			r.nameless = append(r.nameless, e.file)
		}
	}
	r.queue = r.queue[from.part:]
	if len(r.queue) == 0 {
		return nil
	}
	r.queue[0].from = from.offset
	return nil
}

func (r *reader) part(e entry) part {
	made, _ := archiveTime(e.name)
	return part{made: made, open: func() (partFile, error) {
		if e.file != nil {
			return heldFile{e.file}, nil
		}
		return r.dir.openFile(e.name)
	}}
}

// leave gives up the present directory.
func (r *reader) leave() {
	r.setFile(nil)
	for _, f := range r.nameless {
		f.Close()
	}
	for _, e := range r.queue {
		e.close()
	}
	r.nameless, r.queue, r.known = nil, nil, nil
	if r.dir != nil {
		r.dir.Close()
		r.dir = nil
	}
}
