package logread

import "slices"

// entry is a file that is to be read.
type entry struct {
	name string
	file *logFile // open if it may have, or come to have, another name
	from int64    // where to begin
}

func (e entry) close() { closeAll(e.file) }

// survey looks for files that come after what was read, and puts them in the
// queue, which is empty.
//
// In a rotation a file goes from current to previous to the name of an archive,
// or vanishes if it is empty; an archive processor makes a new file of it. Names
// are looked at in the same direction, so none can slip through in between; seen
// twice, a file is known by its inode.
func (r *reader) survey() error {
	s, err := r.look()
	if err != nil {
		return err
	}
	// Events up to here tell whether an archive processor made away with a file.
	if err := r.note((*watcher).poll); err != nil {
		s.close()
		return err
	}
	unread, sure := r.firstUnread(s)
	if !sure {
		s.close()
		r.todo.files = true
		return nil
	}
	r.settle(s, unread)
	r.remember(s)
	r.enqueue(s, s.fresh[unread:])
	return nil
}

// firstUnread returns how many of the fresh archives need not be read. It is not
// sure when files changed their names during the look in a way that leaves it
// open.
func (r *reader) firstUnread(s *sight) (n int, sure bool) {
	for i, id := range s.ids {
		if r.wasRead(id) {
			n = i + 1
		}
	}
	if n > 0 {
		return n, true
	}
	if f := r.file; f != nil && s.isLast(f) {
		// It had no archive name, so all archives are older, unless it got
		// one and lost it to trimming just now.
		return len(s.fresh), r.dir.is(current, f.id) || r.dir.is(previous, f.id)
	}
	// It has vanished: it was empty, or trimmed, or an archive processor made
	// another file of it.
	if r.trimmed(s) {
		return 0, true
	}
	return min(r.copies+r.processed(s), len(s.fresh)), true
}

// wasRead says whether id is the file that is being read, or one that was read
// under another name than that of an archive.
func (r *reader) wasRead(id identity) bool {
	return r.file != nil && r.file.id == id ||
		slices.ContainsFunc(r.nameless, func(f *logFile) bool { return f.id == id })
}

// enqueue puts in the queue, in order, the unread archives and what else was not
// read.
//
// The other files come after the archives, except one that was trimmed since it
// was opened: all older archives are gone too, so those that are left are newer.
// If the newest archive is gone as well, nothing tells which of them is older, and
// the archive counts as trimmed before it was read.
func (r *reader) enqueue(s *sight, unread []string) {
	// The younger first: while one is asked, the other may be trimmed.
	nowGone, beforeGone, newestGone := s.now.wasTrimmed(), s.before.wasTrimmed(), s.newest.wasTrimmed()
	if r.processor { // it removes what it has made a copy of
		nowGone, beforeGone = false, false
	}

	var archives []entry
	for _, name := range unread {
		archives = append(archives, entry{name: name})
	}
	if end := len(archives) - 1; end < 0 {
		closeAll(s.newest)
	} else if newestGone && (nowGone || beforeGone) {
		closeAll(s.newest)
		archives = archives[:end]
	} else {
		archives[end].file = s.newest
	}
	now, before := r.unread(s, current, s.now), r.unread(s, previous, s.before)
	switch {
	case nowGone: // hence before too, if there is one
		r.queue = slices.Concat(before, now, archives)
	case beforeGone:
		r.queue = slices.Concat(before, archives, now)
	default:
		r.queue = slices.Concat(archives, before, now)
	}
}

// unread returns what is to be read of an open file: nothing if it was read or is
// one of the archives.
func (r *reader) unread(s *sight, name string, f *logFile) []entry {
	if f == nil {
		return nil
	}
	if r.wasRead(f.id) || slices.Contains(s.ids, f.id) {
		f.Close()
		return nil
	}
	return []entry{{name: name, file: f}}
}

// remember makes the fresh archives known, and forgets those that are gone.
func (r *reader) remember(s *sight) {
	known := make(map[string]bool, len(s.all))
	for _, name := range s.all {
		if r.known[name] {
			known[name] = true
		}
	}
	for _, name := range s.fresh {
		known[name] = true
	}
	r.known = known
}

// settle closes the files that were read and cannot turn up again under another
// name, or notes that of the present one. The first unread fresh archives are
// accounted for.
func (r *reader) settle(s *sight, unread int) {
	// A logger runs one processor at a time, so one copy at most is awaited.
	r.copies = min(max(r.copies+r.processed(s)-unread, 0), 1)
	r.nameless = slices.DeleteFunc(r.nameless, func(f *logFile) bool {
		if s.isLast(f) {
			return false
		}
		f.Close()
		return true
	})
	if f := r.file; f != nil && !s.isLast(f) {
		f.settled = true
	}
}

// processed returns of how many files that were read, and have vanished since the
// last survey, an archive processor makes a copy.
func (r *reader) processed(s *sight) int {
	if !r.processor {
		return 0
	}
	read := r.nameless
	if r.file != nil && !r.file.settled {
		read = append(slices.Clone(read), r.file)
	}
	n := 0
	for _, f := range read {
		if f.at > 0 && !f.archive && !s.isLast(f) && !slices.Contains(s.ids, f.id) {
			n++
		}
	}
	return n
}

// trimmed says whether none of the archives is left that were known before.
func (r *reader) trimmed(s *sight) bool {
	return len(r.known) > 0 && !slices.ContainsFunc(s.all, func(name string) bool { return r.known[name] })
}
