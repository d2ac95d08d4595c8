//go:build unix

package execas

import (
	"os"
	"syscall"
)

// ownerOf returns the account that owns a path, links followed. ok is false
// where the path cannot be looked at.
func ownerOf(path string) (a Account, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return Account{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Account{}, false
	}
	return lookupUID(int(st.Uid), int(st.Gid)), true
}

// Owns says whether the process runs as the owner of a directory.
func Owns(dir string) bool {
	a, ok := ownerOf(dir)
	return ok && a.UID == os.Geteuid()
}

// BecomeOwner makes a process of root that is about to touch a directory of
// another user that user, for good: whatever links and files the user put
// there, they then lead to nothing that is not the user's own. It returns the
// account, or nil when there was nothing to change: the process is not root,
// or the directory is root's or does not exist.
func BecomeOwner(dir string) (*Account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	a, ok := ownerOf(dir)
	if !ok || a.UID == 0 {
		return nil, nil
	}
	if err := Become(a); err != nil {
		return nil, &OwnerError{Dir: dir, UID: a.UID, Err: err}
	}
	return &a, nil
}
