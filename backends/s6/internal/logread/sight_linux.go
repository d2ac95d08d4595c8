package logread

// sight is what a look at the directory showed.
type sight struct {
	now, before *logFile // current and previous; nil: none
	fresh       []string // archives that are not known, oldest first
	ids         []identity
	newest      *logFile // the last of fresh, which may still be previous too
	all         []string // archives, known or not
}

func (s *sight) close() { closeAll(s.now, s.before, s.newest) }

// isLast says whether f is what a transient name led to.
func (s *sight) isLast(f *logFile) bool { return f.same(s.now) || f.same(s.before) }

// look opens what has a transient name and lists the archives, in the direction in
// which files move.
func (r *reader) look() (*sight, error) {
	var s sight
	var err error
	if s.now, s.before, err = r.lookAtLast(); err != nil {
		return nil, err
	}
	if s.fresh, s.all, err = r.dir.archives(r.known); err != nil {
		s.close()
		return nil, err
	}
	for len(s.fresh) > 0 && s.newest == nil {
		end := len(s.fresh) - 1
		if s.newest, err = r.dir.openIfThere(s.fresh[end]); err != nil {
			s.close()
			return nil, err
		}
		if s.newest == nil {
			s.fresh = s.fresh[:end] // trimmed
		}
	}
	s.ids = make([]identity, len(s.fresh)) // zero for one that is gone again
	for i, name := range s.fresh {
		if st, err := r.dir.Stat(name); err == nil {
			s.ids[i] = identityOf(&st)
		}
	}
	if s.newest != nil {
		s.newest.archive = true
		s.ids[len(s.ids)-1] = s.newest.id
	}
	return &s, nil
}

// lookAtLast opens current and previous. Without a rotation in between, previous is
// the older one.
func (r *reader) lookAtLast() (now, before *logFile, err error) {
	for {
		if now, err = r.dir.openIfThere(current); err != nil {
			return nil, nil, err
		}
		if before, err = r.dir.openIfThere(previous); err != nil {
			closeAll(now)
			return nil, nil, err
		}
		if now == nil || before == nil || r.dir.is(current, now.id) {
			return now, before, nil
		}
		closeAll(now, before)
		if err := r.ended(); err != nil {
			return nil, nil, err
		}
	}
}

func closeAll(files ...*logFile) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
