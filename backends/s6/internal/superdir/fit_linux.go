package superdir

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

const controlFile = "control"

// modes are those of s6-supervise, and those of s6-svperms -G and -E.
type modes struct{ event, supervise, control uint32 }

var (
	private = modes{event: 0o3730, supervise: 0o700, control: 0o600}
	shared  = modes{event: 0o3730, supervise: 0o710, control: 0o620}
)

// subdirectory makes a directory with exactly these rights, or opens the one
// that is there as it is.
func subdirectory(dir *fsat.Dir, name string, mode uint32, group int) (*fsat.Dir, error) {
	made, err := dir.Mkdir(name, 0o700)
	switch {
	case err == nil:
		if err := share(made, mode, group); err != nil {
			made.Close()
			// It would be taken as it is the next time.
			return nil, errors.Join(err, absent(dir.Remove(name)))
		}
		return made, nil
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	there, err := dir.Sub(name)
	if err != nil {
		return nil, unfit(dir, name, err)
	}
	return there, nil
}

// share gives a directory that was just made its group and its rights.
func share(made *fsat.Dir, mode uint32, group int) error {
	what := "give to the group"
	if group == NoGroup {
		group = unix.Getegid()
	}
	err := unix.Fchown(made.FD(), -1, group)
	if err == nil {
		what = "chmod"
		err = unix.Fchmod(made.FD(), mode) // after chown, which takes setgid away
	}
	if err != nil {
		return &fs.PathError{Op: fmt.Sprintf("%s (gid %d, mode %04o)", what, group, mode), Path: made.Path(), Err: err}
	}
	return nil
}

// unfit tells of an entry that is there and is not what it must be.
func unfit(dir *fsat.Dir, name string, err error) error {
	const remedy = "remove it: the supervisor makes what it needs in its place"
	st, statErr := dir.Stat(name)
	if statErr == nil && (errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)) {
		return fmt.Errorf("%s %w: it is %s, not a directory; %s", dir.Path(name), ErrUnfit, typeName(st.Mode), remedy)
	}
	return fmt.Errorf("%s %w: %w", dir.Path(name), ErrUnfit, err)
}

func typeName(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFLNK:
		return "a symbolic link, which is never followed here"
	case unix.S_IFREG:
		return "a regular file"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFIFO:
		return "a FIFO"
	case unix.S_IFSOCK:
		return "a socket"
	default:
		return "a device"
	}
}

// trusted says whether nobody else can change what is in supervise/. The record
// of the service's process is there, and whoever could write it could make this
// user signal any process. s6 has no such record and does not look.
func trusted(sup *fsat.Dir) error {
	st, err := sup.StatSelf()
	if err != nil {
		return err
	}
	if !ours(&st) {
		return fmt.Errorf("%s %w: it belongs to uid %d; remove it, or chown it to uid %d", sup.Path(), ErrUnfit, st.Uid, unix.Geteuid())
	}
	if st.Mode&0o022 != 0 {
		return fmt.Errorf("%s %w: others can write in it (mode %04o); chmod go-w it", sup.Path(), ErrUnfit, st.Mode&0o7777)
	}
	return nil
}

// fitControl says whether a control that is there can be trusted: who can write
// into it, or replace its rights, commands the service. It is looked at before
// it is opened, as opening may fail for less telling reasons.
func fitControl(sup *fsat.Dir) error {
	st, err := sup.Stat(controlFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	path := sup.Path(controlFile)
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFIFO:
		return fmt.Errorf("%s %w: it is %s, not a FIFO; remove it: the supervisor makes one", path, ErrUnfit, typeName(st.Mode))
	case !ours(&st):
		return fmt.Errorf("%s %w: it belongs to uid %d, and this supervisor runs as uid %d; remove it: the supervisor makes one of its own", path, ErrUnfit, st.Uid, unix.Geteuid())
	case st.Mode&0o002 != 0:
		return fmt.Errorf("%s %w: everybody may write commands into it (mode %04o); chmod o-w it", path, ErrUnfit, st.Mode&0o7777)
	}
	return nil
}

// ours says whether something belongs to this user or to root.
func ours(st *unix.Stat_t) bool { return st.Uid == 0 || int(st.Uid) == unix.Geteuid() }
