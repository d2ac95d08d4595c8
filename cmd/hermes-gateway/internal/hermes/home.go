package hermes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	profilesDir = "profiles"
	marker      = "SOUL.md"
)

// Home is the root home: the directory of the root profile, below which all
// other profiles live. It is an absolute path that need not exist.
type Home struct{ dir string }

// FindHome returns the home: named (the --home flag) as it is, else
// HERMES_HOME, else .hermes in HOME. A HERMES_HOME that is a profile's own
// directory, as a program that runs inside a profile has it, stands for the
// root home two levels up.
func FindHome(named string, getenv func(string) string) (Home, error) {
	dir := named
	if dir == "" {
		dir = rootOf(getenv("HERMES_HOME"))
	}
	if dir == "" {
		user := getenv("HOME")
		if user == "" {
			return Home{}, errors.New("no home: neither HERMES_HOME nor HOME is set; name one with --home DIR")
		}
		dir = filepath.Join(user, ".hermes")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, fmt.Errorf("find the home %s: %w", dir, err)
	}
	return Home{abs}, nil
}

func rootOf(dir string) string {
	if dir == "" || filepath.Base(filepath.Dir(filepath.Clean(dir))) != profilesDir {
		return dir
	}
	return filepath.Dir(filepath.Dir(filepath.Clean(dir)))
}

// Dir returns the root home.
func (h Home) Dir() string { return h.dir }

// Of returns the directory of a profile, whether it exists or not. It depends
// on the root home and the name alone, never on the profile the caller runs in.
func (h Home) Of(p ProfileName) string {
	if p.IsDefault() {
		return h.dir
	}
	return filepath.Join(h.dir, profilesDir, p.s)
}

// GatewayLogs returns the log directory of a profile's gateway.
func (h Home) GatewayLogs(p ProfileName) string {
	return filepath.Join(h.dir, "logs", "gateways", p.s)
}

// ServiceLogs returns the log directory of a service that is no profile's.
func (h Home) ServiceLogs(s ServiceName) string {
	return filepath.Join(h.dir, "logs", "services", s.s)
}

// Check returns nil if the profile exists, else why it does not count as one.
// The root profile is the home itself; any other is a directory in the home's
// profiles directory, inside the home also after following links, with a
// regular file SOUL.md in it.
func (h Home) Check(p ProfileName) error {
	if p.IsZero() {
		return errors.New("no profile is named")
	}
	dir := h.Of(p)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	case p.IsDefault():
		return nil
	}
	if err := h.inside(dir); err != nil {
		return err
	}
	mark, err := os.Lstat(filepath.Join(dir, marker))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s has no %s", dir, marker)
	case err != nil:
		return err
	case !mark.Mode().IsRegular():
		return fmt.Errorf("%s in %s is not a regular file", marker, dir)
	}
	return nil
}

// Real says whether Check finds the profile.
func (h Home) Real(p ProfileName) bool { return h.Check(p) == nil }

// inside refuses a profile whose directory a link has moved out of the home.
func (h Home) inside(dir string) error {
	root, err := filepath.EvalSymlinks(h.dir)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(real, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator)) {
		return fmt.Errorf("%s leads out of the home, to %s", dir, real)
	}
	return nil
}

// Profiles returns the profiles that exist, the root profile first, then by
// name. A directory called default is no profile: that name is the home's own.
// An unreadable home has none.
func (h Home) Profiles() []ProfileName {
	var found []ProfileName
	if h.Real(Default()) {
		found = append(found, Default())
	}
	entries, err := os.ReadDir(filepath.Join(h.dir, profilesDir))
	if err != nil {
		return found
	}
	for _, e := range entries { // sorted by ReadDir
		p, err := ParseProfileName(e.Name(), MaxLongProfileLen)
		if err == nil && !p.IsDefault() && h.Real(p) {
			found = append(found, p)
		}
	}
	return slices.Clip(found)
}
