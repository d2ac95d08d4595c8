package svscan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hermes-gateway/hermes-gateway/backends/s6/internal/scandirs"
)

// DefaultDir returns the first of the conventional scan directories that this
// user's tree can use, and makes it if need be: /run/service, where it is this
// user's; else hermes-gateway/service in $XDG_RUNTIME_DIR or /run/user/UID;
// else in /dev/shm; else in the user's cache directory. Clients look in the
// same places.
//
// The error says what is wrong with each.
func DefaultDir() (string, error) {
	if scandirs.Mine(scandirs.Shared) {
		return scandirs.Shared, nil
	}
	why := []error{fmt.Errorf("%s is not a directory of uid %d that nobody else can write", scandirs.Shared, os.Geteuid())}
	for _, dir := range scandirs.Own("") {
		err := makeOwn(dir)
		if err == nil {
			return dir, nil
		}
		why = append(why, err)
	}
	text := make([]string, len(why))
	for i, err := range why {
		text[i] = err.Error()
	}
	return "", fmt.Errorf("no conventional scan directory can be used, name one: %s", strings.Join(text, "; "))
}

// makeOwn makes a directory and the one above it, both this user's alone.
func makeOwn(dir string) error {
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Mkdir(d, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if !scandirs.Mine(d) {
			return fmt.Errorf("%s is not a directory of uid %d that nobody else can write", d, os.Geteuid())
		}
	}
	return nil
}
