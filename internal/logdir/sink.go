package logdir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// sink is a log directory that is being written to.
type sink struct {
	dirSpec
	log    *Log
	folder folder

	current file
	written int64 // bytes in current
	torn    bool  // current ends in the middle of a line
	joins   bool  // and what is written next belongs to that line

	out  *buffer // text that is to be written; nil: none
	done int     // how much of it has been

	step    step // of a rotation or of the end; writable outside of them
	before  file // current before the rotation
	rotates bool // to be rotated at the next end of a line, however small

	blockedBy error
	retryAt   time.Time
	warned    string
}

// pending is the text to be written.
func (s *sink) pending() []byte {
	if s.out == nil {
		return nil
	}
	return s.out.b[s.done:]
}

// flush writes what is pending, and rotates where that is due. After an error
// it does nothing until it is time to try again. It answers whether all is on
// file.
func (s *sink) flush() bool {
	if s.blockedBy != nil && s.log.clock().Before(s.retryAt) {
		return false
	}
	if err := s.work(); err != nil {
		s.block(err)
		return false
	}
	s.blockedBy, s.warned = nil, ""
	s.log.buffers.put(s.out)
	s.out, s.done = nil, 0
	return true
}

// work is flush without regard to time.
func (s *sink) work() error {
	for {
		if s.rotates && s.step == writable && !s.torn {
			s.step = syncing
		}
		if err := s.rotate(); err != nil {
			return err
		}
		part := s.upToRotation(s.pending())
		if len(part) == 0 {
			return nil
		}
		n, err := s.current.Write(part)
		if n > 0 {
			s.done += n
			s.written += int64(n)
			s.torn = part[n-1] != '\n'
		}
		if err != nil {
			return err
		}
		if !s.torn && s.written+s.tolerance >= s.size {
			s.step = syncing
		}
	}
}

// upToRotation cuts text after the first line that makes a rotation due.
func (s *sink) upToRotation(text []byte) []byte {
	need := s.size - s.tolerance - s.written
	if s.rotates {
		need = 1
	}
	from := max(need, 1) - 1
	if from >= int64(len(text)) {
		return text
	}
	if i := bytes.IndexByte(text[from:], '\n'); i >= 0 {
		return text[:int(from)+i+1]
	}
	return text
}

// block notes an error that time may cure.
func (s *sink) block(err error) {
	s.blockedBy = err
	s.retryAt = s.log.clock().Add(max(s.retry, time.Millisecond))
	// What is pending stays at the beginning, or it would grow for ever.
	if s.out != nil && s.done > 0 {
		s.out.b = append(s.out.b[:0], s.out.b[s.done:]...)
		s.done = 0
	}
	if text := err.Error(); text != s.warned {
		s.warned = text
		s.log.warn(fmt.Errorf("%w; what is to be logged is kept, next try in %v", err, s.retry))
	}
}

// sync puts a file on the medium, where the file system has such a thing.
func (s *sink) sync(f file) error {
	err := f.sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// mark notes in a file's mode whether it was closed in order. Where modes cannot
// be changed the next writer takes it for one that was not, which loses nothing.
func (s *sink) mark(f file, done bool) error {
	err := f.mark(done)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// release gives everything back, whatever its state.
func (s *sink) release() error {
	var errs []error
	for _, f := range []file{s.current, s.before} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	s.current, s.before = nil, nil
	s.step = ended
	s.log.buffers.put(s.out)
	s.out, s.done = nil, 0
	return errors.Join(append(errs, s.folder.Close())...)
}
