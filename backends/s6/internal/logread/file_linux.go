package logread

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// logFile is an open file of the log. It is no os.File: the runtime's poller is
// of no use for regular files, and the reader's lock keeps it from being closed
// while it is read.
type logFile struct {
	fd   int
	path string // where it was found, for messages
	id   identity
	size int64 // when it was opened

	archive bool  // it was opened by the name of an archive
	settled bool  // it cannot turn up again under another name
	at      int64 // where the next read begins
}

// Size returns the size at the time of opening.
func (f *logFile) Size() int64 { return f.size }

// Close releases the descriptor.
func (f *logFile) Close() error { return unix.Close(f.fd) }

// same says whether g is the same file; nil is none.
func (f *logFile) same(g *logFile) bool { return g != nil && g.id == f.id }

// ReadAt is that of io.ReaderAt.
func (f *logFile) ReadAt(p []byte, at int64) (int, error) {
	got := 0
	for got < len(p) {
		n, err := f.pread(p[got:], at+int64(got))
		if err != nil {
			return got, err
		}
		if n == 0 {
			return got, io.EOF
		}
		got += n
	}
	return got, nil
}

// next reads from where the last call ended. 0 without an error is the end so
// far.
func (f *logFile) next(p []byte) (int, error) {
	n, err := f.pread(p, f.at)
	f.at += int64(n)
	return n, err
}

func (f *logFile) pread(p []byte, at int64) (int, error) {
	for {
		n, err := unix.Pread(f.fd, p, at)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, &fs.PathError{Op: "read", Path: f.path, Err: err}
		}
		return n, nil
	}
}

// wasTrimmed says whether the file has content, but no name any more. One without
// content never becomes an archive.
func (f *logFile) wasTrimmed() bool {
	var st unix.Stat_t
	return f != nil && unix.Fstat(f.fd, &st) == nil && st.Nlink == 0 && st.Size > 0
}

// rewindIfCut goes back to the beginning of a file that has become shorter than
// what was read: somebody emptied it in place and the logger appends to it.
func (f *logFile) rewindIfCut() error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: f.path, Err: err}
	}
	if st.Size < f.at {
		f.at = 0
	}
	return nil
}

// heldFile lets a part be opened and closed while the descriptor stays with its
// owner.
type heldFile struct{ *logFile }

// Close does nothing.
func (heldFile) Close() error { return nil }
