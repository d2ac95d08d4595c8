//go:build !unix

package execas

import "errors"

// Become is not possible on this system.
func Become(Account) error {
	return errors.New("this system has no users to become that way")
}

func isAlready(Account) bool { return false }
