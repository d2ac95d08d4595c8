//go:build !unix

package past

import (
	"errors"
	"io"
)

var errNoUsers = errors.New("this system has no users to become that way")

// SetUIDGID is not possible on this system.
func SetUIDGID(_ []string, stderr io.Writer) int {
	return complain(stderr, "s6-setuidgid", exitSystem, errNoUsers)
}

// ApplyUIDGID is not possible on this system.
func ApplyUIDGID(_ []string, stderr io.Writer) int {
	return complain(stderr, "s6-applyuidgid", exitSystem, errNoUsers)
}
