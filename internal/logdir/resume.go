package logdir

import (
	"errors"
	"io/fs"
)

// resume brings a directory into order, whatever state its last writer left it
// in, and opens current.
func (s *sink) resume() error {
	st, err := s.folder.look(nameCurrent)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !st.done {
		if err := s.repair(); err != nil {
			return err
		}
	}
	return s.open()
}

// repair is for a directory whose last writer did not close it: what that one
// was writing becomes an archive of its own.
func (s *sink) repair() error {
	for _, name := range []string{nameState, nameNewState} {
		_ = s.folder.remove(name) // state is made anew, newstate means nothing
	}
	if err := s.repairRotation(); err != nil {
		return err
	}
	goOn := false
	if s.log.eager || s.log.goOn {
		torn, err := s.folder.torn(nameCurrent)
		if err != nil {
			return err
		}
		// Only an eager Log can go on in the middle of a line.
		goOn = torn && s.log.eager || !torn && s.log.goOn
	}
	if !goOn {
		if err := s.archive(nameCurrent, suffixLeft); err != nil {
			return err
		}
	}
	return s.folder.empty(nameState)
}

// repairRotation ends a rotation that was under way. One with an archive
// processor, which can only have been s6-log's, had done its work if what it
// made is marked.
func (s *sink) repairRotation() error {
	st, err := s.folder.look(nameProcessed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && st.done {
		_ = s.folder.remove(namePrevious)
		return s.archive(nameProcessed, suffixRotated)
	}
	_ = s.folder.remove(nameProcessed)
	return s.archive(namePrevious, suffixLeft)
}

// open opens current, to go on at its end.
func (s *sink) open() error {
	f, err := s.folder.extend(nameCurrent)
	if err != nil {
		return err
	}
	s.current = f
	if err := s.mark(f, false); err != nil {
		return err
	}
	if s.written, err = f.size(); err != nil || !s.log.eager {
		return err
	}
	s.torn, err = s.folder.torn(nameCurrent)
	s.joins = s.torn
	return err
}

// finish closes current in order: the next writer goes on with it.
func (s *sink) finish() error {
	if s.step == ended {
		return nil
	}
	s.step = finishing
	if err := s.sync(s.current); err != nil {
		return err
	}
	if err := s.mark(s.current, true); err != nil {
		return err
	}
	s.step = ended
	return nil
}
