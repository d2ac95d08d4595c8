//go:build unix

package execas

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Become makes the process run as the account for good, all its threads: groups,
// gid, uid, and HOME, USER and LOGNAME in its environment. A process that is
// that user and group already stays as it is. The error matches
// fs.ErrPermission where the process has no right to change; the process may
// have lost groups by then and should end.
func Become(a Account) error {
	if isAlready(a) {
		return nil
	}
	if err := syscall.Setgroups(a.Groups); err != nil && os.Geteuid() == 0 {
		return fmt.Errorf("set the groups of uid %d: %w", a.UID, err)
	}
	if err := syscall.Setgid(a.GID); err != nil {
		return fmt.Errorf("become gid %d: %w", a.GID, err)
	}
	if err := syscall.Setuid(a.UID); err != nil {
		return fmt.Errorf("become uid %d: %w", a.UID, err)
	}
	if syscall.Getuid() != a.UID || syscall.Geteuid() != a.UID || syscall.Getegid() != a.GID {
		return fmt.Errorf("become uid %d: the system kept uid %d", a.UID, syscall.Geteuid())
	}
	if a.UID != 0 && syscall.Setuid(0) == nil {
		return errors.New("become another user: the way back to root stayed open")
	}
	return nil
}

func isAlready(a Account) bool {
	return syscall.Getuid() == a.UID && syscall.Geteuid() == a.UID &&
		syscall.Getgid() == a.GID && syscall.Getegid() == a.GID
}
