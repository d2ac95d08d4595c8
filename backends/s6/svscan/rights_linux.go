package svscan

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/fsat"
)

// place is what a directory is for.
type place uint8

const (
	scanDirectory place = iota
	serviceDirectory
)

// trusted says whether only the user the tree runs as (and root) can change a
// directory. Whoever else can could make the tree run code.
func trusted(st *unix.Stat_t, what place) error {
	self := unix.Geteuid()
	owner := int(st.Uid)
	if owner != self && (what == scanDirectory || owner != 0) {
		return fmt.Errorf("it belongs to uid %d, and this tree runs as uid %d; run the tree as uid %d, or use a directory of its own", owner, self, owner)
	}
	if writable(st, self, what) {
		return fmt.Errorf("others can write in it (mode %04o); chmod go-w it, or mount a directory that only uid %d can write there", st.Mode&0o7777, self)
	}
	return nil
}

// writable says whether others can write. The group of a user's own private
// group (umask 002) is no other, except for root.
func writable(st *unix.Stat_t, self int, what place) bool {
	switch {
	case st.Mode&0o002 != 0:
		return true
	case st.Mode&0o020 == 0:
		return false
	default:
		return self == 0 || what == scanDirectory || int(st.Gid) != unix.Getegid()
	}
}

// mayExecute says whether run or finish may be executed. Root executes only
// plain files of root that nobody else can write; what another user executes
// only that user can have put there.
func mayExecute(dir *fsat.Dir, name string) error {
	if unix.Geteuid() != 0 {
		return nil
	}
	st, err := dir.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // executing it says so
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s is %w: it is no plain file, and root follows no links here; put the program itself or a script there", dir.Path(name), ErrRefused)
	case st.Uid != 0 || st.Mode&0o022 != 0:
		return fmt.Errorf("%s is %w: others than root can change it (uid %d, mode %04o); chown root and chmod go-w it", dir.Path(name), ErrRefused, st.Uid, st.Mode&0o7777)
	}
	return nil
}
