package fsat

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Create makes a new file with content and exactly these permissions, whatever
// the umask.
//
// The program does not fork meanwhile: a child would have the file open for
// writing until it executes something, and whoever executes the file then is
// told that it is busy (golang.org/issue/22315).
func (d *Dir) Create(name string, content []byte, perm uint32) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := d.OpenFD(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, perm&0o700)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Fchmod(fd, perm); err != nil {
		return d.fail("chmod", name, err)
	}
	for len(content) > 0 {
		n, err := retry(func() (int, error) { return unix.Write(fd, content) })
		if err != nil {
			return d.fail("write", name, err)
		}
		content = content[n:]
	}
	return nil
}

// Replace puts a file in the place of name in one step: readers see the old
// one or the new one.
func (d *Dir) Replace(name string, content []byte, perm uint32) error {
	tmp := name + "." + RandomHex(8)
	if err := d.Create(tmp, content, perm); err != nil {
		return errors.Join(err, ignoreAbsent(d.Remove(tmp)))
	}
	if err := unix.Renameat(d.fd, tmp, d.fd, name); err != nil {
		return errors.Join(d.fail("rename", name, err), d.Remove(tmp))
	}
	return nil
}

// Mkdir makes a directory with exactly these permissions and opens it.
func (d *Dir) Mkdir(name string, perm uint32) (*Dir, error) {
	if err := unix.Mkdirat(d.fd, name, 0o700); err != nil {
		return nil, d.fail("mkdir", name, err)
	}
	fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Fchmod(fd, perm); err != nil {
		unix.Close(fd)
		return nil, d.fail("chmod", name, err)
	}
	return &Dir{fd: fd, path: d.Path(name)}, nil
}

// Mkfifo makes a FIFO and opens it for reading without waiting for a writer.
// Its permissions are exactly perm.
func (d *Dir) Mkfifo(name string, perm uint32) (fd int, err error) {
	if err := unix.Mkfifoat(d.fd, name, 0o600); err != nil {
		return -1, d.fail("mkfifo", name, err)
	}
	fd, err = d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		unix.Close(fd)
		return -1, d.fail("open", name, errors.Join(errNotFIFO, err))
	}
	if err := unix.Fchmod(fd, perm); err != nil {
		unix.Close(fd)
		return -1, d.fail("chmod", name, err)
	}
	return fd, nil
}

var errNotFIFO = errors.New("is not the FIFO that was just made")

// Remove removes a file, link, FIFO or empty directory directly below d.
func (d *Dir) Remove(name string) error {
	err := unix.Unlinkat(d.fd, name, 0)
	if errors.Is(err, unix.EISDIR) {
		err = unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR)
	}
	if err != nil {
		return d.fail("remove", name, err)
	}
	return nil
}

// RemoveAll removes name and everything below it; links are removed, not
// followed. Absence is success.
func (d *Dir) RemoveAll(name string) error {
	root, err := os.OpenRoot(d.Path())
	if err != nil {
		return err
	}
	defer root.Close()
	if same, err := d.sameDir(root); err != nil || !same {
		return errors.Join(d.fail("remove", name, errors.New("the directory above it was replaced")), err)
	}
	return root.RemoveAll(name)
}

func (d *Dir) sameDir(root *os.Root) (bool, error) {
	f, err := root.Open(".")
	if err != nil {
		return false, err
	}
	defer f.Close()
	var a, b unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &a); err != nil {
		return false, err
	}
	if err := unix.Fstat(d.fd, &b); err != nil {
		return false, err
	}
	return a.Dev == b.Dev && a.Ino == b.Ino, nil
}

// RenameNoReplace gives a directory directly below d another name that must be
// free. Where the file system cannot promise that, a plain rename does for
// servicedirs: renaming a directory onto a non-empty one fails.
func (d *Dir) RenameNoReplace(from, to string) error {
	err := unix.Renameat2(d.fd, from, d.fd, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = unix.Renameat(d.fd, from, d.fd, to)
	}
	if errors.Is(err, unix.ENOTEMPTY) {
		err = fs.ErrExist
	}
	if err != nil {
		return d.fail("rename to", to, err)
	}
	return nil
}

// Rename renames within d, replacing to.
func (d *Dir) Rename(from, to string) error {
	if err := unix.Renameat(d.fd, from, d.fd, to); err != nil {
		return d.fail("rename to", to, err)
	}
	return nil
}

// Sync makes what is in the directory, and the files named, survive a crash of
// the machine. On tmpfs, where nothing does, it does nothing.
func (d *Dir) Sync(files ...string) error {
	var sfs unix.Statfs_t
	if err := unix.Fstatfs(d.fd, &sfs); err == nil && sfs.Type == unix.TMPFS_MAGIC {
		return nil
	}
	for _, name := range append(files, ".") {
		fd, err := d.OpenFD(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		err = unix.Fsync(fd)
		unix.Close(fd)
		if err != nil {
			return d.fail("sync", name, err)
		}
	}
	return nil
}

// RandomHex returns 2n random hex digits, for names nobody else picks.
func RandomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
