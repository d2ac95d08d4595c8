package logdir

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/hermes-gateway/hermes-gateway/internal/tai"
)

// step is how far a rotation, or the end, has come. Each can fail and is then
// tried again; killed in between, the next writer finds in the directory where
// that was.
type step uint8

const (
	writable step = iota // no rotation
	syncing
	renaming
	reopening
	marking
	archiving
	finishing // the end: sync, then mark
	ended
)

// rotate carries a rotation, if one has begun, to its end.
func (s *sink) rotate() error {
	for s.step != writable {
		if err := s.rotateStep(); err != nil {
			return err
		}
	}
	return nil
}

func (s *sink) rotateStep() error {
	switch s.step {
	case syncing:
		if err := s.sync(s.current); err != nil {
			return err
		}
		s.step = renaming
	case renaming:
		// Somebody may have removed current: what was in it is gone then.
		if err := s.folder.rename(nameCurrent, namePrevious); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.step = reopening
	case reopening:
		f, err := s.folder.extend(nameCurrent)
		if err != nil {
			return err
		}
		s.before, s.current = s.current, f
		s.written, s.rotates = 0, false
		s.step = marking
	case marking:
		if err := s.mark(s.before, true); err != nil {
			return err
		}
		// It is synced, so an error has nothing to tell.
		_ = s.before.Close()
		s.before = nil
		s.step = archiving
	case archiving:
		if err := s.archive(namePrevious, suffixRotated); err != nil {
			return err
		}
		s.step = writable
	default:
		return errors.New("the log is closed")
	}
	return nil
}

// archive makes a file, if there is one, an archive, and trims. An empty one is
// removed; so is one that is an archive already, of a writer that was killed
// just then.
func (s *sink) archive(name, suffix string) error {
	st, err := s.folder.look(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.links == 1 && st.size > 0 {
		moved, err := s.name(name, suffix)
		if err != nil || moved {
			s.trim()
			return err
		}
	}
	if err := s.folder.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.trim()
	return nil
}

// name gives a file the name of an archive beside its own or, where that is not
// possible, in its place.
func (s *sink) name(name, suffix string) (moved bool, err error) {
	for at := s.labelTime(); ; at = at.Add(1) {
		to := tai.Format(at) + suffix
		err := s.folder.link(name, to)
		if err == nil || errors.Is(err, fs.ErrExist) {
			if err == nil {
				return false, nil
			}
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		// The directory is locked and the label is later than all others.
		if s.folder.rename(name, to) == nil {
			return true, nil
		}
		return false, err
	}
}

// labelTime is now, or just after the newest archive if that seems to be later:
// the clock was set back.
func (s *sink) labelTime() time.Time {
	now := s.log.clock()
	names, err := s.archives()
	if err != nil || len(names) == 0 {
		return now
	}
	newest, err := tai.Parse(names[len(names)-1][:labelLen])
	if err != nil || now.After(newest) {
		return now
	}
	return newest.Add(1)
}

// labelLen is the length of a TAI64N label as text.
const labelLen = 1 + 2*tai.Size

// archives lists the archives, oldest first.
func (s *sink) archives() ([]string, error) {
	names, err := s.folder.names()
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isArchive(name) })
	slices.Sort(names)
	return names, nil
}

func isArchive(name string) bool {
	if len(name) != labelLen+len(suffixRotated) || name[0] != '@' {
		return false
	}
	for _, c := range []byte(name[1:labelLen]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return name[labelLen:] == suffixRotated || name[labelLen:] == suffixLeft
}

// trim removes the oldest archives until no more are left than were asked for.
func (s *sink) trim() {
	names, err := s.archives()
	if err != nil {
		s.log.warn(fmt.Errorf("old archives stay: %w", err))
		return
	}
	sizes, sum := s.sizes(names)
	for i, name := range names {
		if uint64(len(names)-i) <= s.keep && (s.total == 0 || sum <= s.total) {
			return
		}
		if err := s.folder.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.warn(fmt.Errorf("an old archive stays: %w", err))
			continue
		}
		sum -= sizes[i]
	}
}

// sizes returns the sizes of archives and their sum, all 0 if nobody cares.
func (s *sink) sizes(names []string) (sizes []uint64, sum uint64) {
	sizes = make([]uint64, len(names))
	if s.total == 0 {
		return sizes, 0
	}
	for i, name := range names {
		st, err := s.folder.look(name)
		if err != nil {
			s.log.warn(err)
			continue
		}
		sizes[i] = uint64(max(st.size, 0))
		sum += sizes[i]
	}
	return sizes, sum
}
