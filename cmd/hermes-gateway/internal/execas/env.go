package execas

import (
	"path/filepath"
	"strconv"
)

// Env returns the variables that say who a process is, for one that has just
// become the account. HOME is the account's, else HERMES_HOME, else /; one
// that was set to anything but root's home is kept, somebody chose it. USER
// and LOGNAME are the account's name, else its uid.
func (a Account) Env(getenv func(string) string) map[string]string {
	name := a.Name
	if name == "" {
		name = strconv.Itoa(a.UID)
	}
	return map[string]string{"HOME": a.homeFor(getenv), "USER": name, "LOGNAME": name}
}

func (a Account) homeFor(getenv func(string) string) string {
	if have := getenv("HOME"); have != "" && !isRootsHome(have) {
		return have
	}
	for _, dir := range []string{a.Home, getenv("HERMES_HOME")} {
		if dir != "" && filepath.IsAbs(dir) {
			return dir
		}
	}
	return "/"
}

func isRootsHome(dir string) bool {
	return filepath.Clean(dir) == "/" || filepath.Clean(dir) == filepath.Clean(lookupUID(0, 0).Home)
}
