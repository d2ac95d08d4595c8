package fsat

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// fresh ends the name under which a record is built aside, as in s6.
const fresh = ".new"

// ReplaceRecord puts content in the place of name, directly below d, in one
// step, as s6-supervise does: by way of NAME.new, with the permissions that the
// umask leaves of 0666, and without syncing. There is one writer at a time.
//
// Unlike Replace it does not hold up the making of processes: nobody executes
// a record. What somebody else has put at NAME.new is removed, never written
// to. After an error the old record is still there, and NAME.new is not.
func (d *Dir) ReplaceRecord(name string, content []byte) error {
	aside := name + fresh
	fd, err := d.createRecord(aside)
	if err != nil {
		return err
	}
	err = writeFull(fd, content)
	unix.Close(fd)
	if err != nil {
		return errors.Join(d.fail("write", name, err), ignoreAbsent(d.Remove(aside)))
	}
	if err := d.Rename(aside, name); err != nil {
		return errors.Join(err, ignoreAbsent(d.Remove(aside)))
	}
	return nil
}

func (d *Dir) createRecord(name string) (fd int, err error) {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL
	fd, err = d.OpenFD(name, flags, 0o666)
	if !errors.Is(err, fs.ErrExist) {
		return fd, err
	}
	// Left behind by somebody who was killed.
	if err := ignoreAbsent(d.Remove(name)); err != nil {
		return -1, err
	}
	return d.OpenFD(name, flags, 0o666)
}

func writeFull(fd int, content []byte) error {
	for len(content) > 0 {
		n, err := retry(func() (int, error) { return unix.Write(fd, content) })
		if err != nil {
			return err
		}
		content = content[n:]
	}
	return nil
}

// ReadStart returns the first bytes of a regular file, at most most of them. It
// never waits: a FIFO is an error, as everything else is.
func (d *Dir) ReadStart(name string, most int) ([]byte, error) {
	fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, d.fail("stat", name, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, d.fail("read", name, errNotRegular)
	}
	// Most files that are read so are a few bytes long.
	buf := make([]byte, max(min(int(st.Size), most), min(64, most)))
	n, err := readFull(fd, buf)
	if err != nil {
		return nil, d.fail("read", name, err)
	}
	return buf[:n], nil
}
