//go:build !unix

package execas

import "errors"

func execve(string, []string, []string) error {
	return errors.New("this system cannot replace a process by another program")
}
